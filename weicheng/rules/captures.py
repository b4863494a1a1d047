"""What a capture says about its own time, how long it may be withdrawn, and which day it may claim.

Source: design 5.6, the four times. A clock that disagrees is no proof of anything, so nothing is refused for
it: it is remarked, and people see it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.moments import require_aware

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Times:
    """The four times of a capture, each with its zone; None where the source gave none.

    device_at: the phone's clock when the finding was saved
    photo_at: when the photo says it was taken (EXIF; its zone, when it has none, is the caller's to add)
    gps_at: the satellites' time of the position
    received_at: the server's clock when it arrived

    RuleError("naive-moment")
    """

    device_at: datetime | None
    photo_at: datetime | None
    gps_at: datetime | None
    received_at: datetime

    def __post_init__(self) -> None:
        require_aware(self.device_at, self.photo_at, self.gps_at, self.received_at)


class RemarkCode(StrEnum):
    FUTURE_DEVICE_CLOCK = "future-device-clock"
    PHOTO_OLDER = "photo-older-than-finding"
    LATE_RECEIPT = "late-receipt"
    CLOCKS_DISAGREE = "clocks-disagree"


_MESSAGES = {
    RemarkCode.FUTURE_DEVICE_CLOCK: N_("手机时间比服务器收到的时间快 {minutes} 分钟，请校准手机时间。"),
    RemarkCode.PHOTO_OLDER: N_("照片比发现问题的时间早 {minutes} 分钟，请核对是否为当时所拍。"),
    RemarkCode.LATE_RECEIPT: N_("记录在发现 {minutes} 分钟后才收到，可能是离线后补传。"),
    RemarkCode.CLOCKS_DISAGREE: N_("手机、照片和卫星定位的时间最多相差 {minutes} 分钟，请核对手机时间。"),
}


@dataclass(frozen=True)
class Remark:
    """One thing worth knowing about a capture's times.

    message: Chinese sentence with {named} places; values: what fills them; minutes are whole and rounded down
    """

    code: RemarkCode
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """Return the sentence, translated first and filled in afterwards."""
        return translate(self.message).format(**self.values)


def judge_times(
    times: Times, *, tolerance: timedelta, late_after: timedelta | None = None
) -> tuple[Remark, ...]:
    """Return what is remarkable about the times, in the order of `RemarkCode`; nothing when all agree.

    tolerance: by how much two clocks may differ and still agree
    late_after: how long a record may be on its way; the tolerance when not given

    Clocks disagree when the satellites and the phone differ, or the photo lies after the phone's or the
    satellites' time: a photo may well be older than its finding, which is its own remark, but never younger.
    """
    on_its_way = tolerance if late_after is None else late_after
    fast = _between(times.received_at, times.device_at)
    late = _between(times.device_at, times.received_at)
    older = _between(times.photo_at, times.device_at)
    apart = max(
        abs(_between(times.gps_at, times.device_at)),
        _between(times.device_at, times.photo_at),
        _between(times.gps_at, times.photo_at),
    )
    checks = (
        (RemarkCode.FUTURE_DEVICE_CLOCK, fast, tolerance),
        (RemarkCode.PHOTO_OLDER, older, tolerance),
        (RemarkCode.LATE_RECEIPT, late, on_its_way),
        (RemarkCode.CLOCKS_DISAGREE, apart, tolerance),
    )
    return tuple(
        Remark(code, _MESSAGES[code], {"minutes": span // _MINUTE})
        for code, span, allowed in checks
        if span > allowed
    )


def _between(earlier: datetime | None, later: datetime | None) -> timedelta:
    """Return how long after `earlier` the `later` moment lies; nothing when one is not known."""
    return timedelta(0) if earlier is None or later is None else later - earlier


def may_withdraw(created_at: datetime, now: datetime, window: timedelta) -> bool:
    """May the finder still take it back? Until the window's last moment; never before it was created.

    A server clock that was set back must not open a window again, so a `now` before `created_at` says no.
    """
    require_aware(created_at, now)
    return created_at <= now <= created_at + window


def occurred_on_allowed(occurred_on: date, today: date) -> None:
    """Refuse a day that has not come: RuleError("occurred-in-future"). Today and any day before are allowed.

    today: the day in Shanghai, passed in
    """
    if occurred_on > today:
        raise RuleError(
            "occurred-in-future",
            N_("发生日期 {occurred_on} 晚于今天 {today}。请改为今天或之前的日期。"),
            occurred_on=occurred_on,
            today=today,
        )
