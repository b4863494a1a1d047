"""The actor: who reads or writes, in which post, with what reach. Scope is closed unless a post opens it."""

from dataclasses import dataclass, replace

from django.db.models import Model, Q

from weicheng.places.roles import NO_POWERS, Powers, Role
from weicheng.rules.areas import Level


@dataclass(frozen=True)
class Actor:
    """User + post + role + area or unit; or the holder of a link to one case.

    key: "user:7" or "link:3"; the person, whatever the post: nobody verifies their own work
    reach: pairs (column, code) of the own area and its predecessors; empty reaches nothing by place
    case_uid: set for a link holder, who reaches that one case and nothing else
    origin: network address, for the journal
    """

    key: str
    name: str
    user_id: int | None = None
    post_id: int | None = None
    post_label: str = ""
    role: Role | None = None
    powers: Powers = NO_POWERS
    area: str = ""
    area_name: str = ""
    unit_id: int | None = None
    case_uid: str = ""
    reach: tuple[tuple[str, str], ...] = ()
    origin: str = ""

    @property
    def reads_journal(self) -> bool:
        return self.powers.reads_journal

    @property
    def level(self) -> Level | None:
        """The level of the own area, None for a post at a unit."""
        return Level(len(self.area)) if self.area else None

    def reach_q(self, model: type[Model]) -> Q:
        """Return the condition "in my area" on a table with level columns: an equality, never a prefix match.

        A table may keep fewer columns than there are levels; a reach it has no column for reaches nothing.
        """
        columns = {field.name for field in model._meta.get_fields()}
        reached = Q(pk__in=[])
        for column, code in self.reach:
            if column in columns:
                reached = Q(**{column: code}) if reached == Q(pk__in=[]) else reached | Q(**{column: code})
        return reached

    def covers(self, code: str) -> bool:
        """Is this area code in my reach?"""
        return any(code.startswith(own) for _column, own in self.reach)

    def at(self, origin: str) -> "Actor":
        """Return the same actor, seen from this network address."""
        return replace(self, origin=origin[:64])
