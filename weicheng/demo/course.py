"""The course of one invented case: who makes which move when. Values in, values out.

A course keeps the same books as the real verbs: it knows when the clock starts anew and when it fires, so
that people never act on the past of what the clock has done. The loader hands the moves to the real verbs,
which judge each of them again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from weicheng.demo import words
from weicheng.rules.cases import Move, clock_plan
from weicheng.rules.moments import ZONE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Clock:
    """A running limit: when it started, when it warns, when it is due."""

    start: datetime
    warn: datetime
    due: datetime


@dataclass(frozen=True)
class Habit:
    """How a street works. Shares of cases, 0 to 1.

    prompt: handed in before the deadline; stuck: recent cases left open past it; slack: old ones too
    """

    prompt: float
    stuck: float
    slack: float


GOOD = Habit(prompt=0.99, stuck=0.0, slack=0.0)
PLAIN = Habit(prompt=0.92, stuck=0.11, slack=0.002)
BAD = Habit(prompt=0.52, stuck=0.55, slack=0.06)


@dataclass(frozen=True)
class Planned:
    """One move of a person. who: finder, dispatcher, handler, verifier or supervisor; unit: its rank of choice.

    photo: when the after-photo was received, for a hand-in
    """

    at: datetime
    move: Move
    who: str
    note: str = ""
    unit: int = 0
    until: datetime | None = None
    photo: datetime | None = None


@dataclass
class Course:
    """The moves in order; `fires` are the moments at which the clock speaks between them."""

    moves: list[Planned] = field(default_factory=list)
    fires: list[datetime] = field(default_factory=list)


class _Walk:
    """A case on its way; refuses, by ending, whatever would lie beyond `now`."""

    def __init__(self, rng: Random, opened_at: datetime, now: datetime, start: Callable[[datetime], Clock]):
        self.rng, self.now, self.start = rng, now, start
        self.at = opened_at
        self.course = Course()
        self.unit = 0
        self._restart(opened_at)

    def _restart(self, at: datetime) -> None:
        self.clock = self.start(at)
        self.pending = [moment for moment, _move in clock_plan(*_edges(self.clock))]

    def move(self, at: datetime, move: Move, who: str, note: str = "", **more: object) -> bool:
        """Take the move if it lies before now, and let the clock speak first; False ends the course."""
        at = max(at, self.at + timedelta(seconds=20))
        # Nobody acts in the very second in which the clock does.
        while any(abs(at - moment) < timedelta(seconds=5) for moment in self.pending):
            at += timedelta(seconds=7)
        if at >= self.now:
            return False
        self._fire(at)
        self.course.moves.append(Planned(at, move, who, note, unit=self.unit, **more))  # type: ignore[arg-type]
        self.at = at
        if move in (Move.DISPATCH, Move.FAIL, Move.REOPEN):
            self._restart(at)
        elif move in (Move.HAND_IN, Move.CANCEL, Move.WITHDRAW):
            self.pending = []
        return True

    def extend(self, at: datetime, until: datetime) -> bool:
        if not self.move(at, Move.GRANT_EXTENSION, "dispatcher"):
            return False
        start = self.clock.start
        self.clock = Clock(start, start + (until - start) * 2 / 3, until)
        plan = clock_plan(*_edges(self.clock))
        self.pending = [moment for moment, _move in plan if moment > self.at]
        return True

    def hand_in(self, at: datetime, notes: Sequence[str]) -> bool:
        at = max(at, self.at + 3 * MINUTE)
        received = at - timedelta(seconds=self.rng.randint(20, 110))
        return self.move(at, Move.HAND_IN, "handler", self.rng.choice(notes), photo=received)

    def finish(self) -> Course:
        self._fire(self.now)
        return self.course

    def _fire(self, upto: datetime) -> None:
        self.course.fires += [moment for moment in self.pending if moment <= upto]
        self.pending = [moment for moment in self.pending if moment > upto]


def _edges(clock: Clock) -> tuple[datetime, datetime, datetime]:
    return clock.start, clock.warn, clock.due


def course_of(
    rng: Random,
    *,
    opened_at: datetime,
    charged: bool,
    now: datetime,
    habit: Habit,
    start: Callable[[datetime], Clock],
) -> Course:
    """Return what happens to a case after it was opened.

    charged: the finder named the unit at once; now: the moment the demo ends, nothing happens later
    start: the clock of this case when started at a moment, from the editions in force
    """
    walk = _Walk(rng, opened_at, now, start)
    _go(walk, rng, charged, habit)
    return walk.finish()


def course_of_task(
    rng: Random, *, opened_at: datetime, now: datetime, start: Callable[[datetime], Clock], done: bool
) -> Course:
    """Return what happens to what must go its way, a part of a split case or what a yellow card names.

    done: it is settled and verified; else it is only accepted so far
    """
    walk = _Walk(rng, opened_at, now, start)
    if _accept(walk, rng) and done:
        walk.hand_in(in_hours(rng, walk.at + rng.randint(60, 200) * MINUTE), words.HAND_IN)
        walk.move(
            in_hours(rng, walk.at + rng.randint(60, 300) * MINUTE), Move.PASS, "verifier", words.PASSED[0]
        )
    return walk.finish()


def _go(walk: _Walk, rng: Random, charged: bool, habit: Habit) -> None:
    age = walk.now - walk.at
    chance = rng.random()
    if chance < 0.008:  # taken back by the finder at once
        walk.move(walk.at + rng.randint(60, 540) * timedelta(seconds=1), Move.WITHDRAW, "finder",
                  rng.choice(words.WITHDRAWN))  # fmt: skip
        return
    if not charged:
        if age < 2 * DAY and rng.random() < 0.7:
            return  # still waits for its dispatcher
        if not walk.move(in_hours(rng, walk.at + rng.randint(6, 100) * MINUTE), Move.DISPATCH, "dispatcher"):
            return
    if chance < 0.03 and not (age < 3 * DAY):
        walk.move(in_hours(rng, walk.at + rng.randint(30, 400) * MINUTE), Move.CANCEL, "dispatcher",
                  rng.choice(words.CANCELLED))  # fmt: skip
        return
    if chance < 0.06:  # the wrong unit
        declined = in_hours(rng, walk.at + rng.randint(15, 90) * MINUTE)
        if not walk.move(declined, Move.DECLINE, "handler", rng.choice(words.DECLINED)):
            return
        walk.unit = 1
        if not walk.move(in_hours(rng, walk.at + rng.randint(10, 120) * MINUTE), Move.DISPATCH, "dispatcher"):
            return
    if _left_open(walk, rng, habit, age):
        return
    _handle(walk, rng, habit)
    if walk.course.moves and walk.course.moves[-1].move is Move.HAND_IN:
        _verify(walk, rng, habit)


def _left_open(walk: _Walk, rng: Random, habit: Habit, age: timedelta) -> bool:
    """Leave the case open where its age and street say so; True when its course ends here."""
    late_share = habit.stuck if 2 * DAY < age < 40 * DAY else habit.slack if age >= 40 * DAY else 0
    if rng.random() < late_share:
        _leave_late(walk, rng)
        return True
    if rng.random() >= _open_share(age):
        return False
    if rng.random() < 0.55 or walk.clock.due > walk.now:
        if walk.clock.due > walk.now and rng.random() < 0.75:
            accepted = rng.random() < 0.7 and _accept(walk, rng)
            if accepted and rng.random() < 0.5:
                _ask(walk, rng, walk.now + rng.randint(2, 12) * DAY)
            return True
        # Handed in, and nobody has looked yet: an open case that is nobody's delay.
        _handle(walk, rng, Habit(prompt=0.96, stuck=0, slack=0))
        if walk.course.moves and walk.course.moves[-1].move is Move.HAND_IN and rng.random() < 0.12:
            looked = in_hours(rng, max(walk.at, walk.now - rng.randint(30, 600) * MINUTE))
            walk.move(looked, Move.FAIL, "verifier", rng.choice(words.FAILED))
        return True
    if not _accept(walk, rng) or walk.at >= walk.clock.due - MINUTE:
        return True
    if not _ask(walk, rng, walk.now + rng.randint(3, 20) * DAY):
        return True
    granted = in_hours(rng, walk.at + rng.randint(10, 60) * MINUTE)
    walk.extend(granted, walk.course.moves[-1].until or granted + DAY)
    return True


def _open_share(age: timedelta) -> float:
    for days, share in ((1, 0.9), (3, 0.8), (7, 0.72), (14, 0.64), (30, 0.42), (60, 0.12), (90, 0.03)):
        if age < days * DAY:
            return share
    return 0.0


def _leave_late(walk: _Walk, rng: Random) -> None:
    if rng.random() < 0.6:
        _accept(walk, rng)
    if rng.random() < 0.3:
        pushed = in_hours(rng, walk.clock.due + rng.randint(5, 60) * HOUR)
        if rng.random() < 0.6:
            walk.move(pushed, Move.SUPERVISE, "supervisor", rng.choice(words.SUPERVISED))
        else:
            walk.move(pushed, Move.NOTE, "dispatcher", rng.choice(words.REMARKS))


def _accept(walk: _Walk, rng: Random) -> bool:
    left = max(walk.clock.due - walk.at, 10 * MINUTE)
    return walk.move(walk.at + left * rng.uniform(0.02, 0.12), Move.ACCEPT, "handler")


def _ask(walk: _Walk, rng: Random, until: datetime) -> bool:
    until = until.astimezone(ZONE).replace(hour=18, minute=0, second=0, microsecond=0)
    asked = walk.at + max(walk.clock.due - walk.at, 20 * MINUTE) * rng.uniform(0.1, 0.4)
    if until <= walk.clock.due:
        return False
    return walk.move(asked, Move.ASK_EXTENSION, "handler", rng.choice(words.EXTENSION), until=until)


def _handle(walk: _Walk, rng: Random, habit: Habit) -> None:
    """Accept mostly, ask for more time now and then, hand in before or after the deadline."""
    if rng.random() < 0.4:
        if not _accept(walk, rng):
            return
        if rng.random() < 0.06 and walk.at < walk.clock.due - 30 * MINUTE:
            if not _ask(walk, rng, walk.clock.due + rng.randint(1, 6) * DAY):
                return
            answered, until = walk.at + rng.randint(10, 50) * MINUTE, walk.course.moves[-1].until
            if rng.random() < 0.7:
                if not walk.extend(answered, until or answered):
                    return
            elif not walk.move(answered, Move.REFUSE_EXTENSION, "dispatcher", rng.choice(words.REFUSED)):
                return
    if rng.random() < habit.prompt:
        walk.hand_in(_before(rng, walk.at, walk.clock.due), words.HAND_IN)
        return
    late = walk.clock.due + rng.choice((3, 8, 20, 30, 50, 75)) * HOUR * rng.uniform(0.6, 1.4)
    if habit is BAD and rng.random() < 0.12:
        pushed = in_hours(rng, walk.clock.due + rng.randint(2, 20) * HOUR)
        if pushed < late:
            walk.move(pushed, Move.SUPERVISE, "supervisor", rng.choice(words.SUPERVISED))
    walk.hand_in(in_hours(rng, late), words.HAND_IN)


def _verify(walk: _Walk, rng: Random, habit: Habit) -> None:
    again = 0.14 if habit is BAD else 0.06
    if rng.random() < again:
        if not walk.move(_looked(walk, rng), Move.FAIL, "verifier", rng.choice(words.FAILED)):
            return
        if not walk.hand_in(_before(rng, walk.at, walk.clock.due), words.HAND_IN_AGAIN):
            return
    if not walk.move(_looked(walk, rng), Move.PASS, "verifier", rng.choice(words.PASSED)):
        return
    if rng.random() < 0.012:
        again_at = in_hours(rng, walk.at + rng.randint(2, 9) * DAY)
        if not walk.move(again_at, Move.REOPEN, "supervisor", rng.choice(words.REOPENED)):
            return
        if walk.hand_in(_before(rng, walk.at, walk.clock.due), words.HAND_IN_AGAIN):
            walk.move(_looked(walk, rng), Move.PASS, "verifier", rng.choice(words.PASSED))


def _looked(walk: _Walk, rng: Random) -> datetime:
    return in_hours(rng, walk.at + rng.choice((1, 2, 4, 8, 24, 30, 48)) * HOUR * rng.uniform(0.4, 1.3))


def _before(rng: Random, since: datetime, due: datetime) -> datetime:
    """Return a moment before the deadline, in the daytime where there is one."""
    span = due - since
    for _try in range(6):
        at = since + span * rng.uniform(0.1, 0.93)
        if time(7) <= at.astimezone(ZONE).time() <= time(19):
            return at
    return since + span * rng.uniform(0.1, 0.93)


def in_hours(rng: Random, at: datetime) -> datetime:
    """Return the moment itself when it lies in the daytime, else one of the next morning."""
    local = at.astimezone(ZONE)
    if time(8) <= local.time() <= time(18, 30):
        return at
    morning = local if local.time() < time(8) else local + DAY
    return morning.replace(hour=8, minute=rng.randint(10, 58), second=rng.randint(0, 59))
