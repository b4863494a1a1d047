"""What a month's end costs: a score sheet over 50,000 findings, a bulletin of 5,000, a draw of 300 places from 30,000.

Runs inside a loaded site's settings and prints JSON: measure -> one number a round. Beside each time stands the
load of the machine when it was taken. A reference does the least that any program would have to do for the same
(read and insert the same rows by cursor, hash the same lots), seconds apart; a ratio to it outlives a busy hour.
"""

import json
import os
import random
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

ROWS = 62_000  # findings of a year: a month of them is 5,000, ten months are 50,000
SCORED_DAYS = 306
FRAME, DRAWN, STRATA, INSPECTORS = 30_000, 300, 40, 12

Results = dict[str, list[float]]


def main(district: str, rounds: int, frame: int) -> None:
    """Measure in every round each thing once, and print what was found."""
    import django

    django.setup()
    found: Results = defaultdict(list)
    site = _Site(district, frame)
    site.vary()
    # The first computing fills the caches of editions and areas, as a worker that runs has them.
    site.sheet({}, number=0)
    for number in range(rounds):
        site.sheet(found, number=number + 1)
        site.bulletin(found)
        site.draw(found)
    print(json.dumps(found))


@contextmanager
def _timed(found: Results, name: str) -> Iterator[None]:
    load = os.getloadavg()[0]
    begun, used = time.perf_counter(), time.process_time()
    yield
    found.setdefault(name, []).append(time.perf_counter() - begun)
    found.setdefault(f"{name}-cpu", []).append(time.process_time() - used)
    found.setdefault(f"{name}-load", []).append(load)


