"""Photos in a form of another app."""

from datetime import datetime
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from weicheng.evidence.actions import NOWHERE, Attached, Capture
from weicheng.evidence.pages import attach_uploaded
from weicheng.places.actor import Actor
from weicheng.rules.errors import RuleError
from weicheng.ui.forms import PhotoInput, PhotosField

# A phone offers HEIC only where the page would take it; asked for these three, it converts.
ACCEPT = "image/jpeg,image/png,image/webp"
PHOTOS_AT_ONCE = 9


class PhotosMixin(forms.Form):
    """A form with photos that are not lost when something else in it is wrong.

    Call `keep_photos` whether the form is valid or not: each good photo is attached at once to the uid of
    what the form is about, which may be still to come, and is there when the form is sent again without it.
    """

    photos = PhotosField(
        label=_("照片"), required=False, most=PHOTOS_AT_ONCE, widget=PhotoInput(attrs={"accept": ACCEPT})
    )

    def keep_photos(
        self,
        *,
        owner_kind: str,
        owner_uid: UUID,
        purpose: str,
        by: Actor,
        at: datetime,
        capture: Capture = NOWHERE,
    ) -> list[Attached]:
        """Attach the photos that came; what is refused stands as an error at the field, the rest is kept."""
        kept = []
        for file in self.cleaned_data.get("photos") or []:
            try:
                kept.append(
                    attach_uploaded(
                        file,
                        owner_kind=owner_kind,
                        owner_uid=owner_uid,
                        purpose=purpose,
                        by=by,
                        at=at,
                        capture=capture,
                    )
                )
            except RuleError as error:
                self.add_error("photos", error.sentence(gettext))
        return kept


class VoidForm(forms.Form):
    """Why an attachment is declared void."""

    reason = forms.CharField(
        label=_("作废原因"),
        max_length=200,
        error_messages={"required": _("作废照片要写明原因。请填写原因，例如“传错照片”。")},
    )
