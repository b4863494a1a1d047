"""Which rounds of inspection the invented year has, and when. Values in, values out.

The calendar follows the source's year: a check of communities each month, one each quarter, an unannounced one each
quarter that nobody hears of before it is published, a patrol each week, the mock inspection of 23-26 May, a joint
one before the winter and one led by a leader.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from weicheng.rules.moments import ZONE

DAY = timedelta(days=1)
CHECKLIST = "community-environment"


@dataclass(frozen=True)
class PlannedRound:
    """One round. places: how many are looked at; recommended: codes of communities named beforehand, beside them

    inspectors: logins among whom those who go are drawn; share: of its places looked at by now, 0 to 1
    publish_at: None while it is not published
    """

    key: str
    kind: str
    title: str
    starts_on: date
    ends_on: date
    draw_at: datetime
    places: int
    inspectors: tuple[str, ...]
    theme: str = ""
    unit_kinds: tuple[str, ...] = ()
    recommended: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    leader: str = ""
    conclusion: str = ""
    opinion: str = ""
    publish_at: datetime | None = None
    share: float = 1.0

    @property
    def hidden(self) -> bool:
        return self.kind == "unannounced"

    @property
    def checklist(self) -> str:
        """The check list it follows; units are looked at without one."""
        return "" if self.unit_kinds else CHECKLIST


@dataclass(frozen=True)
class Drawn:
    """One place of a round as it was drawn. unit: key of the unit, "" for a community; by: login of who goes"""

    area: str
    name: str
    by: str
    unit: str = ""


class Calendar:
    """Lays the rounds of the days between two moments.

    eager: how much is looked at on a day, 1 for a plain working day; inspectors: logins, taken in turn
    most: places that all rounds together may look at
    """

    def __init__(
        self, *, rng: Random, begins_at: datetime, at: datetime, is_working_day: Callable[[date], bool],
        eager: Callable[[date], float], inspectors: Sequence[str], communities: Sequence[str], leader: str,
        most: int,
    ):  # fmt: skip
        self.rng, self.at, self.is_working_day, self.eager = rng, at, is_working_day, eager
        self.first = begins_at.date() + 4 * DAY
        self.last = at.date() if at.time() >= time(10) else at.date() - DAY
        self.inspectors, self.communities, self.leader = list(inspectors), list(communities), leader
        self.most, self.turn = most, 0
        self.rounds: list[PlannedRound] = []

    def lay(self) -> list[PlannedRound]:
        """Return the rounds in the order in which they begin."""
        present = self._working_back(self.last, 6)
        for year, month in months_between(self.first, self.last):
            label = f"{year}年{month}月"
            self._add("monthly", f"{label}社区环境卫生月评", date(year, month, 8), 9, 11, recommended=2)
            if month in (1, 4, 7, 10):
                quarter = f"{year}年第{'一二三四'[month // 3]}季度"
                self._add("quarterly", f"{quarter}检查", date(year, month, 16), 6, 8, recommended=2)
            if month in (3, 6, 9, 12) and date(year, month, 24) < present - 20 * DAY:
                self._add("unannounced", f"{label}暗访", date(year, month, 17), 5, 8, recommended=1)
            if month == 5:
                self._add(
                    "mock", f"{year}年国家卫生城市复审模拟检查", date(year, 5, 23), 3, 14, conclusion="partly",
                    opinion="总体基本达到国家卫生城市标准。背街小巷、农贸市场和城乡结合部是薄弱环节，请各街道对照清单整改。",
                )  # fmt: skip
            if month == 9:
                self._add("leader", f"{label}领导带队检查", date(year, 9, 25), 1, 3, leader=self.leader)
            if month == 10:
                self._add(
                    "joint", f"{year}年冬季食品和市场卫生联合检查", date(year, 10, 21), 2, 6,
                    unit_kinds=("market", "restaurant", "supermarket"),
                    departments=("区市场监督管理局", "区城市管理局", "区爱国卫生运动服务中心"),
                )  # fmt: skip
        monday = self.first + (7 - self.first.weekday()) % 7 * DAY
        while monday <= self.last:
            if sum(self.is_working_day(monday + n * DAY) for n in range(5)) > 2:
                self._add("weekly", f"{monday:%Y年%m月%d日}起一周巡查", monday, 4, 2)
            monday += 7 * DAY
        # The one that runs now: whoever carries it out sees it, nobody else does.
        self._add("unannounced", f"{present:%Y年%m月}暗访", present, 12, 7, recommended=1)
        return [self._within(one) for one in sorted(self.rounds, key=lambda one: (one.starts_on, one.key))]

    def _within(self, planned: PlannedRound) -> PlannedRound:
        """Return the round cut down to its share where all of them together look at more than there is time for."""
        asked = sum(one.places + len(one.recommended) for one in self.rounds)
        if asked <= self.most:
            return planned
        size = max(2, (planned.places + len(planned.recommended)) * self.most // asked)
        named = planned.recommended[: size - 1]
        return replace(planned, places=size - len(named), recommended=named)

    def _add(self, kind: str, title: str, starts_on: date, days: int, places: int, *, recommended: int = 0,
             **more: object) -> None:  # fmt: skip
        """Lay one round of so many calendar days after its first, unless it lies outside the story."""
        while not self.is_working_day(starts_on):
            starts_on += DAY
        ends_on = starts_on + days * DAY
        if starts_on < self.first or starts_on > self.last:
            return
        looked = [starts_on + n * DAY for n in range(min(days, (self.last - starts_on).days) + 1)]
        weights = [self.eager(day) for day in looked if self.is_working_day(day)]
        size = max(2, round(places * min(1.6, sum(weights) / len(weights))))
        publish_at: datetime | None = datetime.combine(self._working(ends_on + DAY), time(16, 30), ZONE)
        if publish_at is not None and publish_at >= self.at - timedelta(hours=2):
            publish_at = None
        team = 2 if size < 4 else 5
        self.rounds.append(
            PlannedRound(
                key=f"{kind}:{starts_on}", kind=kind, title=title, starts_on=starts_on, ends_on=ends_on,
                draw_at=datetime.combine(starts_on - DAY, time(16, 10), ZONE),
                places=size - min(recommended, size - 1), inspectors=self._team(team, runs=ends_on >= self.last),
                recommended=tuple(self.rng.sample(self.communities, min(recommended, size - 1))),
                publish_at=publish_at, share=1.0 if ends_on < self.last else 0.6, **more,  # type: ignore[arg-type]
            )
        )  # fmt: skip

    def _team(self, size: int, *, runs: bool) -> tuple[str, ...]:
        """Return the next inspectors in turn; the first of them all goes where there is something to do now."""
        size = min(size, len(self.inspectors))
        chosen = [self.inspectors[(self.turn + n) % len(self.inspectors)] for n in range(size)]
        self.turn += size
        if runs and self.inspectors[0] not in chosen:
            chosen[0] = self.inspectors[0]
        return tuple(chosen)

    def _working(self, day: date) -> date:
        while not self.is_working_day(day):
            day += DAY
        return day

    def _working_back(self, day: date, days: int) -> date:
        """Return the working day with so many calendar days, or a few more, before a day."""
        day -= days * DAY
        while not self.is_working_day(day):
            day -= DAY
        return day


def months_between(first: date, last: date) -> list[tuple[int, int]]:
    """Return (year, month) of every calendar month that has one of these days."""
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [(number // 12, number % 12 + 1) for number in range(start, end + 1)]
