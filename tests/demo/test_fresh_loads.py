"""Loads that need an empty installation: refusals, the same twice, a whole year."""

import itertools
import sys
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from weicheng.assessments.models import Appeal, Board, Loss, Sheet
from weicheng.cases.models import Case, Event, HotSpot
from weicheng.demo.load import Summary, load_demo
from weicheng.documents.models import Document
from weicheng.evidence.models import StoredFile
from weicheng.inspections.models import Answer, Draw, Round, YellowCard
from weicheng.journal import site
from weicheng.places.models import Unit, User
from weicheng.rules.errors import RuleError
from weicheng.rules.moments import ZONE

AT = datetime(2026, 11, 23, 1, 40, tzinfo=ZONE)


def load(**changes: Any) -> Summary:
    site.forget()
    given: dict[str, Any] = {
        "area": "320311",
        "seed": 7,
        "at": AT,
        "months": 1,
        "progress": lambda _line: None,
    }
    return load_demo(**given | changes)


def test_an_installation_with_units_or_cases_is_refused(city):
    before = Unit.objects.count()
    with pytest.raises(RuleError) as refused:
        load()
    assert refused.value.code == "demo-not-empty"
    assert Unit.objects.count() == before


@pytest.mark.parametrize("area", ["3203", "320311001"])
def test_only_a_district_can_be_the_stage(db, area):
    with pytest.raises(RuleError) as refused:
        load(area=area)
    assert refused.value.code == "demo-area"
    assert not Unit.objects.exists()


def _everything() -> list[Any]:
    cases = Case.objects.order_by("uid").values_list(
        "uid",
        "state",
        "title",
        "address",
        "due_at",
        "closed_at",
        "on_time",
        "rework",
        "version",
        "responsible__uid",
    )
    events = Event.objects.order_by("case__uid", "number").values_list("case__uid", "move", "at", "by_name")
    files = StoredFile.objects.order_by("sha256").values_list("sha256", flat=True)
    units = Unit.objects.order_by("uid").values_list("uid", "name", "contact_masked")
    people = User.objects.order_by("login").values_list("login", "name")
    # Digests of what was drawn, answered, scored and issued: the bytes themselves agree.
    draws = Draw.objects.order_by("round__uid").values_list("round__uid", "digest")
    answers = Answer.objects.order_by("uid").values_list("uid", "digest")
    sheets = Sheet.objects.order_by("uid").values_list("uid", "total", "digest")
    losses = Loss.objects.order_by("sheet__uid", "number").values_list(
        "sheet__uid", "number", "record", "effect"
    )
    documents = Document.objects.order_by("uid").values_list("uid", "serial", "file_digest")
    told = (cases, events, files, units, people, draws, answers, sheets, losses, documents)
    return [list(rows) for rows in told]


@pytest.mark.slow
@pytest.mark.once
def test_the_same_seed_loads_the_same_demo_twice(db, tmp_path):
    seen = []
    for _time in range(2):
        with transaction.atomic():
            load()
            seen.append(_everything())
            transaction.set_rollback(True)
    assert seen[0] == seen[1]


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(("area", "seed"), [("320311", 20261122), ("110101", 7)])
def test_a_whole_year_loads(db, area, seed, capsys):
    made = load(area=area, seed=seed, months=12)
    with capsys.disabled():
        sys.stdout.write(f"\n{area}: {made.seconds:.1f} s, {made}\n")
    total = made.cases
    assert total == 4000
    assert 0.8 < made.states["closed"] / total < 0.92
    assert 0.015 < made.overdue / total < 0.06
    rounds = Counter(Round.objects.values_list("kind", flat=True))
    assert (rounds["monthly"], rounds["quarterly"], rounds["unannounced"]) == (12, 4, 5)
    assert (rounds["mock"], rounds["joint"], rounds["leader"]) == (1, 1, 1)
    assert rounds["weekly"] > 40
    assert Counter(Board.objects.values_list("level", "state")) == {
        ("street", "published"): 11, ("street", "computed"): 1, ("community", "confirmed"): 1,
    }  # fmt: skip
    assert set(Loss.objects.filter(kind="penalty").values_list("lost", flat=True)) == {10, 5, 3}
    assert sorted(Appeal.objects.values_list("state", flat=True)) == ["accepted", "open", "rejected"]
    assert sorted(YellowCard.objects.values_list("state", flat=True)) == ["lifted", "open"]
    issued = Document.objects.filter(state="issued").order_by("issued_at")
    assert list(issued.values_list("serial", flat=True)) == list(range(1, 12))
    assert Document.objects.filter(state="checked").count() == 1
    assert Case.objects.filter(repeats__gt=0).count() > 100
    assert HotSpot.objects.filter(listed=True).exclude(measure="").exists()
    # No place and no unit carries a twentieth; of the kinds of matter some are common by nature.
    for column, part in (("community", 20), ("responsible", 20), ("category", 5)):
        counts = itertools.groupby(
            sorted(Case.objects.exclude(**{column: None}).values_list(column, flat=True))
        )
        assert max(len(list(rows)) for _value, rows in counts) < total / part
