"""What a keeper may type: the head of an edition, and its body as YAML, a file or a sheet of days."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.rules.errors import RuleError
from weicheng.standards import day_sheet, kinds
from weicheng.standards.actions import Head
from weicheng.standards.kinds import KINDS, Confidence
from weicheng.standards.models import Edition
from weicheng.standards.yaml_text import LIMIT_BYTES, read_yaml, write_yaml
from weicheng.ui.forms import DayField
from weicheng.ui.imports import FILE_MB


class EditionForm(forms.Form):
    """One form for copying and editing; `parsed` is the body once valid."""

    title = forms.CharField(label=gettext_lazy("名称"), max_length=120)
    key = forms.RegexField(
        r"^[a-z0-9-]{1,60}$",
        label=gettext_lazy("标识"),
        help_text=gettext_lazy(
            "小写字母、数字和连字符。标识相同的检查表，本级的优先；换一个标识就是另一张检查表。"
        ),
    )
    edition = forms.CharField(
        label=gettext_lazy("版本名"),
        max_length=60,
        help_text=gettext_lazy("例如“2027 年”“第二次修订”，本级不重复。"),
    )
    in_force_from = DayField(label=gettext_lazy("生效日期"))
    in_force_to = DayField(
        label=gettext_lazy("失效日期"),
        required=False,
        help_text=gettext_lazy("当日仍有效；留空表示到下一版生效为止。"),
    )
    source = forms.CharField(
        label=gettext_lazy("来源"), max_length=500, help_text=gettext_lazy("文号、页码或网址，便于他人查对。")
    )
    confidence = forms.ChoiceField(
        label=gettext_lazy("可信程度"), choices=[(each.value, each.label) for each in Confidence]
    )
    body = forms.CharField(
        label=gettext_lazy("内容"),
        max_length=LIMIT_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "std-yaml"}),
        help_text=gettext_lazy("YAML 格式：一行一项，“名称: 值”。数字代码和时刻请加引号。"),
    )
    file = forms.FileField(label=gettext_lazy("上传文件"), required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, initial=1)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.parsed: dict[str, Any] = {}
        if KINDS[kind].key:
            del self.fields["key"]
        file = self.fields["file"]
        if kind == "calendar":
            file.help_text = _(
                "可选。.yaml 代替上面的内容；.xlsx 或 .csv（列：日期、类型、名称）换入表中年份的放假和上班日。"
            )
            file.widget.attrs["accept"] = ".yaml,.yml,.xlsx,.csv"
        else:
            file.help_text = _("可选。上传 .yaml 文件代替上面的内容。")
            file.widget.attrs["accept"] = ".yaml,.yml"

    @classmethod
    def initial_of(cls, row: Edition) -> dict[str, Any]:
        """Return what the form shows for an edition."""
        return {
            "title": row.title,
            "key": row.key,
            "edition": row.edition,
            "in_force_from": row.in_force_from,
            "in_force_to": row.in_force_to,
            "source": row.source,
            "confidence": row.confidence,
            "body": body_text(row),
            "revision": row.revision,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        place = "file" if cleaned.get("file") else "body"
        if "body" not in cleaned:
            return cleaned
        try:
            self.parsed = self._given(cleaned)
            kinds.read_body(self.kind, self.parsed)
        except RuleError as error:
            self.add_error(place, error.sentence(_))
        return cleaned

    def _given(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        file = cleaned.get("file")
        if not file:
            return read_yaml(cleaned["body"])
        # One byte more than allowed is enough to be refused; the rest need not be read.
        if self.kind == "calendar" and file.name.lower().endswith((".xlsx", ".csv")):
            body = kinds.read_body("calendar", read_yaml(cleaned["body"])).model_dump()
            data = file.read((FILE_MB << 20) + 1)
            return _with_days(body, day_sheet.read_days(file.name, data))
        given = read_yaml(file.read(LIMIT_BYTES + 1))
        # A pack file is a body with its head; the head is typed above.
        return given["body"] if isinstance(given.get("body"), dict) else given

    @property
    def head(self) -> Head:
        names = ("title", "edition", "in_force_from", "in_force_to", "source")
        return Head(
            **{name: self.cleaned_data[name] for name in names},
            key=self.cleaned_data.get("key", ""),
            confidence=Confidence(self.cleaned_data["confidence"]),
        )


def _with_days(body: dict[str, Any], days: day_sheet.Days) -> dict[str, Any]:
    """Put a sheet's days into a calendar in place of those of the same years, which count as announced."""
    kept = {
        name: {day: text for day, text in body[name].items() if day.year not in days.years}
        for name in ("off_days", "make_up_days")
    }
    return {
        **body,
        "announced_years": sorted({*body["announced_years"], *days.years}),
        "off_days": {**kept["off_days"], **days.off_days},
        "make_up_days": {**kept["make_up_days"], **days.make_up_days},
    }


def body_text(row: Edition) -> str:
    """Return an edition's body as YAML, without what is only a default."""
    body = kinds.read_bytes(row.kind, bytes(row.body))
    return write_yaml(body.model_dump(mode="json", exclude_none=True, exclude_defaults=True))
