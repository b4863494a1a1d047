"""The invented district: who works there, which units answer, what was visited and found. Values only, no DB.

Everything follows from the seed, the area and the moment it ends at: the same three tell the same story.
Its size is that of the source's year: "督查…重点单位650余个次，提出整改意见4000条" (source 001, part ten;
F001-175, F001-176), with a mock inspection on 23-26 May and an experts' visit on 29-30 June before which
people look harder.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from weicheng.demo import words
from weicheng.demo.course import BAD, GOOD, PLAIN, Habit
from weicheng.demo.rounds import Calendar, Drawn, PlannedRound
from weicheng.places.roles import Role
from weicheng.rules.cases import may_charge
from weicheng.rules.moments import ZONE

VISITS_A_YEAR, FINDINGS_A_YEAR = 655, 4000  # "650余个次", "4000条"
CENTRES = {"320311": (117.1900, 34.2440), "110101": (116.4160, 39.9280)}
ELSEWHERE = (113.6000, 34.7500)  # any place will do: the base map is blank


@dataclass(frozen=True)
class Place:
    code: str
    name: str


@dataclass(frozen=True)
class District:
    """The area as loaded: its sub-districts, and the communities of each."""

    code: str
    name: str
    streets: tuple[Place, ...]
    communities: Mapping[str, tuple[Place, ...]]


@dataclass(frozen=True)
class Person:
    """One account. unit: key of the unit a liaison stands at."""

    login: str
    name: str
    role: Role
    area: str = ""
    unit: str = ""


@dataclass(frozen=True)
class PlannedUnit:
    """One unit. key: how the story speaks of it; serves: the area it may be charged from, "" for its own."""

    key: str
    uid: UUID
    name: str
    kind: str
    area: str
    address: str
    lon: Decimal
    lat: Decimal
    contact: str
    phone: str
    serves: str = ""
    particulars: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Spot:
    """A place where things are found again and again."""

    address: str
    lon: Decimal
    lat: Decimal


@dataclass(frozen=True)
class PlannedVisit:
    """One visit. round, position: the round it is part of, and which of its places it looks at

    sent_at: when the answers of its check list reached us
    """

    uid: UUID
    kind: str
    by: str
    area: str
    place: str
    note: str
    started_at: datetime
    unit: str = ""
    checklist: bool = False
    round: str = ""
    position: int = 0
    sent_at: datetime | None = None


@dataclass(frozen=True)
class PlannedFinding:
    """One finding. units: whom it may be given to, best first; charged: the finder names the first at once.

    photographed: a picture was taken; seed: what the rest of the case's life is drawn from
    item: line of the visit's check list that failed, with its result; "" for what was seen beside the list
    round: the hidden round with which its case is opened, "" for at once; prompt: charged, settled and verified without fail
    split: two units share it
    """

    uid: UUID
    by: str
    area: str
    category: str
    severity: str
    note: str
    address: str
    units: tuple[str, ...]
    charged: bool
    device_at: datetime
    received_at: datetime
    spot: Spot | None
    photographed: bool
    verifier: str
    supervisor: str
    seed: str
    visit: UUID | None = None
    item: str = ""
    result: str = ""
    count: int = 1
    round: str = ""
    prompt: bool = False
    split: bool = False


@dataclass(frozen=True)
class PlannedCard:
    """A yellow card. visit: with the findings it names; recheck: the visit that lifts it, None while it stands"""

    visit: UUID
    findings: tuple[UUID, ...]
    issued_at: datetime
    recheck: UUID | None = None
    lifted_at: datetime | None = None


@dataclass(frozen=True)
class Story:
    """sealed: lines that failed in a round that is still hidden; they are no findings yet."""

    people: tuple[Person, ...]
    units: Mapping[str, PlannedUnit]
    rounds: tuple[PlannedRound, ...]
    visits: tuple[PlannedVisit, ...]
    findings: tuple[PlannedFinding, ...]
    habits: Mapping[str, Habit]
    street_desk: Mapping[str, str]  # sub-district -> login of its officer
    begins_at: datetime
    sealed: tuple[PlannedFinding, ...] = ()
    cards: tuple[PlannedCard, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What the editions in force offer. items: (number, category) of the check list; severities: the scale."""

    categories: Callable[[date], Collection[str]]
    is_working_day: Callable[[date], bool]
    items: tuple[tuple[str, str], ...]
    severities: Collection[str]


def begin(district: District, *, seed: int, at: datetime, months: int, terms: Terms) -> "Teller":
    """Return who tells the story up to the moment `at`; its people and units are known already."""
    return Teller(district, seed, at.astimezone(ZONE), months, terms)


# --- people and units ------------------------------------------------------------------------------