class _Site:
    """The loaded installation, and what is measured on it."""

    def __init__(self, district: str, frame: int) -> None:
        from django.utils import timezone

        from weicheng.places.actors import actor_of, today
        from weicheng.places.models import Post

        self.district, self.frame, self.now = district, frame, timezone.now()
        self.today = today(self.now)
        self.actor = actor_of(
            Post.objects.select_related("user", "unit").get(user__login="officer", role="district_officer")
        )

    # --- made once -------------------------------------------------------------------------------
    def vary(self) -> None:
        """Spread the copies over the categories of the scheme, and fill the frame of the draw."""
        from django.db import connection

        from weicheng.places.models import Area, Unit
        from weicheng.standards import editions

        body = editions.scheme("monthly", self.district, self.today).body
        named = sorted({code for line in body.items.values() for code in line.categories}) or ["06010"]
        with connection.cursor() as cursor:
            for table in ("inspections_finding", "cases_case"):
                for at, code in enumerate(named[:20]):
                    rest = len(named[:20])
                    cursor.execute(f"UPDATE {table} SET category = %s WHERE id %% {rest} = {at}", [code])
            # The copies are linked as their original will be: the worker has long been by.
            cursor.execute("UPDATE cases_case SET linked_at = opened_at WHERE linked_at IS NULL")
            cursor.execute("UPDATE cases_case SET repeats = 1 WHERE id % 50 = 1")
            cursor.execute("UPDATE cases_case SET rework = 1 WHERE id % 40 = 2")
        communities = sorted(
            code for code in Area.objects.filter(pk__startswith=self.district).values_list("pk", flat=True)
            if len(code) == 12
        )  # fmt: skip
        kinds = [kind.code for kind in editions.unit_kinds_or_none(self.district, self.today)]
        shops = [
            Unit(
                name=f"第{number}家", kind=kinds[number % len(kinds)], opened_on=date(2020, 1, 1)
            ).place_at(communities[number % len(communities)])
            for number in range(self.frame)
        ]  # fmt: skip
        Unit.objects.bulk_create(shops, batch_size=1000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def board(self, number: int) -> Any:
        """Make a board that was never computed; each ends a day before the last one."""
        from weicheng.assessments.boards import make_board
        from weicheng.rules.figures import Period

        # Up to a week ago: everything of the period has arrived.
        end = self.today - timedelta(days=7 + number)
        period = Period.between(end - timedelta(days=SCORED_DAYS - 1), end)
        return make_board(area=self.district, level="community", period=period, by=self.actor, at=self.now)

    # --- the sheet -------------------------------------------------------------------------------
    def sheet(self, found: Results, *, number: int) -> None:
        """Read, compute, and the whole job with its storing, beside the least that reads and writes the same."""
        from weicheng.assessments import jobs
        from weicheng.assessments.boards import objects_of, period_of, scheme_of
        from weicheng.assessments.compute import score_all
        from weicheng.assessments.facts import gather
        from weicheng.assessments.models import Loss
        from weicheng.notices.jobs import job_begins, job_ends
        from weicheng.rules.sheets import ActiveScheme

        board = self.board(number)
        scheme = scheme_of(board)
        active = ActiveScheme(scheme.rule, period_of(board))
        objects = objects_of(board)
        with _timed(found, "read"):
            facts = gather(board, scheme, active, objects, self.now)
        with _timed(found, "score"):
            score_all(active, objects, facts)
        job = jobs.start_compute(board, by=self.actor, at=self.now)
        with _timed(found, "job"):
            job_begins(str(job.uid))
            said = jobs.compute.call(board_uid=str(board.uid), job_uid=str(job.uid))
            job_ends(str(job.uid), said, at=self.now)
        lines = Loss.objects.filter(sheet__board=board).count()
        with _timed(found, "bare"):
            self._bare(board, lines)
        found.setdefault("records", []).append(facts.records)
        found.setdefault("lines", []).append(lines)
        found.setdefault("objects", []).append(len(objects))

    def _bare(self, board: Any, lines: int) -> None:
        """Read the findings of the period and insert as many rows as the sheet has lines, by cursor."""
        from django.db import connection, transaction

        from weicheng.assessments.models import Sheet

        sheet = Sheet.objects.filter(board=board).values_list("pk", flat=True)[0]
        columns = (
            "sheet_id, number, kind, source, item, title, record_kind, record, occurred_on, asked, lost, effect,"
            " restored, why, struck"
        )
        struck = False if connection.vendor == "postgresql" else 0
        row = ("per", "routine", "1.1", "垃圾未清", "finding", str(uuid.uuid4()), "2026-10-12", "0.500000",
               "0.500000", "0.500000", "0.000000", "{}", struck)  # fmt: skip
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT uid, area, responsible_id, occurred_on, repeats, rework, place_key, address, category"
                " FROM cases_case WHERE occurred_on BETWEEN %s AND %s",
                [str(board.period_start), str(board.period_end)],
            )
            cursor.fetchall()
            marks = f"({', '.join(['%s'] * 15)})"
            for begun in range(0, lines, 60):
                part = range(begun, min(begun + 60, lines))
                values: list[Any] = []
                for number in part:
                    values += [sheet, 1_000_000 + number, *row]
                cursor.execute(
                    f"INSERT INTO assessments_loss ({columns}) VALUES {', '.join([marks] * len(part))}",
                    values,
                )
            transaction.set_rollback(True)

    # --- the bulletin ----------------------------------------------------------------------------
    def bulletin(self, found: Results) -> None:
        """The Word file of the fullest month, and of a month in which nothing happened."""
        from weicheng.cases.models import Case
        from weicheng.rules.figures import Period

        last = self.today.replace(day=1) - timedelta(days=1)
        while last.day < 31:
            last = last.replace(day=1) - timedelta(days=1)
        month = Period.month(f"{last:%Y-%m}")
        cases = Case.objects.filter(district=self.district, opened_on__range=(month.start, month.end)).count()
        with _timed(found, "bulletin"):
            size = self._bulletin(month)
        with _timed(found, "empty"):
            self._bulletin(Period.month("2019-05"))
        found.setdefault("cases", []).append(cases)
        found.setdefault("bytes", []).append(size)

    def _bulletin(self, month: Any) -> int:
        from weicheng.documents.actions import bulletin_content
        from weicheng.documents.files import layout_for, word_of

        content = bulletin_content(area=self.district, period=month, as_of=self.now)
        return len(word_of([content], layout_for(content, owner=self.district), at=self.now))

    # --- the draw --------------------------------------------------------------------------------
    def draw(self, found: Results) -> None:
        """The rule on places that are at hand, and the whole verb on the table of units."""
        from weicheng.inspections.draws import DrawIn, draw_round, frame_of
        from weicheng.inspections.rounds import RoundIn, plan_round
        from weicheng.rules import draws as rule

        places, people = frame()
        quotas = rule.proportional(rule.sizes(places), DRAWN)
        with _timed(found, "draw"):
            rule.draw(places, quotas, seed="a seed", inspectors=people)
        with _timed(found, "hashes"):
            sorted(rule.lot("a seed", f"place|{place.id}") for place in places)
        draft = RoundIn(
            uuid.uuid4(), "unannounced", "暗访", self.today + timedelta(days=1), self.today + timedelta(days=9),
            checklists=_checklists(self.district, self.today),
        )  # fmt: skip
        planned = plan_round(draft, by=self.actor, at=self.now)
        found.setdefault("frame", []).append(len(frame_of(planned, "").candidates))
        with _timed(found, "verb"):
            draw_round(
                planned, DrawIn(total=DRAWN, apart=""), version=planned.version, by=self.actor, at=self.now
            )


def _checklists(area: str, on: date) -> tuple[str, ...]:
    from weicheng.standards import editions

    return tuple(each.key for each in editions.checklists(area, on))[:1]


def frame(size: int = FRAME) -> tuple[list[Any], list[Any]]:
    """Return places in strata of uneven size, and inspectors each with a street of their own."""
    from weicheng.rules.draws import Inspector, Place

    dice = random.Random(7)
    places = [
        Place(f"unit:{number:06d}", f"组{min(dice.randrange(STRATA), dice.randrange(STRATA)):02d}", f"3203110{number % 90 + 10:02d}001")
        for number in range(size)
    ]  # fmt: skip
    people = [
        Inspector(f"user:{number}", f"检查员{number}", (f"3203110{number + 10:02d}",))
        for number in range(INSPECTORS)
    ]
    return places, people


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
