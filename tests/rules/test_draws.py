"""Draws: quotas that add up, lots that anybody can compute again, nobody sent to the own unit."""

import hashlib
import json
import random
import time
from typing import Any

import pytest

from weicheng.rules.draws import (
    Inspector,
    Pick,
    Place,
    differences,
    document,
    draw,
    frame_digest,
    lot,
    proportional,
    seed_digest,
    sizes,
)
from weicheng.rules.errors import RuleError

EAST, WEST = "320311001", "320311002"
SEED = "a-seed"
FRAME = [Place(f"unit:{n}", "shop·东" if n < 6 else "shop·西", EAST if n < 6 else WEST) for n in range(9)]


@pytest.mark.parametrize(
    ("room", "total", "quotas"),
    [
        ({"a": 60, "b": 30, "c": 10}, 10, {"a": 6, "b": 3, "c": 1}),  # exact parts
        ({"a": 5, "b": 4}, 3, {"a": 2, "b": 1}),  # 15/9 = 1 + 6/9, 12/9 = 1 + 3/9: the larger remainder
        ({"a": 3, "b": 3}, 1, {"a": 1, "b": 0}),  # equal remainders and sizes: by name
        ({"a": 1, "b": 3, "c": 5}, 3, {"a": 0, "b": 1, "c": 2}),  # 3/9, 1 + 0/9, 1 + 6/9: c gets the third
        ({"a": 1, "b": 2, "c": 6}, 6, {"a": 1, "b": 1, "c": 4}),  # 6/9, 1 + 3/9, 4 + 0/9: a gets the sixth
        ({"z": 2, "a": 4}, 3, {"z": 1, "a": 2}),  # 6/6, 12/6
        ({"b": 6, "a": 2}, 2, {"b": 2, "a": 0}),  # 1 + 4/8 and 0 + 4/8: equal remainders, the larger stratum
        ({"a": 2, "b": 2}, 4, {"a": 2, "b": 2}),  # everything
        ({"a": 2, "b": 2}, 0, {"a": 0, "b": 0}),
        ({"a": 0}, 0, {"a": 0}),
    ],
)
def test_quotas_follow_the_sizes_and_the_largest_remainders(room, total, quotas):
    assert proportional(room, total) == quotas


def test_quotas_never_exceed_a_stratum_whatever_the_sizes():
    numbers = random.Random(7)
    for _turn in range(200):
        room = {f"s{n}": numbers.randint(0, 12) for n in range(numbers.randint(1, 9))}
        total = numbers.randint(0, sum(room.values()))
        quotas = proportional(room, total)
        assert sum(quotas.values()) == total
        assert all(quotas[name] <= room[name] for name in room)


def refused(code: str, *args: Any, **kwargs: Any) -> RuleError:
    with pytest.raises(RuleError) as caught:
        draw(*args, **{"seed": SEED, **kwargs})
    assert caught.value.code == code
    return caught.value


def test_more_than_the_frame_is_refused_with_the_counts_of_each_stratum():
    with pytest.raises(RuleError) as caught:
        proportional({"东": 3, "西": 2}, 6)
    assert caught.value.code == "draw-too-large"
    assert "要抽取 6 处，可抽范围只有 5 处（东 3、西 2）" in caught.value.sentence()
    said = refused("draw-too-large", FRAME, {"shop·东": 7, "shop·西": 1}).sentence()
    assert "shop·东 7/6" in said
    assert "西" not in said
    # A place named beforehand cannot be drawn as well: 6 - 1 = 5 are left.
    assert "6/5" in refused("draw-too-large", FRAME, {"shop·东": 6}, recommended=["unit:0"]).sentence()


@pytest.mark.parametrize(
    ("code", "frame", "quotas", "more"),
    [
        ("draw-seed", FRAME, {"shop·东": 1}, {"seed": ""}),
        ("frame-empty", [], {}, {}),
        ("frame-twice", [*FRAME, FRAME[0]], {"shop·东": 1}, {}),
        ("recommended-unknown", FRAME, {}, {"recommended": ["unit:99"]}),
        ("recommended-unknown", FRAME, {}, {"recommended": ["unit:1", "unit:1"]}),
        ("quota-stratum", FRAME, {"school": 1}, {}),
        ("draw-negative", FRAME, {"shop·东": -1}, {}),
        ("draw-nothing", FRAME, {"shop·东": 0}, {}),
        (
            "inspector-twice",
            FRAME,
            {"shop·东": 1},
            {"inspectors": [Inspector("a", "甲"), Inspector("a", "乙")]},
        ),
    ],
)
def test_what_makes_no_draw_is_refused(code, frame, quotas, more):
    refused(code, frame, quotas, **more)


