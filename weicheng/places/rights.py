"""Who may change places and people: the power of the post, and the reach of its area."""

from typing import Any

from weicheng.journal.actions import SYSTEM
from weicheng.rules.errors import N_, ForbiddenError, RuleError


def require(by: Any, power: str) -> None:
    """Refuse an actor whose post lacks the power: ForbiddenError("no-power"). The system itself may."""
    if by is not SYSTEM and not getattr(by.powers, power):
        raise ForbiddenError("no-power", N_("您当前的岗位不能做这件事。请切换岗位，或请有权限的人员办理。"))


def require_reach(by: Any, code: str) -> None:
    """Refuse an area outside the actor's own: RuleError("foreign-area")."""
    if by is not SYSTEM and not by.covers(code):
        raise RuleError(
            "foreign-area", N_("代码为“{code}”的区划不在您的管辖范围内。请选择本辖区的区划。"), code=code[:40]
        )
