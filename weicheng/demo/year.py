"""What offices do with what was found, through the invented year: publish rounds, score, answer appeals, warn, report.

Each of these acts has its moment; the loader comes by whenever a slice of the year is over, and what is due is done
by the verbs that the pages call, in the order of the moments.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, UUID, uuid5

from weicheng.assessments import entries
from weicheng.assessments.actions import confirm_board, publish_board
from weicheng.assessments.appeals import Decision, Objection, decide_appeal, file_appeal, recorders
from weicheng.assessments.boards import make_board, objects_of
from weicheng.assessments.compute import compute_board, entry_fields
from weicheng.assessments.models import Appeal, Board, Loss
from weicheng.cases.models import Case, HotSpot
from weicheng.cases.repeats import guard
from weicheng.cases.split import Piece, split_case
from weicheng.demo import story
from weicheng.demo.course import BAD, GOOD, course_of_task, in_hours
from weicheng.demo.rounds import PlannedRound, months_between
from weicheng.demo.tracks import Starts, Track
from weicheng.documents.actions import draft_bulletin, issue, take
from weicheng.documents.models import Document
from weicheng.inspections.models import Visit, YellowCard
from weicheng.inspections.rounds import publish_round
from weicheng.inspections.yellow_cards import TO_AREA, CardIn, issue_card, lift_card, obstacles, write_plan
from weicheng.places.actor import Actor
from weicheng.rules.figures import Period
from weicheng.rules.issuing import Act
from weicheng.rules.moments import ZONE
from weicheng.rules.sheets import LineKind

if TYPE_CHECKING:
    from weicheng.demo.load import Loader

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUARTER_ENDS = (3, 6, 9, 12)
# How far back the month lies whose board was appealed against, and how it was answered.
_APPEALS = {4: Appeal.State.ACCEPTED, 2: Appeal.State.REJECTED}


class Agenda:
    """Everything offices do in the year of one loader, each with its moment."""

    def __init__(self, loader: "Loader"):
        self.loader, self.story, self.at = loader, loader.story, loader.at
        self.officer, self.second = loader.actors["demo-qu"], loader.actors["demo-qu2"]
        self.leader = loader.actors["demo-lingdao"]
        self.due: list[tuple[datetime, int, Callable[[datetime], Any]]] = []
        self.counts: set[datetime] = set()
        self.planned = 0
        self._plan()

    def moments(self) -> Iterable[datetime]:
        """Return the moments that everything before them must have reached, for something is counted then."""
        return self.counts

    def keep(self, until: datetime) -> None:
        """Do what is due, in the order of the moments; what it brings about may be due at once."""
        while ready := sorted(one for one in self.due if one[0] <= until and one[0] < self.at):
            for one in ready:
                self.due.remove(one)
                one[2](one[0])

    # --- when ---

    def _at(self, moment: datetime, act: Callable[[datetime], Any], *, counts: bool = False) -> None:
        self.planned += 1
        self.due.append((moment, self.planned, act))
        if counts:
            self.counts.add(moment)

    def _plan(self) -> None:
        for planned in self.story.rounds:
            if planned.publish_at is not None:
                self._at(planned.publish_at, self._publish(planned), counts=planned.hidden)
        months = [Period.month(f"{year}-{month:02}") for year, month in
                  months_between(self.story.begins_at.date(), self.at.astimezone(ZONE).date())]  # fmt: skip
        if len(months) > 2 and months[0].start < self.story.begins_at.date():
            months = months[1:]  # only its last days are told of
        for back, month in enumerate(reversed(months)):
            self._month(month, _APPEALS.get(back))
        self._quarter(months)
        for number, card in enumerate(self.story.cards):
            self._at(card.issued_at, self._warn(card, number))
            if card.lifted_at is not None:
                self._at(card.lifted_at, self._lift(card, number), counts=True)
        for plan in self.story.findings:
            if plan.split:
                self._at(
                    in_hours(self._rng("split"), plan.received_at + 2 * HOUR), self._split(plan), counts=True
                )
        self._at(self.at - 20 * HOUR, self._guard)

    def _month(self, month: Period, answer: Appeal.State | None) -> None:
        """The board of a month is shown in the first days of the next one, and the bulletin follows it."""
        if month.end >= self.at.astimezone(ZONE).date():
            self._at(self.at - 5 * HOUR, self._score(month), counts=True)
            self._at(self.at - 3 * HOUR, self._draft(month))
            return
        scored_at = self._office_day(month.end + 2 * DAY, 9, 20)
        self._at(scored_at, self._score(month, confirm=True, answer=answer), counts=True)

    def _quarter(self, months: list[Period]) -> None:
        """The communities of the last whole quarter are shown in public now, so that one can be appealed against."""
        whole = [
            month
            for month in months
            if month.start.month in QUARTER_ENDS and month.end < self.at.date() - 3 * DAY
        ]
        if len(months) < 4 or not whole:
            return
        end = whole[-1]
        quarter = Period.quarter(end.start.year, end.start.month // 3)
        shown_at = self._office_day(self.at.astimezone(ZONE).date() - 2 * DAY, 15, 10, back=True)
        self._at(shown_at, self._score_communities(quarter), counts=True)

    def _office_day(self, day: date, hour: int, minute: int, *, back: bool = False) -> datetime:
        """Return a moment of the day, or of the next working day, or of the last one before."""
        while not self.loader.cast.terms.is_working_day(day):
            day += -DAY if back else DAY
        return datetime.combine(day, time(hour, minute), ZONE)

    def _rng(self, topic: str) -> Random:
        return Random(f"{self.loader.seed}:{self.loader.area}:{topic}")  # noqa: S311 - a story, not a secret

    def _uid(self, topic: str) -> UUID:
        return uuid5(NAMESPACE_OID, f"{self.loader.seed}:{self.loader.area}:{topic}")

    # --- rounds and cards ---

    def _publish(self, planned: PlannedRound) -> Callable[[datetime], None]:
        def publish(at: datetime) -> None:
            made = self.loader.rounds[planned.key]
            publish_round(
                made, conclusion=planned.conclusion, opinion=planned.opinion, by=self.officer, at=at
            )
            if planned.hidden:
                plans = [plan for plan in self.story.findings if plan.round == planned.key]
                cases = {case.uid: case for case in Case.objects.filter(uid__in=[plan.uid for plan in plans])}
                self.loader.follow([(plan, cases[plan.uid]) for plan in plans])

        return publish

    def _warn(self, card: story.PlannedCard, number: int) -> Callable[[datetime], None]:
        def warn(at: datetime) -> None:
            visit = Visit.objects.get(uid=card.visit)
            given = issue_card(
                visit,
                CardIn(
                    uid=self._uid(f"card:{number}"), to=TO_AREA, findings=card.findings,
                    reason="暗访发现多处卫生死角和设施破损，日常保洁不到位。",
                    duty_from=at.date() + DAY, duty_to=at.date() + 7 * DAY,
                ),
                by=self.officer, at=at,
            )  # fmt: skip
            street = self.loader.actors[self.story.street_desk[visit.street]]
            plan = "一、当日组织清理暗访所列点位；二、街道干部每日到点值守；三、物业和保洁签订责任书，每周自查并报结果。"
            write_plan(given, plan=plan, by=street, at=at + 5 * HOUR)

        return warn

    def _lift(self, card: story.PlannedCard, number: int) -> Callable[[datetime], None]:
        def lift(at: datetime) -> None:
            given = YellowCard.objects.get(uid=self._uid(f"card:{number}"))
            assert card.recheck is not None
            recheck = Visit.objects.get(uid=card.recheck)
            # A case that was opened anew keeps the card where it is, in the story as in life.
            if not obstacles(given, recheck, self.second):
                lift_card(given, recheck, by=self.second, at=at)

        return lift

    def _split(self, plan: story.PlannedFinding) -> Callable[[datetime], None]:
        def split(at: datetime) -> None:
            desk = self.loader.actors[self.story.street_desk[plan.area[:9]]]
            tasks = ("清理现场，恢复整洁", "落实日常管理，防止反弹")
            pieces = [
                Piece(self.loader.units[key].uid, task) for key, task in zip(plan.units, tasks, strict=True)
            ]
            whole = split_case(
                case_uid=plan.uid, pieces=pieces, by=desk, at=at, note="涉及两家单位，分别办理。"
            )
            tracks: list[Track] = []
            for part, unit in zip(whole.parts.order_by("pk"), plan.units, strict=True):
                mine = replace(
                    plan, uid=part.uid, units=(unit, unit), charged=True, received_at=at, photographed=False,
                    seed=f"{plan.seed}:{unit}0",
                )  # fmt: skip
                course = course_of_task(
                    Random(mine.seed), opened_at=at, now=self.at, start=Starts(part), done=not tracks,  # noqa: S311
                )  # fmt: skip
                tracks.append(Track(mine, course, [], pk=part.pk))
            self.loader.take_along(tracks)

        return split

    def _guard(self, at: datetime) -> None:
        """Somebody answers for the places where problems come back most, but not yet for all of them."""
        for spot in HotSpot.objects.filter(listed=True).order_by("-times", "pk")[:3]:
            street = self.loader.actors[self.story.street_desk[spot.area[:9]]]
            guard(
                spot=spot,
                measure="每日早晚各巡一次，发现即清",
                owner=f"{street.name}（街道）",
                base=None,
                by=street,
                at=at,
            )

    # --- scores ---

    def _score(
        self, month: Period, *, confirm: bool = False, answer: Appeal.State | None = None
    ) -> Callable[[datetime], None]:
        def score(at: datetime) -> None:
            board = self._computed(Board.Level.STREET, month, f"{month.start:%Y-%m}", at)
            if not confirm:
                return
            board = confirm_board(board, base=None, by=self.officer, at=at + 2 * HOUR)
            if answer is not None:
                self._appeal(board, answer, at + 6 * HOUR)
            assert board.appeal_until is not None
            shown_until = self._office_day(board.appeal_until + DAY, 9, 40)
            self._at(shown_until, self._release(board))
            self._at(shown_until + HOUR, self._draft(month))

        return score

    def _release(self, board: Board) -> Callable[[datetime], None]:
        def release(at: datetime) -> None:
            publish_board(board, by=self.officer, at=at)

        return release

    def _computed(self, level: Board.Level, period: Period, text: str, at: datetime) -> Board:
        """Make a board, type what no record has, and compute it."""
        board = make_board(
            area=self.loader.area, level=level, period=period, period_text=text, by=self.officer, at=at - HOUR,
            uid=self._uid(f"board:{level}:{text}"),
        )  # fmt: skip
        rng = self._rng(f"entries:{level}:{text}")
        objects = objects_of(board)
        for one in entry_fields(board):
            if one.key == "measure:visits" and period.end.month not in QUARTER_ENDS:
                continue  # household visits are counted by the quarter
            values = [entries.Value(each.code, self._typed(rng, one, each.code)) for each in objects]
            entries.enter_values(board, one, values, by=self.second, at=at - HOUR / 2)
        return compute_board(board, at=at, by=self.officer)

    def _typed(self, rng: Random, one: entries.EntryField, code: str) -> Decimal:
        habit = self.story.habits[code[:9]]
        low, high = (70, 84) if habit is BAD else (93, 99) if habit is GOOD else (82, 96)
        if one.key.startswith("source:"):
            return Decimal(rng.randint(low * 2, high * 2)) / 2
        return Decimal(rng.randint(low * 3, high * 4))

    def _appeal(self, board: Board, answer: Appeal.State, at: datetime) -> None:
        """A sub-district that lost points objects to one line; another office than the finder's answers."""
        worst = sorted(self.story.habits, key=lambda code: (self.story.habits[code] is not BAD, code))
        for code in worst:
            if loss := self._line(board, code, self.officer):
                by = self.loader.actors[self.story.street_desk[code]]
                appeal = self._objection(loss, by, at)
                said = (
                    "经核对现场照片和位置，该处属相邻街道管辖，予以采纳，扣分撤销。"
                    if answer is Appeal.State.ACCEPTED
                    else "照片和复查记录显示问题存在，扣分有据，不予采纳。"
                )
                answered_at = self._office_day(at.astimezone(ZONE).date() + DAY, 10, 30)
                decide_appeal(Decision(answer, said), appeal=appeal, by=self.officer, at=answered_at)
                return

    def _line(self, board: Board, code: str, decides: Actor) -> Loss | None:
        """Return the line of a sheet that costs most, among those whose finder does not also decide."""
        lines = Loss.objects.filter(
            sheet__board=board,
            sheet__code=code,
            kind=LineKind.DEDUCTION.value,
            lost__gt=0,
            record_kind="finding",
        )
        for loss in lines.select_related("sheet").order_by("-effect", "number")[:20]:
            if decides.key not in recorders(loss, board):
                return loss
        return None

    def _objection(self, loss: Loss, by: Actor, at: datetime) -> Appeal:
        reason = "该点位不在我辖区范围内，相邻路段已有界牌，请对照位置核实。"
        sent = Objection(self._uid(f"appeal:{loss.sheet.uid}"), loss.number, reason)
        return file_appeal(sent, sheet=loss.sheet, by=by, at=at)[0]

    def _score_communities(self, quarter: Period) -> Callable[[datetime], None]:
        def score(at: datetime) -> None:
            text = f"{quarter.start.year}-Q{quarter.end.month // 3}"
            board = self._computed(Board.Level.COMMUNITY, quarter, text, at)
            board = confirm_board(board, base=None, by=self.officer, at=at + HOUR)
            for one in self.loader.cast.people:
                if one.login.startswith("demo-shequ") and (loss := self._line(board, one.area, self.officer)):
                    self._at(at + 2 * HOUR, self._object(loss, self.loader.actors[one.login]))
                    return

        return score

    def _object(self, loss: Loss, by: Actor) -> Callable[[datetime], None]:
        def object_to(at: datetime) -> None:
            self._objection(loss, by, at)

        return object_to

    # --- bulletins ---

    def _draft(self, month: Period) -> Callable[[datetime], None]:
        def draft(at: datetime) -> None:
            made = draft_bulletin(
                period=month, by=self.officer, at=at, uid=self._uid(f"bulletin:{month.start}")
            )
            checked_at = at + HOUR
            made = take(document=made, act=Act.CHECK, by=self.second, at=checked_at)
            if month.end < self.at.astimezone(ZONE).date():
                signed_at = self._office_day(at.astimezone(ZONE).date() + DAY, 10, 10)
                self._at(signed_at, self._issue(made))

        return draft

    def _issue(self, document: Document) -> Callable[[datetime], None]:
        def sign(at: datetime) -> None:
            issue(document=document, by=self.leader, at=at)

        return sign