# key, name, kind, sections: district-wide, may be charged from every sub-district. What cleans and what keeps order
# in the streets is asked for so often that it works in sections, each for some sub-districts: no unit answers for
# more than a twentieth of the year.
_DEPARTMENTS = (
    ("city", "城市管理局{}中队", "department", 3),
    ("clean", "环境卫生服务中心{}所", "company", 8),
    ("trade", "市场监督管理局", "department", 1),
    ("build", "住房和城乡建设局", "department", 1),
    ("police", "交通秩序管理大队", "department", 1),
    ("green", "园林绿化服务中心", "company", 1),
    ("water", "水务服务中心", "company", 1),
    ("health", "疾病预防控制中心", "department", 1),
    ("office", "爱国卫生运动服务中心", "office", 1),
)
_LIAISONS = ("city", "clean", "trade", "build")
_INSPECTORS = 24  # so that none of them found more than a twentieth

# Category -> who answers for it, the likeliest first: keys of departments or kinds of units of the street.
_ANSWERS = {
    "06010": ("community", "clean", "compound"), "06012": ("clean", "community"), "06042": ("clean", "compound"),
    "07001": ("community", "city", "compound"), "06036": ("compound", "community", "property_manager"),
    "09006": ("city", "street_office"), "09005": ("shop", "restaurant", "city"), "06017": ("green", "community"),
    "03005": ("clean", "compound"), "03001": ("toilet", "clean"), "01055": ("restaurant", "market", "health"),
    "06041": ("compound", "property_manager"), "09020": ("market", "trade"),
    "06011": ("street_office", "build", "community"), "06025": ("water", "community"),
    "06007": ("compound", "community"), "06038": ("community", "compound"), "06004": ("street_office", "community"),
    "06013": ("build", "street_office"), "06019": ("green", "community"), "06029": ("city", "restaurant"),
    "06030": ("restaurant", "city", "water"), "06034": ("police", "compound"), "06035": ("compound", "clean"),
    "06037": ("clean", "community"), "08004": ("build", "city"), "08006": ("build", "city"),
    "09001": ("city", "street_office"), "09009": ("police", "compound"), "09010": ("community", "shop", "police"),
    "09011": ("city", "street_office"), "09012": ("compound", "property_manager"), "03004": ("clean", "compound"),
    "03008": ("community", "school"), "01004": ("build", "water"), "07003": ("city", "shop"), "07006": ("shop", "city"),
}  # fmt: skip
_ANY = ("community", "city", "street_office")

_LEDGER_KINDS = (
    "street_office",
    "community",
    "community",
    "school",
    "hospital",
    "market",
    "property_manager",
)
_SPECIAL_KINDS = ("market", "restaurant", "restaurant", "shop", "toilet", "compound", "supermarket")
_SPECIAL = {
    "market": ("09020", "01055", "06042", "03005"), "restaurant": ("01055", "06030", "03005", "09005"),
    "shop": ("09005", "06012", "07006"), "toilet": ("03001",), "supermarket": ("01055", "06041", "09010"),
    "compound": ("06036", "06041", "06042", "09012", "06007"),
}  # fmt: skip
_ROUND_SHARE = 0.6  # of the visits, at most: those of rounds
_LEDGER_SHARE, _SPECIAL_SHARE, _LIST_SHARE = 0.55, 0.2, 0.3  # of the visits outside rounds
_FREE_SHARE = 0.12  # findings outside any visit
_LINES_SHARE = 0.6  # of what a visit with a check list finds, failed lines of it
_MOST_LINES = 7  # that fail in one visit
_RECHECK_AFTER = timedelta(days=75)  # a round that far back can have its yellow card lifted


