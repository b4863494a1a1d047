"""Roles (角色): what a post may do. A table to read aloud; three administrators are kept apart (三员分立)."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from weicheng.rules.areas import Level
from weicheng.rules.cases import Part


class Role(StrEnum):
    CITY_OFFICER = "city_officer"
    DISTRICT_OFFICER = "district_officer"
    STREET = "street"
    COMMUNITY = "community"
    INSPECTOR = "inspector"
    LIAISON = "liaison"
    TECHNICIAN = "technician"
    LEADER = "leader"
    EXPERT = "expert"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


LABELS = {
    Role.CITY_OFFICER: _("市创卫办"),
    Role.DISTRICT_OFFICER: _("区创卫办"),
    Role.STREET: _("街道"),
    Role.COMMUNITY: _("社区"),
    Role.INSPECTOR: _("督查员"),
    Role.LIAISON: _("单位联络员"),
    Role.TECHNICIAN: _("病媒防制技术员"),
    Role.LEADER: _("领导"),
    Role.EXPERT: _("评估专家"),
    Role.SYSTEM_ADMIN: _("系统管理员"),
    Role.SECURITY_ADMIN: _("安全管理员"),
    Role.AUDIT_ADMIN: _("审计管理员"),
}

LEVEL_NAMES = {
    Level.PROVINCE: _("省"),
    Level.CITY: _("市"),
    Level.DISTRICT: _("区县"),
    Level.STREET: _("街道"),
    Level.COMMUNITY: _("社区"),
    Level.GRID: _("网格"),
}


@dataclass(frozen=True)
class Powers:
    """What a role may do.

    levels: levels of the area its post may be at; empty for a post at a unit
    parts: parts in the loop of every case of the own area or unit
    """

    levels: frozenset[Level] = frozenset()
    parts: frozenset[Part] = frozenset()
    at_unit: bool = False
    sees_cases: bool = True  # cases, findings, their files
    records: bool = False  # findings and visits
    keeps_units: bool = False  # creates and edits units of its area
    keeps_posts: bool = False  # creates users and posts: the security administrator
    keeps_areas: bool = False  # opens, closes, merges areas: the system administrator
    keeps_standards: bool = False  # publishes editions owned by its area
    reads_journal: bool = False  # the audit administrator, and nobody else
    reads_personal: bool = False  # may unmask contacts; each reading is journalled
    assesses: bool = False  # computes, confirms and publishes assessments of its area, decides appeals
    drafts: bool = False  # writes bulletins and notices of its area
    signs: bool = False  # checks, issues and withdraws documents of its area; never what it wrote itself


_CITY_DISTRICT = frozenset({Level.CITY, Level.DISTRICT})
_ADMIN = _CITY_DISTRICT
_P = Part

POWERS: dict[Role, Powers] = {
    Role.CITY_OFFICER: Powers(
        levels=frozenset({Level.CITY}),
        parts=frozenset({_P.DISPATCHER, _P.VERIFIER, _P.SUPERVISOR}),
        records=True,
        keeps_units=True,
        keeps_standards=True,
        reads_personal=True,
        assesses=True,
        drafts=True,
        signs=True,
    ),
    Role.DISTRICT_OFFICER: Powers(
        levels=frozenset({Level.DISTRICT}),
        parts=frozenset({_P.DISPATCHER, _P.VERIFIER, _P.SUPERVISOR}),
        records=True,
        keeps_units=True,
        keeps_standards=True,
        reads_personal=True,
        assesses=True,
        drafts=True,
        signs=True,
    ),
    Role.STREET: Powers(
        levels=frozenset({Level.STREET}),
        parts=frozenset({_P.DISPATCHER, _P.VERIFIER, _P.SUPERVISOR}),
        records=True,
        keeps_units=True,
        reads_personal=True,
        assesses=True,
        drafts=True,
        signs=True,
    ),
    Role.COMMUNITY: Powers(
        levels=frozenset({Level.COMMUNITY}),
        parts=frozenset({_P.DISPATCHER, _P.VERIFIER}),
        records=True,
        keeps_units=True,
        reads_personal=True,
        drafts=True,
        signs=True,
    ),
    Role.INSPECTOR: Powers(
        levels=frozenset({Level.CITY, Level.DISTRICT, Level.STREET}),
        parts=frozenset({_P.VERIFIER}),
        records=True,
    ),
    Role.LIAISON: Powers(at_unit=True, parts=frozenset({_P.HANDLER})),
    Role.TECHNICIAN: Powers(levels=frozenset({Level.CITY, Level.DISTRICT, Level.STREET}), records=True),
    Role.LEADER: Powers(levels=frozenset({Level.CITY, Level.DISTRICT, Level.STREET}), signs=True),
    Role.EXPERT: Powers(levels=_CITY_DISTRICT),
    Role.SYSTEM_ADMIN: Powers(levels=_ADMIN, sees_cases=False, keeps_areas=True),
    Role.SECURITY_ADMIN: Powers(levels=_ADMIN, sees_cases=False, keeps_posts=True),
    Role.AUDIT_ADMIN: Powers(levels=_ADMIN, sees_cases=False, reads_journal=True),
}

ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})

NO_POWERS = Powers(sees_cases=False)
LINK_POWERS = Powers(at_unit=True, parts=frozenset({_P.HANDLER}))
