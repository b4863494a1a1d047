"""Load the demo: an invented year in a real district, written by the real verbs, in time order.

The story (`story`, `course`) says who did what when; here it is done again, through the same verbs that pages
and phones call, many at a time. All of it is one transaction: a load that is killed leaves nothing behind.
"""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext

from weicheng.cases import clock, outbox, repeats
from weicheng.cases.actions import Step, make_event, take_steps
from weicheng.cases.models import Case, Event, Link
from weicheng.demo import charges, photos, pictures, story, words, year
from weicheng.demo.accounts import password
from weicheng.demo.course import Planned, course_of, course_of_task
from weicheng.demo.rounds import CHECKLIST, Drawn, PlannedRound
from weicheng.demo.tracks import Starts, Track
from weicheng.evidence.actions import Capture as PhotoCapture
from weicheng.evidence.models import Attachment
from weicheng.inspections.actions import Beginning, Capture, record_findings, record_visits
from weicheng.inspections.answers import Sheet, numbers_of, record_sheets
from weicheng.inspections.drafts import AnswerIn, FindingIn, PointIn, VisitIn
from weicheng.inspections.draws import AREA_PREFIX, DrawIn, draw_round
from weicheng.inspections.models import Finding, Round, RoundPlace, Visit
from weicheng.inspections.rounds import RoundIn, Source, Start, begin_visits, plan_round
from weicheng.journal import site
from weicheng.journal.actions import SYSTEM, Note, Who, record_all
from weicheng.journal.models import Site
from weicheng.journal.rows import insert_all
from weicheng.notices.actions import mark_all_read
from weicheng.notices.effects import once_each
from weicheng.notices.models import Notice
from weicheng.places import unit_versions
from weicheng.places.actions import Point, UnitFields, init_areas
from weicheng.places.actor import Actor
from weicheng.places.actors import actor_of
from weicheng.places.models import Area, Post, Unit, UnitService, User
from weicheng.places.roles import LINK_POWERS
from weicheng.places.unit_verbs import fill
from weicheng.rules.areas import parent
from weicheng.rules.cases import Move, State, clock_moves, clock_plan
from weicheng.rules.errors import N_, RuleError
from weicheng.rules.moments import ZONE
from weicheng.standards import editions
from weicheng.standards.actions import load_base
from weicheng.standards.models import Edition

SEED = 20261122
NOTICES_FOR = timedelta(days=14)  # older steps are told to nobody: a full tray teaches nothing
AT_ONCE = 150  # findings recorded together
READ_BEFORE = timedelta(days=2)
REUSED_SHARE = 0.008  # after-photos that are somebody's earlier photo again

Progress = Callable[[str], Any]
_Sent = tuple[datetime, story.PlannedVisit]  # a check list, and when it was sent


@dataclass(frozen=True)
class Summary:
    """What a demo holds. states: number of cases by state; overdue: open, not handed in and past the deadline"""

    people: int
    units: int
    visits: int
    findings: int
    photos: int
    notices: int
    states: dict[str, int]
    overdue: int
    seconds: float = field(default=0.0, compare=False)

    @property
    def cases(self) -> int:
        return sum(self.states.values())


def load_demo(
    *, area: str = "320311", seed: int = SEED, at: datetime, months: int = 12, progress: Progress = print
) -> Summary:
    """Fill an empty installation with an invented year in a district; return what it then holds.

    area: code of a district, six digits; at: the moment the story ends, aware; the same seed, area and moment
    give the same demo. Where the demo stands already, nothing happens.
    RuleError: "demo-area", "demo-not-empty", and "unknown-area" for a district that is not in the data.
    """
    begun = time.monotonic()
    if site.site().demo:
        return summary(at)
    if len(area) != 6:
        raise RuleError(
            "demo-area",
            N_("演示数据按区县建立，“{area}”不是区县代码。请改用 6 位代码，例如 320311。"),
            area=area[:20],
        )
    if Case.objects.exists() or Unit.objects.exists():
        raise RuleError(
            "demo-not-empty",
            N_("系统中已有单位或事项，不能再载入演示数据。请换一个空的数据目录（WEICHENG_DATA）。"),
        )
    # A hundred thousand rows pass through and none of them makes a circle: the collector would search in vain.
    gc.disable()
    try:
        with transaction.atomic():
            Loader(area, seed, at.replace(microsecond=0), months, progress).load()
            photos.settle()
    finally:
        gc.enable()
    site.learn(None)
    result = summary(at, seconds=time.monotonic() - begun)
    progress(f"共 {result.findings} 个问题、{result.visits} 次检查、{result.photos} 张照片。")
    return result