class Teller:
    """Knows the cast at once; `tell` the rest, once somebody draws the places of the rounds."""

    def __init__(self, district: District, seed: int, at: datetime, months: int, terms: Terms):
        self.district, self.at, self.months, self.terms = district, at, months, terms
        self.root = f"{seed}:{district.code}"
        self.units: dict[str, PlannedUnit] = {}
        self.by_kind: dict[tuple[str, str], list[str]] = {}  # (street, kind) -> keys
        self.sections: dict[
            tuple[str, str], str
        ] = {}  # (department, street) -> key of the section that comes
        self.spots: dict[str, list[Spot]] = {}
        self.centres: dict[str, tuple[float, float]] = {}
        self.begins_at = _months_back(at, months)
        self.names: set[str] = set()
        places = [place for street in district.streets for place in (street, *self._communities(street.code))]
        self.called = {place.code: place.name for place in places}

        self._habits()
        self._units()
        self.people = self._people()

    def rng(self, topic: str) -> Random:
        # A stream for each topic: a change in one part of the story leaves the others as they were.
        return Random(f"{self.root}:{topic}")  # noqa: S311 - a story, not a secret

    def tell(self, draw: Callable[[PlannedRound], Sequence[Drawn]]) -> Story:
        """Return the whole story. draw: gives the places of a round, each round once, in time order."""
        people = self.people
        self.inspectors = [one.login for one in people if one.role is Role.INSPECTOR]
        self.supervisors = [one.login for one in people if one.role is Role.DISTRICT_OFFICER]
        self.desk = {one.area: one.login for one in people if one.role is Role.STREET}
        self.area_of = {one.login: one.area for one in people}
        days, weights = self._days()
        self.rounds = {one.key: one for one in self._calendar(people, days[-1])}
        visits = self._visits(people, days, weights, draw)
        visits, found = self._findings(people, visits, days, weights)
        sealed = [one for one in found if one.round and self.rounds[one.round].publish_at is None]
        findings = [one for one in found if not one.round or self.rounds[one.round].publish_at is not None]
        visits, findings, cards = self._cards(visits, self._split(findings))
        return Story(
            people=tuple(people), units=self.units, rounds=tuple(self.rounds.values()), visits=tuple(visits),
            findings=tuple(findings), habits=self.habits, street_desk=self.desk, begins_at=self.begins_at,
            sealed=tuple(sealed), cards=tuple(cards),
        )  # fmt: skip

    # --- the ground ---

    def _habits(self) -> None:
        """Two sub-districts do badly and one excels, drawn among those that have communities."""
        rng = self.rng("habits")
        real = [street.code for street in self.district.streets if len(self._communities(street.code)) >= 3]
        chosen = rng.sample(real, min(3, len(real)))
        self.habits = {street.code: PLAIN for street in self.district.streets}
        for code, habit in zip(chosen, (BAD, BAD, GOOD), strict=False):
            self.habits[code] = habit
        lon, lat = CENTRES.get(self.district.code, ELSEWHERE)
        for street in self.district.streets:
            self.centres[street.code] = (lon + rng.uniform(-0.045, 0.045), lat + rng.uniform(-0.035, 0.035))
            for place in self._communities(street.code):
                near_lon, near_lat = self.centres[street.code]
                here = (near_lon + rng.uniform(-0.007, 0.007), near_lat + rng.uniform(-0.006, 0.006))
                self.centres[place.code] = here

    def _communities(self, street: str) -> tuple[Place, ...]:
        return self.district.communities.get(street, ())

    def _spot(self, rng: Random, area: str, address: str, spread: float = 0.0025) -> Spot:
        lon, lat = self.centres[area]
        return Spot(
            address,
            _degrees(lon + rng.uniform(-spread, spread)),
            _degrees(lat + rng.uniform(-spread, spread)),
        )

    def _road(self, rng: Random) -> str:
        return rng.choice(words.ROAD_WISHES) + rng.choice(words.ROAD_KINDS)

    # --- units ---

    def _units(self) -> None:
        rng = self.rng("units")
        code = self.district.code
        self.centres[code] = CENTRES.get(code, ELSEWHERE)
        by_size = sorted(self.district.streets, key=lambda street: -len(self._communities(street.code)))
        for key, name, kind, sections in _DEPARTMENTS:
            duty = {"duty": "全区"} if kind != "office" else {}
            for number in range(sections):
                own = f"{self.district.name}{name.format('一二三四五六七八'[number])}"
                self._unit(rng, f"{key}{number + 1}", own, kind, code, serves=code, particulars=duty)
            for position, street in enumerate(by_size):
                self.sections[key, street.code] = f"{key}{position % sections + 1}"
        for street in self.district.streets:
            self._units_of(rng, street)

    def _units_of(self, rng: Random, street: Place) -> None:
        places = list(self._communities(street.code)) or [street]
        office = street.name if street.name.endswith(("区", "城", "园")) else f"{street.name}办事处"
        self._unit(rng, f"{street.code}:office", office, "street_office", street.code)
        for place in self._communities(street.code):
            numbers = {"households": rng.randint(900, 4200)}
            numbers["residents"] = numbers["households"] * rng.randint(24, 31) // 10
            self._unit(rng, f"{place.code}:office", place.name, "community", place.code, particulars=numbers)
        taken: set[str] = set()
        plan = [
            "market",
            "restaurant",
            "restaurant",
            "shop",
            "shop",
            "toilet",
            "school",
            "supermarket",
            "hospital",
        ]
        plan += ["compound"] * 3 + ["property_manager"]
        for kind in plan:
            place = rng.choice(places)
            while (name := self._unit_name(rng, kind, street)) in taken:
                pass
            taken.add(name)
            self._unit(
                rng, f"{street.code}:{name}", name, kind, place.code, particulars=_particulars(rng, kind)
            )

    def _unit_name(self, rng: Random, kind: str, street: Place) -> str:
        wish, short = rng.choice(words.ROAD_WISHES), short_name(street.name)
        return {
            "market": f"{wish}农贸市场",
            "restaurant": f"{wish}{rng.choice(words.TRADES[:2])}",
            "shop": f"{wish}{rng.choice(words.TRADES[2:])}",
            "toilet": f"{wish}路公共厕所",
            "school": f"{short}{rng.choice(('第一', '第二', '实验'))}小学",
            "supermarket": f"{wish}超市",
            "hospital": f"{short}社区卫生服务中心",
            "compound": f"{wish}{rng.choice(words.COMPOUNDS)}",
            "property_manager": f"{wish}物业服务部",
        }[kind]

    def _unit(
        self, rng: Random, key: str, name: str, kind: str, area: str, *, serves: str = "",
        particulars: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        address = f"{self._road(rng)}{rng.randint(1, 199)}号"
        spot = self._spot(rng, area, address)
        self.units[key] = PlannedUnit(
            key, _uid(rng), name, kind, area, address, spot.lon, spot.lat,
            # 1990000xxxx: no operator has dealt that block out.
            contact=self._name(rng, keep=False), phone=f"1990000{len(self.units):04d}",
            serves=serves, particulars=particulars or {},
        )  # fmt: skip
        if len(area) >= 9:
            self.by_kind.setdefault((area[:9], kind), []).append(key)

    # --- people ---

    def _name(self, rng: Random, *, keep: bool = True) -> str:
        while True:
            name = rng.choice(words.SURNAMES) + rng.choice(words.GIVEN)
            name += rng.choice(words.GIVEN) if rng.random() < 0.7 else ""
            if not keep:
                return name
            if name not in self.names:
                self.names.add(name)
                return name

    def new_name(self, rng: Random) -> str:
        """Return a name nobody of the cast has."""
        return self._name(rng)

    def _people(self) -> list[Person]:
        rng, code = self.rng("people"), self.district.code
        people: list[Person] = []

        def add(login: str, role: Role, area: str = "", unit: str = "") -> None:
            people.append(Person(f"demo-{login}", self._name(rng), role, area, unit))

        streets = [street.code for street in self.district.streets]
        everywhere = [place.code for code in streets for place in self._communities(code)]
        # The first stands where most is late, so that its first page always has something to do.
        busy = [code for code in everywhere if self.habits[code[:9]] is BAD]
        places = rng.sample(busy, min(1, len(busy)))
        others = [code for code in everywhere if code not in places]
        places += sorted(rng.sample(others, min(9, len(others))))
        local = [keys[0] for kind in ("market", "property_manager", "compound", "restaurant")
                 if (keys := self._keys(rng.choice(streets), kind))]  # fmt: skip
        units = [*(f"{key}1" for key in _LIAISONS), *local]
        # One of each role first: the sign-in page shows them in this order.
        add("qu", Role.DISTRICT_OFFICER, code)
        add("ducha1", Role.INSPECTOR, code)
        add("jiedao1", Role.STREET, streets[0])
        for place in places[:1]:
            add("shequ1", Role.COMMUNITY, place)
        add("danwei1", Role.LIAISON, unit=units[0])
        add("lingdao", Role.LEADER, code)
        add("shi", Role.CITY_OFFICER, code[:4])
        add("bingmei", Role.TECHNICIAN, code)
        add("zhuanjia", Role.EXPERT, code)
        add("xitong", Role.SYSTEM_ADMIN, code)
        add("anquan", Role.SECURITY_ADMIN, code)
        add("shenji", Role.AUDIT_ADMIN, code)
        add("qu2", Role.DISTRICT_OFFICER, code)
        for number in range(2, _INSPECTORS + 1):
            add(f"ducha{number}", Role.INSPECTOR, code)
        for number, key in enumerate(units[1:], start=2):
            add(f"danwei{number}", Role.LIAISON, unit=key)
        for number, street in enumerate(streets[1:], start=2):
            add(f"jiedao{number}", Role.STREET, street)
        for number, place in enumerate(places[1:], start=2):
            add(f"shequ{number}", Role.COMMUNITY, place)
        return people

    # --- when ---

    def _days(self) -> tuple[list[date], list[float]]:
        first = self.begins_at.date() + timedelta(days=1)
        last = self.at.date() if self.at.time() >= time(10) else self.at.date() - timedelta(days=1)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return days, [self._eagerness(day, last) for day in days]

    def _eagerness(self, day: date, last: date) -> float:
        """How much is looked at on a day, 1 for a plain working day."""
        weekend = day.weekday() >= 5
        weight = 1.0 if self.terms.is_working_day(day) else 0.22 if weekend else 0.08
        before_mock = (date(day.year, 5, 26) - day).days  # the mock inspection of 23-26 May
        if 0 <= before_mock <= 36:
            weight *= 1.3 + 1.2 * (36 - before_mock) / 36
        before_experts = (date(day.year, 6, 30) - day).days
        if 0 <= before_experts <= 12:
            weight *= 1.5
        if day.month in (2, 8):
            weight *= 0.75
        if (last - day).days < 21:
            weight *= 1.45
        return weight

    def _moment(self, rng: Random, day: date) -> datetime:
        spans = ((8 * 60 + 35, 11 * 60 + 10), (14 * 60 + 5, 17 * 60 + 10))
        begin, end = spans[rng.random() < 0.45]
        if rng.random() < 0.04:
            begin, end = 18 * 60 + 40, 19 * 60 + 50  # the evening's street food
        minutes = rng.uniform(begin, end)
        moment = datetime.combine(day, time(), ZONE) + timedelta(
            minutes=round(minutes), seconds=rng.randint(0, 59)
        )
        latest = self.at - timedelta(minutes=75)
        if moment > latest:
            opens = datetime.combine(day, time(8, 35), ZONE)
            moment = opens + (latest - opens) * rng.uniform(0.1, 1)
        return moment.replace(microsecond=0)

    # --- visits ---

    def _calendar(self, people: Sequence[Person], last: date) -> list[PlannedRound]:
        # Two of three named beforehand come from where things are well: that is what recommending is for.
        named = [place.code for street in self.district.streets if self.habits[street.code] is not BAD
                 for place in self._communities(street.code)]  # fmt: skip
        leader = next(one.name for one in people if one.role is Role.LEADER)
        return Calendar(
            rng=self.rng("rounds"), begins_at=self.begins_at, at=self.at, is_working_day=self.terms.is_working_day,
            eager=lambda day: self._eagerness(day, last), inspectors=self.inspectors, communities=named,
            leader=f"副区长{leader}",
            most=round(VISITS_A_YEAR * self.months / 12 * _ROUND_SHARE),
        ).lay()  # fmt: skip

    def _visits(
        self, people: Sequence[Person], days: Sequence[date], weights: Sequence[float],
        draw: Callable[[PlannedRound], Sequence[Drawn]],
    ) -> list[PlannedVisit]:  # fmt: skip
        rng = self.rng("visits")
        eager = dict(zip(days, weights, strict=True))
        visits = [
            one
            for planned in self.rounds.values()
            for one in self._round_visits(planned, draw(planned), eager)
        ]
        total = max(6, round(VISITS_A_YEAR * self.months / 12)) - len(visits) - bool(self._carded())
        # Whatever day it is loaded on, the last two days have something to show.
        chosen = [*days[-2:], *days[-2:], *rng.choices(days, weights, k=total - 4)]
        workers = self._workers(people)
        turns = _turns(rng, workers, total)
        # One of each kind of worker is out on the last days, so that every first page has something fresh.
        for place, login in enumerate(("demo-shequ1", "demo-ducha1", "demo-jiedao1"), start=1):
            turns[-place] = next((one for one in people if one.login == login), turns[-place])
        visits += [self._visit(rng, day, person) for day, person in zip(sorted(chosen), turns, strict=True)]
        return sorted(visits, key=lambda visit: visit.started_at)

    def _round_visits(
        self, planned: PlannedRound, drawn: Sequence[Drawn], eager: Mapping[date, float]
    ) -> list[PlannedVisit]:
        """Return the visits of a round so far; what is left is left to the first of its inspectors first."""
        rng = self.rng(f"round:{planned.key}")
        days = [day for day in eager if planned.starts_on <= day <= planned.ends_on]
        work = [day for day in days if self.terms.is_working_day(day)] or days
        order = sorted(
            range(len(drawn)), key=lambda place: (drawn[place].by == self.inspectors[0], rng.random())
        )
        visits = []
        for position in sorted(order[: round(planned.share * len(drawn))]):
            place = drawn[position]
            day = rng.choices(work, [eager[one] for one in work])[0]
            visits.append(
                PlannedVisit(
                    _uid(rng), planned.kind, place.by, place.area, place.name, "", self._moment(rng, day),
                    unit=place.unit, checklist=bool(planned.checklist), round=planned.key, position=position,
                )
            )  # fmt: skip
        return visits

    def _carded(self) -> list[PlannedRound]:
        """Return the hidden rounds long enough ago for a yellow card to have been lifted, the first one first."""
        return [
            one for one in self.rounds.values()
            if one.hidden and one.publish_at is not None and one.publish_at < self.at - _RECHECK_AFTER
        ]  # fmt: skip

    def _workers(self, people: Sequence[Person]) -> list[tuple[Person, float]]:
        shares = {
            Role.INSPECTOR: 0.38, Role.STREET: 0.34, Role.COMMUNITY: 0.2, Role.DISTRICT_OFFICER: 0.06,
            Role.TECHNICIAN: 0.02,
        }  # fmt: skip
        size = {role: sum(1 for one in people if one.role is role) for role in shares}
        return [(one, shares[one.role] / size[one.role]) for one in people if one.role in shares]

    def _visit(self, rng: Random, day: date, person: Person) -> PlannedVisit:
        started_at = self._moment(rng, day)
        chance = rng.random()
        if person.role is Role.COMMUNITY:
            chance = 1.0  # a community walks its own streets
        street = self._street(rng, person.area)
        kinds = _LEDGER_KINDS if chance < _LEDGER_SHARE else _SPECIAL_KINDS
        keys = self._keys(street, rng.choice(kinds))
        in_may = day.month == 5 and 4 <= day.day <= 26
        if chance < _LEDGER_SHARE + _SPECIAL_SHARE and keys:
            unit = self.units[rng.choice(keys)]
            kind = "ledger" if chance < _LEDGER_SHARE else "special"
            note = rng.choice(words.MOCK_NOTES if in_may else words.VISIT_NOTES[kind])
            return PlannedVisit(
                _uid(rng), kind, person.login, unit.area, unit.name, note, started_at, unit=unit.key
            )
        area = person.area if len(person.area) >= 12 else self._area(rng, street)
        spot = self._spots_of(area)[0]
        note = rng.choice(words.MOCK_NOTES if in_may and rng.random() < 0.4 else words.VISIT_NOTES["routine"])
        return PlannedVisit(
            _uid(rng), "routine", person.login, area, spot.address, note, started_at,
            checklist=bool(self.terms.items) and rng.random() < _LIST_SHARE,
        )  # fmt: skip

    def _street(self, rng: Random, area: str) -> str:
        if len(area) >= 9:
            return area[:9]
        codes = [street.code for street in self.district.streets]
        weight = {BAD: 1.35, GOOD: 0.9, PLAIN: 1.0}
        sizes = [weight[self.habits[code]] * (0.4 + len(self._communities(code))) ** 0.5 for code in codes]
        return rng.choices(codes, sizes)[0]

    def _area(self, rng: Random, street: str) -> str:
        places = self._communities(street)
        return rng.choice(places).code if places else street

    def _spots_of(self, area: str) -> list[Spot]:
        """Return where things keep being found in an area; each has its six bad corners."""
        if area not in self.spots:
            rng = self.rng(f"spots:{area}")
            roads = [self._road(rng) for _n in range(3)]
            self.spots[area] = [
                self._spot(rng, area, f"{rng.choice(roads)}{rng.randint(1, 160)}号{rng.choice(words.SPOTS)}")
                for _n in range(6)
            ]
        return self.spots[area]

    # --- findings ---

    def _findings(
        self,
        people: Sequence[Person],
        visits: Sequence[PlannedVisit],
        days: Sequence[date],
        weights: Sequence[float],
    ) -> tuple[list[PlannedVisit], list[PlannedFinding]]:
        """Return the visits with the moment their answers were sent, and what was found, in the order of receipt."""
        rng = self.rng("findings")
        total = max(30, round(FINDINGS_A_YEAR * self.months / 12))
        free = round(total * _FREE_SHARE)
        sealed = [self._is_sealed(visit) for visit in visits]
        most = [
            0 if shut else min(_MOST_LINES, len(self._lines(visit))) if self._is_hidden(visit) else 15
            for visit, shut in zip(visits, sealed, strict=True)
        ]
        counts = _share_out(rng, total - free, most)
        told, found = [], []
        for visit, count, shut in zip(visits, counts, sealed, strict=True):
            seen, made = self._found_in(rng, visit, rng.randint(1, 4) if shut else count)
            told.append(seen)
            found += made
        for person in _turns(rng, self._workers(people), free):
            area = person.area if len(person.area) >= 12 else self._area(rng, self._street(rng, person.area))
            moment = self._moment(rng, rng.choices(days, weights)[0])
            found.append(self._finding(rng, person.login, area, moment, self._category(rng, moment)))
        return told, sorted(found, key=lambda finding: finding.received_at)

    def _lines(self, visit: PlannedVisit) -> list[tuple[str, str]]:
        """Return (number, category) of the lines that may fail on the day of a visit."""
        known = self.terms.categories(visit.started_at.date())
        return [one for one in self.terms.items if one[1] in known]

    def _is_hidden(self, visit: PlannedVisit) -> bool:
        return bool(visit.round) and self.rounds[visit.round].hidden

    def _is_sealed(self, visit: PlannedVisit) -> bool:
        return self._is_hidden(visit) and self.rounds[visit.round].publish_at is None

    def _found_in(
        self, rng: Random, visit: PlannedVisit, count: int
    ) -> tuple[PlannedVisit, list[PlannedFinding]]:
        """Return what one visit found: lines of its check list that failed, and what was seen beside them."""
        moments = [
            visit.started_at + timedelta(seconds=rng.randint(90, 260) * (number + 1))
            for number in range(count)
        ]
        if not visit.checklist:
            return visit, [self._seen(rng, visit, moment) for moment in moments]
        lines = self._lines(visit)
        hidden = self._is_hidden(visit)
        failed = min(len(lines), count if hidden else min(_MOST_LINES, round(count * _LINES_SHARE)))
        if hidden:
            moments = moments[:failed]
        wrong = rng.sample(lines, failed)
        latest = self.at - timedelta(minutes=12)
        sent_at = min(
            max(moments, default=visit.started_at) + timedelta(seconds=rng.randint(40, 160)), latest
        )
        visit = replace(visit, sent_at=sent_at)
        received_at = (self.rounds[visit.round].publish_at or sent_at) if hidden else sent_at
        found = []
        for (item, category), moment in zip(wrong, moments, strict=False):
            made = self._finding(rng, visit.by, visit.area, moment, category, visit=visit, item=item)
            found.append(
                # The verb says where: at the place visited, from where no device told its position.
                replace(
                    made, address=visit.place, spot=None, device_at=min(moment, sent_at), received_at=received_at,
                    result=rng.choice(("fail", "fail", "partly")), count=rng.choice((1, 1, 1, 1, 2, 3)),
                    round=visit.round if hidden else "",
                )
            )  # fmt: skip
        return visit, found + [self._seen(rng, visit, moment) for moment in moments[failed:]]

    def _seen(self, rng: Random, visit: PlannedVisit, moment: datetime) -> PlannedFinding:
        known = self.terms.categories(moment.date())
        if not visit.unit:
            return self._finding(rng, visit.by, visit.area, moment, self._category(rng, moment), visit=visit)
        unit = self.units[visit.unit]
        offered = words.DESK_CATEGORIES if visit.kind == "ledger" else _SPECIAL.get(unit.kind, ())
        usable = [code for code in offered if code in known]
        category = rng.choice(usable) if usable else self._category(rng, moment)
        spot = Spot(unit.address, unit.lon, unit.lat)
        return self._finding(
            rng, visit.by, unit.area, moment, category, visit=visit, unit=unit.key, spot=spot
        )

    # --- what came of it ---

    def _cards(
        self, visits: list[PlannedVisit], findings: list[PlannedFinding]
    ) -> tuple[list[PlannedVisit], list[PlannedFinding], list[PlannedCard]]:
        """Give two communities a yellow card after unannounced rounds: the first is lifted, the last one stands."""
        shown = [one for one in self.rounds.values() if one.hidden and one.publish_at is not None]
        early = self._carded()[:1]
        cards = []
        for planned in [*early, *(one for one in shown[-1:] if one not in early)]:
            visit, named = self._worst(planned, visits, findings)
            assert planned.publish_at is not None
            issued_at = planned.publish_at + timedelta(hours=rest_hours(planned.publish_at))
            if issued_at >= self.at:
                continue
            card = PlannedCard(visit.uid, named, issued_at)
            if planned in early:
                recheck = self._recheck(visit, issued_at)
                visits = sorted([*visits, recheck], key=lambda one: one.started_at)
                findings = [
                    replace(one, prompt=True, charged=True) if one.uid in named else one for one in findings
                ]
                card = replace(card, recheck=recheck.uid, lifted_at=recheck.started_at + timedelta(hours=3))
            cards.append(card)
        return visits, findings, cards

    def _worst(
        self, planned: PlannedRound, visits: Sequence[PlannedVisit], findings: Sequence[PlannedFinding]
    ) -> tuple[PlannedVisit, tuple[UUID, ...]]:
        """Return the visit of a round that found most, and up to three of its findings."""
        found: dict[UUID, list[UUID]] = {}
        for one in findings:
            if one.visit is not None:
                found.setdefault(one.visit, []).append(one.uid)
        mine = [visit for visit in visits if visit.round == planned.key]
        worst = max(mine, key=lambda visit: (len(visit.area) >= 12, len(found.get(visit.uid, [])), visit.uid))
        return worst, tuple(found[worst.uid][:3])

    def _recheck(self, visit: PlannedVisit, issued_at: datetime) -> PlannedVisit:
        """Return a visit of the same place weeks later, by somebody else, at which every line passes."""
        rng = self.rng("recheck")
        day = issued_at.date() + timedelta(days=40)
        while not self.terms.is_working_day(day):
            day += timedelta(days=1)
        moment = self._moment(rng, day).replace(hour=10)
        by = rng.choice([one for one in self.inspectors if one != visit.by])
        return PlannedVisit(
            _uid(rng), "special", by, visit.area, visit.place, "黄牌复查。", moment, checklist=True,
            sent_at=moment + timedelta(minutes=25),
        )  # fmt: skip

    def _split(self, findings: list[PlannedFinding]) -> list[PlannedFinding]:
        """Let two units share one case of the last days: a heap of rubbish in a place that two are in charge of."""
        young = [
            one for one in findings
            if not one.item and timedelta(days=3) < self.at - one.received_at < timedelta(days=8)
        ]  # fmt: skip
        if not young:
            return findings
        chosen = max(young, key=lambda one: (self.habits[one.area[:9]] is BAD, one.visit is None, one.uid))
        return [replace(one, charged=False, split=True) if one is chosen else one for one in findings]

    def _category(self, rng: Random, moment: datetime) -> str:
        known = self.terms.categories(moment.date())
        codes = [code for code in words.NOTES if code in known] or sorted(known)
        return rng.choices(codes, [words.NOTES[code][0] if code in words.NOTES else 1 for code in codes])[0]

    def _finding(
        self, rng: Random, by: str, area: str, moment: datetime, category: str, *,
        visit: PlannedVisit | None = None, unit: str = "", spot: Spot | None = None, item: str = "",
    ) -> PlannedFinding:  # fmt: skip
        if spot is None:
            corners = self._spots_of(area)
            if rng.random() < 0.6:  # the same corners again
                spot = rng.choices(corners, (6, 4, 3, 2, 1, 1))[0]
            else:
                road = self._road(rng)
                spot = self._spot(rng, area, f"{road}{rng.randint(1, 200)}号{rng.choice(words.SPOTS)}")
        elif rng.random() < 0.5:
            spot = Spot(
                f"{spot.address}{rng.choice(('一楼', '门前', '后院', '楼道', '大厅'))}", spot.lon, spot.lat
            )
        address = f"{short_name(self._called(area))}{spot.address}"
        units = self._answer(rng, area, category, unit)
        late = timedelta(minutes=rng.randint(50, 260)) if rng.random() < 0.04 else timedelta()
        received_at = min(
            moment + timedelta(seconds=rng.randint(4, 40)) + late, self.at - timedelta(minutes=12)
        )
        first = self.units[units[0]]
        may = may_charge(self.area_of[by], first.area, [first.serves])
        role_inspects = by in self.inspectors
        notes = words.NOTES[category][2] if category in words.NOTES else ("现场不符合要求",)
        severity = ""
        if rng.random() < 0.06:
            severity = rng.choice([code for code in ("difficult", "hard", "special") if code in self.terms.severities]
                                  or [""])  # fmt: skip
        return PlannedFinding(
            uid=_uid(rng), by=by, area=area, category=category, severity=severity,
            note=rng.choice(notes), address=address, units=units,
            charged=may and rng.random() < 0.66, device_at=min(moment, received_at), received_at=received_at,
            spot=Spot(address, _degrees(float(spot.lon) + rng.uniform(-8e-5, 8e-5)),
                      _degrees(float(spot.lat) + rng.uniform(-8e-5, 8e-5))) if rng.random() < 0.57 else None,
            photographed=rng.random() < 0.42,
            verifier=(by if role_inspects else self.desk[area[:9]]) if rng.random() < (0.62 if role_inspects else 0.55)
            else rng.choice(self.inspectors),
            supervisor=rng.choice(self.supervisors), seed=f"{self.root}:course:{rng.getrandbits(48)}",
            visit=visit.uid if visit else None, item=item,
        )  # fmt: skip

    def _called(self, area: str) -> str:
        return self.called.get(area, "")

    def _answer(self, rng: Random, area: str, category: str, unit: str) -> tuple[str, str]:
        """Return the keys of who is charged and of who is charged when that one declines."""
        found = [unit] if unit else []
        for kind in _ANSWERS.get(category, _ANY):
            if section := self.sections.get((kind, area[:9])):
                found.append(section)
            elif kind == "community" and f"{area[:12]}:office" in self.units:
                found.append(f"{area[:12]}:office")
            elif keys := self._keys(area[:9], kind):
                found.append(rng.choice(keys))
        found.append(f"{area[:9]}:office")
        if not unit and len(found) > 2 and rng.random() < 0.4:
            found[0], found[1] = found[1], found[0]
        spare = [self.sections[key, area[:9]] for key in ("city", "clean")]
        return found[0], next(key for key in [*found[1:], *spare] if key != found[0])

    def _keys(self, street: str, kind: str) -> list[str]:
        return self.by_kind.get((street, kind), [])


# --- small things ----------------------------------------------------------------------------------


def short_name(name: str) -> str:
    """Return an area's name as people say it: 中枢社区居委会 is 中枢社区."""
    for ending in ("居民委员会", "村民委员会", "居委会", "村委会", "委员会", "街道"):
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name


def _particulars(rng: Random, kind: str) -> dict[str, object]:
    made: dict[str, Callable[[], dict[str, object]]] = {
        "market": lambda: {"stalls": rng.randint(60, 240), "live_poultry": rng.choice(("无", "隔离宰杀"))},
        "restaurant": lambda: {"grade": rng.choice("ABBC"), "seats": rng.randint(20, 120)},
        "shop": lambda: {"trade": "其他", "frontage_m": rng.randint(3, 9)},
        "toilet": lambda: {
            "grade": rng.choice(("一类", "二类", "三类")),
            "accessible": rng.choice(("是", "否")),
        },
        "school": lambda: {"stage": "小学", "pupils": rng.randint(500, 2200)},
        "compound": lambda: {"households": rng.randint(200, 1600), "built_year": rng.randint(1985, 2018)},
    }
    return made[kind]() if kind in made else {}


def rest_hours(moment: datetime) -> int:
    """Return the hours from an afternoon to ten o'clock of the next morning."""
    return 34 - moment.hour


def _uid(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def _degrees(value: float) -> Decimal:
    return Decimal(f"{value:.6f}")


def _months_back(at: datetime, months: int) -> datetime:
    total = at.year * 12 + at.month - 1 - months
    day = min(at.day, 28)
    return at.replace(
        year=total // 12, month=total % 12 + 1, day=day, hour=8, minute=0, second=0, microsecond=0
    )


def _turns(rng: Random, workers: Sequence[tuple[Person, float]], total: int) -> list[Person]:
    """Return who comes when: each as often as the share says, within one, in an order of chance."""
    whole = sum(share for _person, share in workers)
    turns: list[Person] = []
    owed = 0.0
    for person, share in workers:
        owed += share / whole * total
        turns += [person] * (round(owed) - len(turns))
    rng.shuffle(turns)
    return turns


def _share_out(rng: Random, total: int, most: Sequence[int]) -> list[int]:
    """Share findings out over visits: every visit has one at least, none more than its most, and one of 0 has none."""
    counts = [min(1, limit) for limit in most]
    weights = [0.4 + rng.random() if limit else 0.0 for limit in most]
    left = max(0, min(total, sum(most)) - sum(counts))
    while left:
        for position in rng.choices(range(len(most)), weights, k=left):
            if counts[position] < most[position]:
                counts[position] += 1
                left -= 1
    return counts
