"""The one form renderer's fields and widgets.

`{% form_fields form %}` draws any Django form: one column, label above, unit beside, help below, error below
in a sentence. A form may name its units: `units = {"route_m": _("米")}`.

Nothing typed is lost: an invalid form is answered with status 422 and its own values (see `ui.replies`), and
a chosen photo stays in the browser while htmx swaps the rest.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

TEXT_LIKE = {"text", "number", "email", "url", "password", "tel", "search", "date", "datetime-local", "time"}


# --- widgets -------------------------------------------------------------------------------------
class Pills(forms.RadioSelect):
    """A few choices as large buttons under the thumb.

    tones: value -> colour of the mark; the label says it too
    """

    template_name = "ui/widgets/pills.html"

    def __init__(
        self, attrs: dict[str, Any] | None = None, choices: Any = (), tones: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(attrs, choices)
        self.tones = dict(tones or {})

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["tone"] = self.tones.get(str(value), "")
        return option


class CheckPills(forms.CheckboxSelectMultiple):
    """Several of a few choices as large buttons."""

    template_name = "ui/widgets/pills.html"


class DateInput(forms.DateInput):
    """The browser's own day picker."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of a day and a time, to the minute."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class PhotoInput(forms.FileInput):
    """Photos from the camera or the album, previewed before they are sent.

    camera: open the back camera at once instead of asking; leave False where a photo from the album is normal
    """

    template_name = "ui/widgets/photo.html"
    allow_multiple_selected = True

    def __init__(
        self, attrs: dict[str, Any] | None = None, *, multiple: bool = True, camera: bool = False
    ) -> None:
        base: dict[str, Any] = {"accept": "image/*"}
        if multiple:
            base["multiple"] = True
        if camera:
            base["capture"] = "environment"
        super().__init__({**base, **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        if hasattr(files, "getlist"):
            return files.getlist(name)
        found = files.get(name)
        return [found] if found else []


class PlaceInput(forms.MultiWidget):
    """A position: three hidden numbers and a button that asks the device."""

    template_name = "ui/widgets/place.html"
    use_fieldset = True
    # Its parts are hidden, the button is not.
    is_hidden = False

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        hidden: dict[str, forms.Widget | type[forms.Widget]] = {
            name: forms.HiddenInput() for name in ("lon", "lat", "accuracy_m")
        }
        super().__init__(hidden, attrs)

    def decompress(self, value: Any) -> list[Any]:
        return [value.lon, value.lat, value.accuracy_m] if value else [None, None, None]


class AreaSelect(forms.Select):
    """A long list of areas or units with a box that narrows it while typing; without script a plain list."""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-searchable": "", **(attrs or {})}, choices)


# --- fields --------------------------------------------------------------------------------------
class UidField(forms.UUIDField):
    """The identity of what is being captured, made with the form: sent twice it is still one thing."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("initial", uuid.uuid4)
        super().__init__(**kwargs)


class DayField(forms.DateField):
    widget = DateInput


class MomentField(forms.DateTimeField):
    widget = MomentInput


class PhotosField(forms.FileField):
    """Any number of photos; cleans to a list of uploaded files. What a photo is, `evidence` judges.

    most: how many at once
    """

    widget = PhotoInput

    def __init__(self, *, most: int = 9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [data] if data and not isinstance(data, (list, tuple)) else list(data or [])
        if not files and self.required:
            raise ValidationError(_("还没有照片。请拍照或从相册选择。"), code="required")
        if len(files) > self.most:
            raise ValidationError(
                _("一次最多 %(most)s 张照片，现在选了 %(count)s 张。请减少后重新选择。"),
                code="too-many",
                params={"most": self.most, "count": len(files)},
            )
        return [super(PhotosField, self).clean(file, initial) for file in files]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


@dataclass(frozen=True)
class Place:
    """A position as the device told it: degrees in WGS84, and the radius it is sure of in metres."""

    lon: float
    lat: float
    accuracy_m: float | None = None
    datum: str = "WGS84"


class PlaceField(forms.MultiValueField):
    """Cleans to a `Place`, or None when the device gave none."""

    widget = PlaceInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("位置"))
        super().__init__(
            fields=(
                forms.FloatField(min_value=-180, max_value=180, required=False),
                forms.FloatField(min_value=-90, max_value=90, required=False),
                forms.FloatField(min_value=0, max_value=1e7, required=False),
            ),
            require_all_fields=False,
            error_messages={
                "required": _("还没有位置。请点击“取当前位置”，并允许浏览器使用定位。"),
                "invalid": _("位置无法识别。请重新点击“取当前位置”。"),
            },
            **kwargs,
        )

    def clean(self, value: Any) -> Place | None:
        try:
            return super().clean(value)
        except ValidationError as error:
            # The hidden numbers are not the reader's doing: one sentence, not one for each.
            if error.error_list and getattr(error.error_list[0], "code", "") == "required":
                raise
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def compress(self, values: list[Any]) -> Place | None:
        if not values or values[0] is None or values[1] is None:
            return None
        return Place(values[0], values[1], values[2] if len(values) > 2 else None)


def with_unit(field: forms.Field, unit: Any) -> forms.Field:
    """Return `field` with a unit shown beside it: with_unit(forms.IntegerField(label=…), _("处"))."""
    field.unit = unit  # type: ignore[attr-defined]
    return field


# --- the renderer --------------------------------------------------------------------------------
class FieldView:
    """One visible field as `_form.html` draws it."""

    def __init__(self, bound: BoundField, units: Mapping[str, Any]) -> None:
        self.bound = bound
        self.unit = units.get(bound.name) or getattr(bound.field, "unit", "")
        self.id = bound.id_for_label or bound.auto_id
        self.label = bound.label
        self.help_text = bound.help_text
        self.help_id = f"{bound.auto_id}_help"
        self.error_id = f"{bound.auto_id}_error"
        self.errors = self._sentences()
        self.required = bound.field.required
        widget = bound.field.widget
        self.is_check = isinstance(widget, forms.CheckboxInput)
        # A group of controls is named by a legend, a single one by a label.
        self.is_group = isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple, PlaceInput))
        self.is_photo = isinstance(widget, PhotoInput)

    def _sentences(self) -> list[str]:
        """Return the errors; Django's bare "required" becomes a sentence naming the field and the step."""
        said = []
        for error in self.bound.form.errors.as_data().get(self.bound.name, []):
            bare = (
                error.code == "required" and error.message == forms.Field.default_error_messages["required"]
            )
            if bare and isinstance(self.bound.field, (forms.ChoiceField, forms.ModelChoiceField)):
                said.append(gettext("还没有选择“{label}”。请选择一项。").format(label=self.label))
            elif bare:
                said.append(gettext("还没有填写“{label}”。请填写后再保存。").format(label=self.label))
            else:
                said += [str(message) for message in error.messages]
        return said

    @property
    def described_by(self) -> str:
        ids = [self.help_id] if self.help_text else []
        return " ".join(ids + ([self.error_id] if self.errors else []))

    @property
    def control(self) -> str:
        """Return the widget's HTML with the classes and the ARIA of this state."""
        widget = self.bound.field.widget
        attrs: dict[str, Any] = {}
        if self.described_by and not self.is_group:
            attrs["aria-describedby"] = self.described_by
        if self.errors and not self.is_group:
            attrs["aria-invalid"] = "true"
        name = _control_class(widget)
        if name:
            own = widget.attrs.get("class", "")
            attrs["class"] = " ".join(
                part for part in (own, name, "is-invalid" if self.errors else "") if part
            )
        return self.bound.as_widget(attrs=attrs)


def _control_class(widget: forms.Widget) -> str:
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple, PhotoInput, PlaceInput)):
        return ""
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    if (
        isinstance(widget, (forms.Textarea, forms.FileInput))
        or getattr(widget, "input_type", "") in TEXT_LIKE
    ):
        return "form-control"
    return ""


class FormView:
    """A form as `_form.html` draws it: the summary of errors, the hidden fields, the visible ones."""

    def __init__(self, form: forms.BaseForm) -> None:
        units = getattr(form, "units", {})
        self.form = form
        self.hidden = form.hidden_fields()
        self.fields = [FieldView(bound, units) for bound in form.visible_fields()]
        # A fault in a hidden field has no place of its own, so the summary says it.
        self.general = [str(error) for error in form.non_field_errors()] + [
            str(error) for bound in self.hidden for error in bound.errors
        ]
        self.faulty = [field for field in self.fields if field.errors]

    @property
    def has_errors(self) -> bool:
        return bool(self.general or self.faulty)