def test_a_negative_total_is_refused():
    with pytest.raises(RuleError, match="draw-negative"):
        proportional({"a": 1}, -1)


def test_the_draw_is_what_its_description_says_computed_here_anew():
    quotas = {"shop·东": 2, "shop·西": 1}
    picks = draw(FRAME, quotas, seed=SEED, recommended=["unit:7", "unit:3"])

    def own_lot(text: str) -> str:
        return hashlib.sha256(f"{SEED}|{text}".encode()).hexdigest()

    east = sorted((p.id for p in FRAME[:6] if p.id != "unit:3"), key=lambda i: own_lot(f"place|{i}"))[:2]
    west = sorted((p.id for p in FRAME[6:] if p.id != "unit:7"), key=lambda i: own_lot(f"place|{i}"))[:1]
    assert [pick.place for pick in picks] == ["unit:3", "unit:7", *east, *west]
    assert [pick.recommended for pick in picks] == [True, True, False, False, False]
    assert lot(SEED, "place|unit:1") == own_lot("place|unit:1")
    assert seed_digest(SEED) == hashlib.sha256(SEED.encode()).hexdigest()


def test_the_draw_is_pinned_so_that_old_documents_stay_true():
    picks = draw(
        FRAME,
        {"shop·东": 2, "shop·西": 1},
        seed=SEED,
        inspectors=[Inspector("a", "甲"), Inspector("b", "乙")],
    )
    assert [(pick.place, pick.inspector) for pick in picks] == [
        ("unit:3", "b"),
        ("unit:5", "a"),
        ("unit:7", "b"),
    ]


def test_the_order_of_frame_and_inspectors_does_not_matter():
    people = [Inspector("a", "甲"), Inspector("b", "乙", (WEST,)), Inspector("c", "丙")]
    quotas = {"shop·东": 3, "shop·西": 2}
    wanted = draw(FRAME, quotas, seed=SEED, inspectors=people, recommended=["unit:1", "unit:8"])
    shuffled, others = FRAME[::-1], people[::-1]
    assert draw(shuffled, quotas, seed=SEED, inspectors=others, recommended=["unit:8", "unit:1"]) == wanted
    assert frame_digest(shuffled) == frame_digest(FRAME)
    assert frame_digest(FRAME[1:]) != frame_digest(FRAME)


def test_another_seed_draws_others():
    results = {tuple(p.place for p in draw(FRAME, {"shop·东": 2}, seed=f"seed {n}")) for n in range(40)}
    assert len(results) > 10  # 30 ordered pairs of six


def test_each_place_of_a_stratum_comes_up_equally_often():
    counts = dict.fromkeys((p.id for p in FRAME[:6]), 0)
    for n in range(1200):
        for pick in draw(FRAME, {"shop·东": 2}, seed=f"seed {n}"):
            counts[pick.place] += 1
    # 1200 × 2/6 = 400 each, standard deviation about 16: five of them either way.
    assert all(320 <= count <= 480 for count in counts.values()), counts


def test_nobody_is_sent_to_the_own_unit_or_area_and_the_load_is_even():
    people = [Inspector("a", "甲", (EAST,)), Inspector("b", "乙", ("unit:8",)), Inspector("c", "丙")]
    for n in range(50):
        picks = draw(FRAME, {"shop·东": 4, "shop·西": 3}, seed=f"seed {n}", inspectors=people)
        for pick in picks:
            place = FRAME[int(pick.place.removeprefix("unit:"))]
            assert not next(one for one in people if one.key == pick.inspector).is_own(place)
    even = draw(FRAME, {"shop·东": 6, "shop·西": 3}, seed=SEED, inspectors=[Inspector(k, k) for k in "xyz"])
    assert sorted(pick.inspector for pick in even) == ["x"] * 3 + ["y"] * 3 + ["z"] * 3


