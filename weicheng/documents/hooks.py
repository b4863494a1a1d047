"""What documents give to the layers below: notices are begun from a case and from the list of cases."""

from django.utils.translation import gettext_lazy as _

from weicheng.cases import doors
from weicheng.cases.models import Case
from weicheng.places.actor import Actor
from weicheng.rules.cases import State


def connect() -> None:
    """Register with the layers below; called once when the app is ready."""
    doors.register_page(doors.PageDoor(_("起草文书"), "file-text", "notices_new", _may_order))
    doors.register_batch(
        doors.BatchDoor("notices", _("批量起草文书"), "notices_new", lambda actor: actor.powers.drafts)
    )


def _may_order(actor: Actor, case: Case) -> bool:
    """Is there somebody to write to, and something left to say?"""
    return actor.powers.drafts and case.responsible_id is not None and case.state != State.CANCELLED.value