def summary(at: datetime, *, seconds: float = 0.0) -> Summary:
    """Count what is there now; the parts of a split case are not counted beside it."""
    cases = Case.objects.filter(parent__isnull=True)
    states = Counter(cases.values_list("state", flat=True))
    late = cases.filter(open=True, due_at__lt=at).exclude(state=State.HANDED_IN.value)
    return Summary(
        people=User.objects.count(),
        units=Unit.objects.count(),
        visits=Visit.objects.count(),
        findings=Finding.objects.count(),
        photos=Attachment.objects.count(),
        notices=Notice.objects.count(),
        states={state.value: states[state.value] for state in State if states[state.value]},
        overdue=late.count(),
        seconds=seconds,
    )


class Loader:
    def __init__(self, area: str, seed: int, at: datetime, months: int, progress: Progress):
        self.area, self.seed, self.at, self.months, self.say = area, seed, at, months, progress
        self.actors: dict[str, Actor] = {}
        self.units: dict[str, Unit] = {}
        self.unit_keys: dict[UUID, str] = {}
        self.liaisons: dict[str, Actor] = {}
        self.tracks: list[Track] = []
        self.shots_before: list[tuple[bytes, Any]] = []
        self.rounds: dict[str, Round] = {}
        self.places: dict[tuple[str, int], RoundPlace] = {}
        self.lines: dict[UUID, dict[str, story.PlannedFinding]] = {}  # by visit and line: what failed
        self.pictures = Random(f"{seed}:{area}:pictures")  # noqa: S311 - a story, not a secret

    def load(self) -> None:
        if not Edition.objects.exists():
            load_base(at=self.at)
        if not Area.objects.filter(pk=self.area).exists():
            init_areas(self.area, at=self.at)
        Site.objects.filter(pk=site.site().pk).update(demo=True)
        self.cast = story.begin(
            self._district(), seed=self.seed, at=self.at, months=self.months, terms=self._terms()
        )
        self._make_units()
        self._make_people()
        self.say(f"{len(self.cast.people)} 名人员、{len(self.units)} 个单位已建立。")
        charges.put_in_charge(self)
        self.story = self.cast.tell(self._draw)
        self.say(f"{len(self.rounds)} 次检查任务已抽取。")
        for finding in (*self.story.findings, *self.story.sealed):
            if finding.visit is not None and finding.item:
                self.lines.setdefault(finding.visit, {})[finding.item] = finding
        self._make_visits()
        self.say(f"{len(self.story.visits)} 次检查已登记。")
        self._live()

    # --- the ground ---

    def _district(self) -> story.District:
        rows = (
            Area.objects.filter(pk__startswith=self.area)
            .open_on(self.at.astimezone(ZONE).date())
            .order_by("code")
        )
        places = [story.Place(code, name) for code, name in rows.values_list("code", "name")]
        streets = tuple(place for place in places if len(place.code) == 9)
        if not streets:
            raise RuleError(
                "demo-area", N_("{area}没有下辖街道，不能建立演示数据。请改用其他区县。"), area=self.area
            )
        below: dict[str, list[story.Place]] = {}
        for place in places:
            if len(place.code) == 12:
                below.setdefault(place.code[:9], []).append(place)
        name = next(place.name for place in places if place.code == self.area)
        return story.District(self.area, name, streets, {code: tuple(found) for code, found in below.items()})

    def _terms(self) -> story.Terms:
        today = self.at.astimezone(ZONE).date()

        def categories(day: date) -> Iterable[str]:
            return editions.categories(self.area, day).body.by_code

        def is_working_day(day: date) -> bool:
            return editions.calendar(self.area, day).calendar.is_working_day(day)

        items = editions.checklist(CHECKLIST, self.area, today).body.items
        return story.Terms(
            categories=categories,  # type: ignore[arg-type]
            is_working_day=is_working_day,
            items=tuple((item.number, item.category) for item in items if item.category),
            severities=editions.severities(self.area, today).body.by_code,
        )

    def _make_units(self) -> None:
        """As `create_unit` does for one, with the same rows, for some hundreds."""
        at, made = self.cast.begins_at, []
        for plan in self.cast.units.values():
            unit = Unit(uid=plan.uid, opened_on=at.date())
            fields = UnitFields(
                name=plan.name, kind=plan.kind, area=plan.area, address=plan.address, particulars=plan.particulars,
                point=Point(plan.lon, plan.lat, accuracy_m=10), contact={"name": plan.contact, "phone": plan.phone},
            )  # fmt: skip
            fill(unit, fields, by=SYSTEM, at=at)
            self.units[plan.key] = unit
            self.unit_keys[unit.uid] = plan.key
            made.append(unit)
        Unit.objects.bulk_create(made, batch_size=200)
        UnitService.objects.bulk_create(
            [UnitService(unit=self.units[plan.key], area=plan.serves)
             for plan in self.cast.units.values() if plan.serves]
        )  # fmt: skip
        unit_versions.keep(made, verb="create", by=SYSTEM, at=at)
        notes: list[tuple[Note, Who]] = [
            (Note("unit.create", "unit", str(unit.uid), unit.area), SYSTEM) for unit in made
        ]
        record_all(notes, at=at)

    def _make_people(self) -> None:
        """As `create_user` and `give_post` do for one; the password is hashed once, it guards nothing here."""
        at, hashed = self.cast.begins_at, make_password(password())
        users = [
            User(login=one.login, name=one.name, password=hashed, must_change_password=False, created_at=at,
                 created_in=self.area)
            for one in self.cast.people
        ]  # fmt: skip
        User.objects.bulk_create(users)
        posts = []
        for one, user in zip(self.cast.people, users, strict=True):
            unit = self.units[one.unit] if one.unit else None
            post = Post(user=user, role=one.role.value, unit=unit, from_on=at.date())
            posts.append(post.place_at(unit.area if unit else one.area))
        Post.objects.bulk_create(posts)
        site.raise_generation()
        notes: list[tuple[Note, Who]] = []
        for one, post in zip(self.cast.people, posts, strict=True):
            self.actors[one.login] = actor_of(post)
            if one.unit:
                self.liaisons[one.unit] = self.actors[one.login]
            notes.append((Note("user.create", "user", str(post.user_id), post.area), SYSTEM))
            detail = {"user": post.user_id, "role": one.role.value}
            notes.append((Note("post.give", "post", str(post.pk), post.area, detail), SYSTEM))
        record_all(notes, at=at)

    # --- rounds and visits ---

    def _draw(self, plan: PlannedRound) -> list[Drawn]:
        """Plan and draw a round as its office does; the seed follows from the demo's, so that it is drawn alike."""
        officer, uid = self.actors["demo-qu"], uuid5(NAMESPACE_OID, f"{self.seed}:{self.area}:{plan.key}")
        draft = RoundIn(
            uid=uid, kind=plan.kind, title=plan.title, starts_on=plan.starts_on, ends_on=plan.ends_on,
            theme=plan.theme, checklists=(plan.checklist,) if plan.checklist else (), hidden=plan.hidden,
            source=Source.UNITS if plan.unit_kinds else Source.COMMUNITIES, unit_kinds=plan.unit_kinds,
            departments=plan.departments, leader=plan.leader,
        )  # fmt: skip
        made = plan_round(draft, by=officer, at=plan.draw_at - timedelta(hours=5))
        ask = DrawIn(
            total=plan.places, recommended=tuple(f"{AREA_PREFIX}{code}" for code in plan.recommended),
            inspectors=tuple(self.actors[login].key for login in plan.inspectors), apart="", by="street",
        )  # fmt: skip
        seed = sha256(f"{self.seed}:{self.area}:{plan.key}:draw".encode()).hexdigest()
        draw_round(made, ask, version=made.version, by=officer, at=plan.draw_at, seed=seed)
        made.refresh_from_db()
        self.rounds[plan.key] = made
        logins = {self.actors[login].key: login for login in plan.inspectors}
        drawn: list[Drawn] = []
        for place in made.places.select_related("unit").order_by("pk"):
            self.places[plan.key, len(drawn)] = place
            unit = self.unit_keys[place.unit.uid] if place.unit else ""
            drawn.append(Drawn(place.area, place.name, logins[place.inspector_key], unit))
        return drawn

    def _make_visits(self) -> None:
        ended, notes = [], []
        last: dict[UUID, datetime] = {}
        for finding in (*self.story.findings, *self.story.sealed):
            if finding.visit:
                last[finding.visit] = max(finding.device_at, last.get(finding.visit, finding.device_at))
        visits = self._begin(self.story.visits)
        for plan in self.story.visits:
            visit = visits[plan.uid]
            visit.ended_at = max(last.get(plan.uid, plan.started_at), plan.started_at) + timedelta(minutes=6)
            if visit.ended_at < self.at:
                ended.append(visit)
                note = Note("visit.end", "visit", str(visit.uid), visit.area, {}, visit.ended_at)
                notes.append((note, self.actors[plan.by]))
        # As `end_visit` does for one.
        Visit.objects.bulk_update(ended, ["ended_at"], batch_size=200)
        record_all(notes, at=self.at)

    def _begin(self, plans: Iterable[story.PlannedVisit]) -> dict[UUID, Visit]:
        """Begin the visits, some at a time, so that they stand in time order."""
        begun: list[Visit] = []
        for at_once in _some(plans, AT_ONCE):
            starts = [
                Start(self.places[plan.round, plan.position], plan.uid, CHECKLIST if plan.checklist else "",
                      self.actors[plan.by], plan.started_at)
                for plan in at_once if plan.round
            ]  # fmt: skip
            begun += begin_visits(starts)
            free = [self._beginning(plan) for plan in at_once if not plan.round]
            begun += [visit for visit, _new in record_visits(free)] if free else []
        return {visit.uid: visit for visit in begun}

    def _beginning(self, plan: story.PlannedVisit) -> Beginning:
        draft = VisitIn(
            uid=plan.uid, area=plan.area, kind=plan.kind, unit=self.units[plan.unit].uid if plan.unit else None,
            place=plan.place, checklist=CHECKLIST if plan.checklist else "", note=plan.note,
            started_at=plan.started_at, visited_on=plan.started_at.date(),
        )  # fmt: skip
        return Beginning(draft, self.actors[plan.by], plan.started_at)

    # --- the year ---

    def _live(self) -> None:
        """Go through the year slice by slice, so that numbers, histories and the journal grow in time order."""
        # What failed in a hidden round waits for its publishing; what two units share goes its own way.
        waiting = [one for one in self.story.findings if not one.round]
        sheets: Sequence[_Sent] = sorted(
            ((one.sent_at, one) for one in self.story.visits if one.sent_at is not None),
            key=lambda sheet: sheet[0],
        )
        agenda = year.Agenda(self)
        told_from = self.at - NOTICES_FOR
        told = read = False
        for until in self._slices(agenda.moments()):
            if not told and until > told_from:
                Event.objects.filter(delivered=False).update(delivered=True)
                Notice.objects.filter(at__lt=told_from).delete()
                told = True
            count = next((n for n, one in enumerate(waiting) if one.received_at > until), len(waiting))
            for part in _parts(waiting[:count]):
                sheets = self._record(part, sheets, part[-1].received_at)
            sheets = self._record([], sheets, until)  # where nothing failed and nothing was found since
            waiting = waiting[count:]
            self._step(until)
            if until in agenda.counts:
                repeats.link(until)
            agenda.keep(until)
            self.tracks = [one for one in self.tracks if one.next_at() or one.fire_at()]
            if told:
                outbox.deliver(min(until, self.at))
                if not read and until >= self.at - READ_BEFORE:
                    self._read(until)
                    read = True
            self.say(f"{until.astimezone(ZONE):%Y-%m-%d}：{Case.objects.count()} 件。")
        clock.tick(self.at)
        repeats.link(self.at)
        outbox.deliver(self.at)

    def _slices(self, moments: Iterable[datetime]) -> list[datetime]:
        """Return the ends of the slices: where something is counted, and days for what people still remember."""
        fine = self.at - NOTICES_FOR
        ends = {fine + timedelta(days=n) for n in range(int(NOTICES_FOR.days))}
        return sorted({*ends, *(moment for moment in moments if moment < self.at), self.at})

    def _record(
        self, plans: Sequence[story.PlannedFinding], sheets: Sequence[_Sent], until: datetime
    ) -> Sequence[_Sent]:
        """Record what came in: check lists sent until then, with the cases of what failed, and what was seen beside.

        Return the check lists that are still to come.
        """
        sent = next((n for n, (sent_at, _visit) in enumerate(sheets) if sent_at > until), len(sheets))
        lines = self._answer([visit for _sent_at, visit in sheets[:sent]])
        beside = [plan for plan in plans if not plan.item]
        captures = [
            Capture(
                FindingIn(
                    uid=plan.uid, area=plan.area, category=plan.category, severity=plan.severity, note=plan.note,
                    address=plan.address, unit=self.units[plan.units[0]].uid if plan.charged else None,
                    visit=plan.visit, device_at=plan.device_at,
                    point=PointIn(lon=plan.spot.lon, lat=plan.spot.lat, accuracy_m=Decimal(8), at=plan.device_at)
                    if plan.spot else None,
                ),
                self.actors[plan.by], plan.received_at,
            )
            for plan in beside
        ]  # fmt: skip
        cases = lines
        for plan, one in zip(beside, record_findings(captures), strict=True):
            if one.error is not None or one.case is None:
                raise one.error or AssertionError(plan.uid)
            cases[plan.uid] = one.case
        self.follow([(plan, cases[plan.uid]) for plan in plans])
        return sheets[sent:]

    def _answer(self, visits: Sequence[story.PlannedVisit]) -> dict[UUID, Case]:
        """Send the check lists of these visits; return the cases that were opened, by the finding's identity."""
        sheets = [
            Sheet(plan.uid, self._drafts(plan), self.actors[plan.by], plan.sent_at or self.at)
            for plan in visits
        ]
        cases = {}
        for told in record_sheets(sheets) if sheets else []:
            for answered in told:
                if answered.error is not None:
                    raise answered.error
                if answered.answer is not None and answered.answer.finding is not None:
                    cases[answered.answer.uid] = answered.answer.finding.case
        return cases

    def _drafts(self, plan: story.PlannedVisit) -> list[AnswerIn]:
        """Return every line of the visit's list: what failed, and that the rest passes."""
        wrong = self.lines.get(plan.uid, {})
        checklist = editions.checklist(CHECKLIST, plan.area, plan.started_at.date())
        drafts = []
        for place, number in enumerate(numbers_of(checklist), start=1):
            failed = wrong.get(number)
            if failed is None:
                seen_at = min(plan.started_at + timedelta(seconds=25 * place), plan.sent_at or self.at)
                uid = uuid5(plan.uid, f"{number}/")
                drafts.append(AnswerIn(uid=uid, item=number, result="pass", device_at=seen_at))
                continue
            drafts.append(
                AnswerIn(
                    uid=failed.uid, item=number, result=failed.result, count=failed.count, note=failed.note,
                    category=failed.category, severity=failed.severity, device_at=failed.device_at,
                    unit=self.units[failed.units[0]].uid if failed.charged else None,
                )
            )  # fmt: skip
        return drafts

    def follow(self, opened: Sequence[tuple[story.PlannedFinding, Case]]) -> None:
        """Set cases that were opened on their way: what will happen to each, by whom, and their photos."""
        tracks = []
        for plan, case in opened:
            if plan.split:
                continue
            rng = Random(plan.seed)  # noqa: S311 - a story, not a secret
            start = Starts(case)
            course = (
                course_of_task(rng, opened_at=plan.received_at, now=self.at, start=start, done=True)
                if plan.prompt
                else course_of(
                    rng, opened_at=plan.received_at, charged=plan.charged, now=self.at, start=start,
                    habit=self.story.habits[plan.area[:9]],
                )
            )  # fmt: skip
            tracks.append(Track(plan, course, [], pk=case.pk))
        self.take_along(tracks)

    def take_along(self, tracks: Sequence[Track]) -> None:
        """Appoint who acts in these cases, hang their photos, and let them go their way from now."""
        self._appoint(tracks)
        self._photograph(tracks)
        self.tracks += tracks

    def _appoint(self, tracks: Sequence[Track]) -> None:
        """Say who acts in each move. A unit without an account acts through a link, made when it is charged."""
        links: list[tuple[Link, Note, Actor, datetime]] = []
        wanted: list[tuple[Track, list[Actor | Link]]] = []
        for track in tracks:
            plan = track.plan
            chosen: list[Actor | Link] = []
            dispatcher = self.actors[self.story.street_desk[plan.area[:9]]]
            persons = {
                "finder": self.actors[plan.by], "dispatcher": dispatcher, "verifier": self.actors[plan.verifier],
                "supervisor": self.actors[plan.supervisor],
            }  # fmt: skip
            link: Link | None = None
            charged_at = plan.received_at if plan.charged else None
            unit = plan.units[0]

            def link_for(unit: str, made_at: datetime, by: Actor, track: Track = track) -> Link:
                made = Link(
                    uid=UUID(int=Random(f"{track.plan.seed}:{made_at}").getrandbits(128), version=4),  # noqa: S311
                    case_id=track.pk, unit=self.units[unit], made_by_key=by.key, made_at=made_at,
                    expires_at=made_at + timedelta(days=settings.CASE_LINK_DAYS),
                )  # fmt: skip
                detail = {"link": made.uid, "until": made.expires_at}
                note = Note("case.link", "case", str(track.plan.uid), track.plan.area, detail, made_at)
                links.append((made, note, by, made_at))
                return made

            if plan.charged and unit not in self.liaisons:
                link = link_for(unit, plan.received_at + timedelta(seconds=15), persons["finder"])
            for move in track.course.moves:
                if move.move is Move.DISPATCH:
                    unit, charged_at, link = plan.units[move.unit], move.at, None
                    if unit not in self.liaisons:
                        link = link_for(unit, move.at + timedelta(seconds=15), dispatcher)
                if move.who != "handler":
                    chosen.append(persons[move.who])
                elif unit in self.liaisons:
                    chosen.append(self.liaisons[unit])
                else:
                    assert charged_at is not None
                    if link is None or link.expires_at <= move.at:
                        link = link_for(unit, max(charged_at, move.at - timedelta(hours=2)), dispatcher)
                    chosen.append(link)
            wanted.append((track, chosen))
        Link.objects.bulk_create([link for link, _note, _by, _at in links], batch_size=400)
        record_all([(note, by) for _link, note, by, _at in links], at=self.at)
        for track, chosen in wanted:
            track.actors = [self._holder(one, track) if isinstance(one, Link) else one for one in chosen]

    def _holder(self, link: Link, track: Track) -> Actor:
        """Return the actor that `cases.links.open_token` makes of a link."""
        return Actor(
            key=f"link:{link.pk}", name=link.unit.name[:60], post_label=gettext("办理链接"), powers=LINK_POWERS,
            area_name=link.unit.name, unit_id=link.unit_id, case_uid=str(track.plan.uid),
        )  # fmt: skip

    # --- photos ---

    def _photograph(self, tracks: Sequence[Track]) -> None:
        shots = []
        for track in tracks:
            plan = track.plan
            if plan.photographed:
                shots.append(self._shot(track, "finding", "before", self.actors[plan.by], plan.received_at))
            for move, by in zip(track.course.moves, track.actors, strict=True):
                if move.photo is not None:
                    shots.append(self._shot(track, "case", "after", by, move.photo))
        shots.sort(key=lambda shot: shot.at)
        photos.hang(shots)
        self.shots_before = [(shot.data, shot.picture) for shot in shots[-200:] if shot.purpose == "after"]

    def _shot(self, track: Track, owner: str, purpose: str, by: Actor, at: datetime) -> photos.Shot:
        plan, rng = track.plan, self.pictures
        taken_at = (
            plan.device_at if purpose == "before" else at - timedelta(seconds=rng.randint(15, 900))
        ).replace(microsecond=0)
        spot, located = plan.spot, purpose == "before" or rng.random() < 0.5
        lon, lat = (spot.lon, spot.lat) if spot is not None and located else (None, None)
        uid = UUID(int=rng.getrandbits(128), version=4)
        if purpose == "after" and self.shots_before and rng.random() < REUSED_SHARE:
            data, said = rng.choice(self.shots_before)  # the same photo again: it will be remarked
        else:
            scene = words.NOTES[plan.category][1] if plan.category in words.NOTES else "street"
            drawn = pictures.drawing(scene, int(plan.seed[-1]), clean=purpose == "after")
            data, said = pictures.unique(drawn, f"demo {uid}", taken_at, lon, lat)
        return photos.Shot(
            uid=uid, owner_kind=owner, owner_uid=plan.uid, purpose=purpose, area=plan.area, by=by, at=at, data=data,
            picture=said, filename=f"IMG_{taken_at.astimezone(ZONE):%Y%m%d_%H%M%S}.jpg",
            capture=PhotoCapture(
                device_at=taken_at, lon=lon, lat=lat, accuracy_m=None if lon is None else Decimal(8),
            ),
        )  # fmt: skip

    # --- steps and the clock ---

    def _step(self, until: datetime) -> None:
        """Let people and the clock act in turns until nothing more happens in this slice."""
        while True:
            steps: list[Step] = []
            for track in self.tracks:
                steps += self._run_of(track, until)
            if steps:
                steps.sort(key=lambda step: step.at or self.at)
                for outcome in take_steps(steps, at=until):
                    if outcome.error is not None:
                        raise outcome.error
            fired = self._fire(until)
            if not steps and not fired:
                return

    def _run_of(self, track: Track, until: datetime) -> list[Step]:
        """Return the moves that may be made before the clock speaks next, and count them as done."""
        steps = []
        clock_at = track.fire_at()
        while (at := track.next_at()) is not None and at <= until and (clock_at is None or at < clock_at):
            move: Planned = track.course.moves[track.done]
            steps.append(
                Step(
                    track.plan.uid, move.move, track.actors[track.done], note=move.note,
                    unit_uid=self.units[track.plan.units[move.unit]].uid if move.move is Move.DISPATCH else None,
                    until=move.until, at=at,
                )
            )  # fmt: skip
            track.done += 1
        return steps

    def _fire(self, until: datetime) -> bool:
        """Do what `cases.clock.tick` does, for each case at the very moment it falls due, as a worker would."""
        upto: dict[int, datetime] = {}
        for track in self.tracks:
            while (at := track.fire_at()) is not None and at <= until:
                next_at = track.next_at()
                if next_at is not None and next_at <= at:
                    break
                upto[track.pk] = at
                track.fired += 1
        if not upto:
            return False
        said: list[tuple[datetime, Case, Move, datetime]] = []
        cases = list(Case.objects.filter(pk__in=upto).order_by("pk"))
        for case in cases:
            while case.next_at is not None and case.next_at <= upto[case.pk]:
                moment = case.next_at
                plan = clock_plan(case.clock_from, case.warn_at, case.due_at)  # type: ignore[arg-type]
                moves, case.next_at = clock_moves(plan, since=moment, now=moment)
                said += [(moment, case, move, case.due_at) for move in moves]  # type: ignore[misc]
        keys = [f"case:{case.pk}:{move}:{due:%Y%m%d%H%M%S}" for _at, case, move, due in said]
        new = once_each(keys, until)
        events, notes = [], []
        for (at, case, move, due), key in sorted(zip(said, keys, strict=True), key=lambda one: one[0][0]):
            if key not in new:
                continue
            detail: dict[str, Any] = {"due_at": due}
            if move is Move.ESCALATE:
                case.desk = parent(case.desk) if len(case.desk) > 4 else case.desk
                detail["desk"] = case.desk
            case.version += 1
            events.append(make_event(case, case.version, move, State(case.state), detail, by=SYSTEM, at=at))
            notes.append(
                (Note(f"case.{move}", "case", str(case.uid), case.area, {"number": case.number}, at), SYSTEM)
            )
        # An upsert of known rows: Django's bulk_update spells one CASE a field and row, and is many times slower.
        Case.objects.bulk_create(
            cases, batch_size=500, update_conflicts=True, unique_fields=["id"],
            update_fields=["next_at", "desk", "version"],
        )  # fmt: skip
        insert_all(events)
        record_all(notes, at=until)
        return True

    def _read(self, at: datetime) -> None:
        """Everybody has read what came until now."""
        for actor in self.actors.values():
            mark_all_read(by=actor, at=at)


def _some(plans: Iterable[story.PlannedVisit], size: int) -> Iterator[list[story.PlannedVisit]]:
    """Yield so many at a time."""
    rest = list(plans)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def _parts(plans: Sequence[story.PlannedFinding]) -> Iterator[Sequence[story.PlannedFinding]]:
    """Yield findings some at a time; what was sent in one moment stays together."""
    start = 0
    while start < len(plans):
        end = min(start + AT_ONCE, len(plans))
        while end < len(plans) and plans[end].received_at == plans[end - 1].received_at:
            end += 1
        yield plans[start:end]
        start = end