def test_an_inspector_who_could_only_draw_the_own_is_refused_by_name():
    people = [Inspector("a", "甲"), Inspector("b", "林督查", (EAST, WEST))]
    said = refused("inspector-own", FRAME, {"shop·东": 1}, inspectors=people).sentence()
    assert "林督查" in said
    assert "甲" not in said


def test_a_place_that_is_everybodys_own_is_refused_before_any_lot():
    people = [Inspector("a", "甲", (EAST,)), Inspector("b", "乙", ("unit:2",))]
    error = refused("place-without-inspector", FRAME, {"shop·西": 1}, inspectors=people)
    assert error.values["count"] == 1
    assert "unit:2" in error.sentence()


def test_a_long_list_in_a_sentence_is_cut_with_its_count():
    twice = [*FRAME, *FRAME]
    assert "unit:4…（共 9）" in refused("frame-twice", twice, {"shop·东": 1}).sentence()


def made(**more: Any) -> dict[str, Any]:
    """Return a document as it is read from a file."""
    given = document(
        FRAME, {"shop·东": 2, "shop·西": 1}, seed=SEED, recommended=["unit:3"],
        inspectors=[Inspector("a", "甲", (EAST,)), Inspector("b", "乙")], about={"title": "季度检查"},
    )  # fmt: skip
    return json.loads(json.dumps(given)) | more


def test_a_document_computes_to_itself():
    assert differences(made()) == []
    assert made()["quotas"] == {"shop·东": 2, "shop·西": 1}


def codes(given: Any) -> list[str]:
    return [each.code for each in differences(given)]


def test_whatever_was_altered_is_named():
    given = made()
    given["result"][1]["place"] = next(
        p.id for p in FRAME[:6] if p.id not in {row["place"] for row in given["result"]}
    )
    assert codes(given) == ["draw-extra", "draw-missing"]
    given = made()
    given["result"][-1]["inspector"] = "a" if given["result"][-1]["inspector"] == "b" else "b"
    assert codes(given) == ["draw-changed"]
    given = made()
    given["result"][0]["recommended"] = False
    assert codes(given) == ["draw-changed"]
    assert codes(made(seed="another"))[0] == "draw-digest"
    given = made()
    given["frame"] = [line for line in given["frame"] if line[0] != given["result"][-1]["place"]]
    assert codes(given)[0] == "draw-digest"
    assert "draw-extra" in codes(given)
    given = made()
    given["result"].append(given["result"][0])
    assert codes(given) == ["draw-order"]
    given = made()
    given["quotas"]["shop·西"] = 9
    assert codes(given) == ["draw-too-large"]


@pytest.mark.parametrize(
    "given",
    [
        None, [], {}, {"weicheng_draw": 2}, made() | {"algorithm": "other"}, made() | {"frame": [["a", "b"]]},
        made() | {"frame": "x"}, made() | {"seed": 5}, made() | {"quotas": {"a": "1"}}, made() | {"quotas": []},
        made() | {"recommended": [1]}, made() | {"inspectors": [[]]}, made() | {"result": [{}]},
        made() | {"result": [[]]}, made() | {"frame": [[1, "a", "b"]]},
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_as_such(given):
    with pytest.raises(RuleError) as caught:
        differences(given)
    assert caught.value.code == "draw-file"


def test_three_hundred_of_thirty_thousand_places():
    frame = [Place(f"unit:{n}", f"shop·{n % 40}", f"3203110{n % 40:02d}") for n in range(30_000)]
    people = [Inspector(f"user:{n}", f"督查{n}", (f"3203110{n:02d}",)) for n in range(20)]
    started = time.perf_counter()
    quotas = proportional(sizes(frame), 300)
    picks = draw(frame, quotas, seed=SEED, inspectors=people)
    took = time.perf_counter() - started
    assert len(picks) == len({pick.place for pick in picks}) == 300
    assert sum(quotas.values()) == 300
    assert took < 2  # the goal of 0.2 s is measured by the bench on a quiet machine


def test_a_pick_without_inspectors_names_nobody():
    assert draw(FRAME[:1], {}, seed=SEED, recommended=["unit:0"]) == [Pick("unit:0", True, "")]


def test_a_refusal_of_the_quota_says_the_number_that_is_less_than_zero():
    assert refused("draw-negative", FRAME, {"shop·东": -2}).values == {"total": -2}
