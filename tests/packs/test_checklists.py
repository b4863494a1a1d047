"""The check lists that come with the program: complete, honest about their points, cut from clauses that exist."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from weicheng.rules.digests import digest
from weicheng.rules.errors import RuleError
from weicheng.standards import actions, editions, kinds
from weicheng.standards.compare import _SAYS
from weicheng.standards.kinds import CheckStep, Confidence
from weicheng.standards.models import Edition

AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
DAY = date(2026, 11, 22)
QUAN = "320311"

# What the first release stored for its only check list, and the digest that sealed it.
FIRST = (Path(__file__).parent / "checklist_of_the_first_release.json").read_bytes().strip()
FIRST_DIGEST = "7393107d914f03ab56135dbe760b54bd66566569743ae81fec309254476be5ac"

LISTS = {  # key: lines, full marks
    "community-environment": (11, "100"),
    "ledger-organisation": (17, "170"),
    "ledger-health-education": (12, "120"),
    "ledger-vector": (12, "120"),
    "shop-front": (12, "1000"),
    "unit-four-no": (4, "100"),
    "road": (20, "100"),
    "red-armband": (3, "100"),
}


@pytest.fixture
def base(db):
    return actions.load_base(at=AT)


@pytest.fixture
def lists(base):
    return {each.key: each for each in editions.checklists(QUAN, DAY)}


def test_every_list_is_there_with_its_lines(lists):
    found = {key: (len(lists[key].body.items), str(lists[key].body.full)) for key in LISTS}
    assert found == LISTS


def test_every_line_is_cut_from_clauses_that_can_be_read(lists):
    homes = editions.clause_homes(QUAN)
    for key in LISTS:
        for item in lists[key].body.items:
            assert item.clauses, (key, item.number)
            for clause in item.clauses:
                assert homes[clause].clause(clause).id == clause


def test_points_that_nobody_published_are_called_local(lists):
    for key in LISTS:
        own = [item.number for item in lists[key].body.items
               if (item.confidence or lists[key].confidence) is not Confidence.LOCAL]  # fmt: skip
        published = {
            "community-environment": [str(number) for number in range(1, 12)],
            "shop-front": ["1-1", "1-2", "1-3", "1-4", "2-1", "2-2", "2-5", "2-6", "3-1"],
        }
        assert own == published.get(key, []), key


def test_a_shop_front_costs_what_the_scale_of_a_thousand_says(lists):
    ranges = {item.number: (item.points, item.most) for item in lists["shop-front"].body.items if item.most}
    assert ranges == {
        "1-1": (20, 50),  # 乱扔
        "1-2": (30, 50),  # 乱倒
        "1-3": (30, 100),  # 乱贴乱画
        "2-1": (10, 20),  # 悬挂
        "2-2": (20, 30),  # 搭棚架线
    }


def test_a_ledger_sheet_has_a_line_for_each_entry_of_its_volume(lists):
    vector = lists["ledger-vector"].body
    assert [item.number for item in vector.items] == [f"08-{n:02}" for n in range(1, 13)]
    assert vector.by_number["08-10"].clauses == ("c21-i31", "c21-n55", "c14-i40")
    assert vector.by_number["08-05"].evidence == "合同/采购凭证、登记表/名册"
    assert [head for head, _items in vector.by_section] == [
        "机制和组织",
        "孳生地治理和科学防制",
        "监测和密度",
    ]
    assert "不少于 6 次" in lists["ledger-health-education"].body.by_number["02-03"].requirement
    # Where all is missing nothing is left: 17 lines of 10 points each.
    organisation = lists["ledger-organisation"].body
    assert sum(item.points for item in organisation.items) == organisation.full == Decimal(170)


def test_a_shop_front_goes_from_dissuasion_to_the_brigade(lists):
    body = lists["shop-front"].body
    steps = (CheckStep.DISSUADE, CheckStep.ORDER, CheckStep.REPORT, CheckStep.SUPPORT)
    assert {body.steps_of(item) for item in body.items} == {steps}
    armband = lists["red-armband"].body
    assert {armband.steps_of(item) for item in armband.items} == {steps[:3]}
    assert lists["unit-four-no"].body.steps_of(lists["unit-four-no"].body.items[0]) == ()
    assert [item.title for item in lists["unit-four-no"].body.items] == [
        "无杂物堆放", "无痰迹", "无蜘蛛网", "无乱写乱画",
    ]  # fmt: skip


def test_the_edition_of_the_first_release_keeps_its_bytes(base):
    row = Edition.objects.get(key="community-environment", in_force_from=date(2015, 1, 1))
    assert (bytes(row.body), row.digest) == (FIRST, FIRST_DIGEST)
    assert digest(FIRST) == FIRST_DIGEST
    body = kinds.read_bytes("checklist", FIRST)
    assert [item.clauses for item in body.items] == [None] * 11
    assert kinds.body_bytes(body) == FIRST
    # The newer edition costs the same for the same findings.
    newer = editions.checklist("community-environment", QUAN, DAY).body
    assert [(i.number, i.points) for i in newer.items] == [(i.number, i.points) for i in body.items]
    assert actions.load_base(at=AT) == []


def test_a_list_cut_from_an_unknown_clause_is_not_published(base, tmp_path):
    file = tmp_path / "list.yaml"
    file.write_text(
        "kind: checklist\nkey: mine\ntitle: 检查表\nedition: 甲\nsource: 测试\nconfidence: local\n"
        'in_force_from: 2026-01-01\nbody: {full: "100", items: [{number: "1", title: 烟头, points: "2", '
        "clauses: [c21-i99]}]}",
        encoding="utf-8",
    )
    rows = Edition.objects.count()
    with pytest.raises(RuleError, match="unknown-clause-id") as refused:
        actions.load_pack(file, at=AT)
    assert "c21-i99" in refused.value.sentence()
    assert Edition.objects.count() == rows


def test_every_field_of_a_line_can_be_compared():
    named = set(kinds.CheckItem.model_fields) - {"number"}
    assert named <= set(_SAYS)
