"""A case on its way through its course, and the clock it will be given: what the loader keeps of every open case."""

from dataclasses import dataclass
from datetime import datetime

from weicheng.cases import deadlines
from weicheng.cases.models import Case
from weicheng.demo import story
from weicheng.demo.course import Clock, Course
from weicheng.places.actor import Actor


@dataclass
class Track:
    """A case on its way through its course: what of it is done, and who acts."""

    plan: story.PlannedFinding
    course: Course
    actors: list[Actor]
    done: int = 0
    fired: int = 0
    pk: int = 0

    def next_at(self) -> datetime | None:
        return self.course.moves[self.done].at if self.done < len(self.course.moves) else None

    def fire_at(self) -> datetime | None:
        return self.course.fires[self.fired] if self.fired < len(self.course.fires) else None


class Starts:
    """The clock of one case when started at a moment, by the editions in force: what the verbs will compute."""

    def __init__(self, case: Case):
        self.case = case

    def __call__(self, at: datetime) -> Clock:
        if at == self.case.clock_from:
            return Clock(at, self.case.warn_at, self.case.due_at)  # type: ignore[arg-type]
        found = deadlines.start_clock(self.case.area, self.case.category, self.case.severity, at).deadline
        return Clock(at, found.warn_at, found.due_at)
