"""Moments: the one zone in which days, hours and months are read, and the refusal of moments without one."""

from datetime import datetime
from zoneinfo import ZoneInfo

from weicheng.rules.errors import N_, RuleError

# One zone for the whole country since 1949; a moment stored in UTC is read here before its day is asked for.
ZONE = ZoneInfo("Asia/Shanghai")


def require_aware(*moments: datetime | None) -> None:
    """Refuse a moment without zone: RuleError("naive-moment"). None means "not known" and passes."""
    for moment in moments:
        if moment is not None and moment.utcoffset() is None:
            raise RuleError(
                "naive-moment",
                N_("时间 {moment} 没有写明时区，无法换算。请带上时区，例如 {moment}+08:00。"),
                moment=moment.isoformat(),
            )
