"""督查通报: what it says follows from the records; an empty month says so; the command makes the same file."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import translation

from tests.conftest import SHANGHAI, City
from tests.pictures import photo
from weicheng.cli import main
from weicheng.documents import actions, bulletin
from weicheng.documents.bulletin import Facts, OverdueLine, PlaceLine, Ranking, RankLine, SpotLine, compose
from weicheng.documents.bulletin_facts import gather
from weicheng.documents.wording import Wording, short_name
from weicheng.evidence.actions import attach
from weicheng.rules.content import LinkRef, Paragraph, Photos, Picture, Table, plain
from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Figure, Period, Ratio, Scope

MONTH = Period.month("2026-10")
AS_OF = datetime(2026, 11, 1, 8, 0, tzinfo=SHANGHAI)
WORDING = Wording(
    "泉山区创卫办", "关于2026年10月泉山区督查情况的通报", "泉创卫办", "各有关单位：", "", "泉山区创卫办", AS_OF,
    {"reason": "现通报如下。", "requirements": "立即整改。"},
)  # fmt: skip


def figure(key: str, value: int | Ratio | None, unit: str = "件", title: str = "") -> Figure:
    decimals = 1 if unit == "%" else 0
    return Figure(
        key,
        title or key,
        "",
        Scope("320311", "泉山区"),
        MONTH,
        AS_OF,
        value,
        unit,
        decimals,
        (("area", "320311"),),
    )


def figures(**values: int) -> dict[str, Figure]:
    given = {
        "visits": 0,
        "opened": 0,
        "closed": 0,
        "closed_on_time": 0,
        "open_now": 0,
        "overdue_now": 0,
    } | values
    made = {key: figure(key, value, "次" if key == "visits" else "件") for key, value in given.items()}
    made["on_time_rate"] = figure("on_time_rate", Ratio(given["closed_on_time"], given["closed"]), "%")
    return made


def facts(**changes) -> Facts:
    given = {
        "area": "320311", "name": "泉山区", "period": MONTH, "as_of": AS_OF, "wording": WORDING,
        "figures": figures(visits=20, opened=120, closed=90, closed_on_time=81, open_now=30, overdue_now=4),
        "before": figures(visits=25, opened=100, closed=90, closed_on_time=81), "below_name": "街道",
    }  # fmt: skip
    return Facts(**given | changes)


def late(count: int) -> tuple[OverdueLine, ...]:
    return tuple(
        OverdueLine(
            f"20261001-{n:06d}", "道路不洁", "东街道", "市场", date(2026, 10, 2), 30 - n % 30, f"/cases/{n}"
        )
        for n in range(count)
    )


def test_changes_are_worked_out_from_the_printed_numbers():
    text = compose(facts()).text()
    assert "立案交办问题120件（比上月增加20件）" in text
    assert "办结90件（与上月持平）" in text
    assert "按期结案率90.0%" in text  # 81 / 90
    assert (
        bulletin.change(figure("a", Ratio(2, 3), "%"), figure("a", Ratio(1, 3), "%")) == "+33.4个百分点"
    )  # 66.7 - 33.3
    assert bulletin.change(figure("a", Ratio(0, 0), "%"), figure("a", 1)) == "—"
    assert bulletin.change(figure("a", 3), figure("a", 5)) == "-2"


def test_an_empty_month_says_that_it_is_empty():
    content = compose(facts(figures=figures(), before=figures()))
    text = content.text()
    assert "没有登记检查，也没有立案、办结和未结的事项" in text
    assert "不作评价" in text
    assert "0%" not in text
    assert "100" not in text
    assert not any(isinstance(block, Table) for block in content.every_block())
    assert not content.attachments


def test_what_was_not_assessed_is_neither_none_nor_all():
    text = compose(facts(figures=figures(visits=3, opened=2), before=figures())).text()
    assert "按期结案率未评定" in text


def test_the_list_of_what_is_late_is_bounded_and_says_how_many_more():
    content = compose(facts(figures=figures(visits=1, opened=5000, overdue_now=5000), overdue=late(30)))
    table = content.attachments[-1].blocks[0]
    assert isinstance(table, Table)
    assert len(table.rows) == 30
    rest = content.attachments[-1].blocks[1]
    assert isinstance(rest, Paragraph)
    assert "另有4970件" in plain(rest.line)
    assert any(isinstance(part, LinkRef) for part in rest.line)


def test_thirty_late_cases_are_all_listed_and_nothing_more_is_said():
    content = compose(facts(figures=figures(visits=1, overdue_now=30), overdue=late(30)))
    assert len(content.attachments[-1].blocks) == 1


def test_places_beyond_a_page_go_to_an_attachment():
    def below(count):
        made = {"opened": figure("opened", 3), "closed": figure("closed", 2), "open": figure("open", 1),
                "overdue": figure("overdue", 0), "on_time_rate": figure("on_time_rate", Ratio(2, 2), "%")}  # fmt: skip
        return tuple(PlaceLine(f"第{n}街道", made) for n in range(count))

    assert not compose(facts(below=below(12))).attachments
    content = compose(facts(below=below(13)))
    assert [attachment.title for attachment in content.attachments] == ["2026年10月各街道事项办理情况"]
    assert "见附件1" in content.text()


def ranked(*totals, group="一类"):
    return tuple(
        RankLine(
            f"{group}第{n}街道",
            group,
            total,
            n,
            change=1 - n,
            before="90.00",
            worst=(("垃圾满溢", "3.00"),),
            path="/s",
        )
        for n, total in enumerate(totals, 1)
    )


def test_best_and_worst_are_named_by_group_with_the_reason():
    rankings = (
        Ranking("街道", (*ranked("98.00", "96.50", "91.00"), *ranked("88.00", "80.00", group="二类"))),
    )
    text = compose(facts(rankings=rankings)).text()
    assert "一类中，得分靠前的是一类第1街道（98.00分）" in text
    assert "一类中，得分靠后的是一类第3街道（91.00分）" in text
    assert "二类第2街道主要失分：垃圾满溢扣3.00分" in text
    assert "降2位" in text
    assert "持平" in text


def test_a_group_of_one_is_neither_praised_nor_blamed():
    text = compose(facts(rankings=(Ranking("街道", ranked("98.00")),))).text()
    assert "靠前" not in text
    assert "靠后" not in text


def test_who_was_not_assessed_is_ranked_nowhere():
    lines = (*ranked("98.00", "90.00"), RankLine("新街道", "一类", "0.00", None))
    text = compose(facts(rankings=(Ranking("街道", lines),))).text()
    assert "靠后的是一类第2街道" in text
    assert "未评定\t新街道" in text


def test_without_a_published_ranking_none_is_made_up():
    assert "考评结果尚未公布，本期不作排名" in compose(facts()).text()


def test_what_came_back_is_listed_with_its_guard():
    spots = tuple(SpotLine(f"路口{n}", "占道经营", 3, date(2026, 10, 9), "") for n in range(20))
    text = compose(facts(spots=spots)).text()
    assert "尚未落实" in text
    assert "另有5处" in text


def test_at_most_six_photos():
    photos = tuple(Picture(f"{n:064d}", f"照片{n}", "说明") for n in range(9))
    blocks = [block for block in compose(facts(photos=photos)).blocks if isinstance(block, Photos)]
    assert len(blocks[0].pictures) == 6


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("泉山区", "泉山"),
        ("徐州市", "徐州"),
        ("泰山街道", "泰山"),
        ("民富园社区", "民富园"),
        ("赣县", "赣县"),
    ],
)
def test_short_names(name, short):
    assert short_name(name) == short


# --- from the records --------------------------------------------------------------------------------------


def test_the_month_is_gathered_from_the_records(city: City, django_assert_max_num_queries):
    for _each in range(3):
        case = city.case()
    city.case(at=city.now - timedelta(days=30), occurred_on=date(2026, 9, 12))
    attach(
        uid=uuid4(), owner_kind="finding", owner_uid=case.uid, purpose="before", data=photo(), filename="a.jpg",
        by=city.actor("Lin"), at=city.now,
    )  # fmt: skip
    gather(area="320311", period=MONTH, as_of=AS_OF)  # warms what editions and areas are kept in
    with django_assert_max_num_queries(40):
        found = gather(area="320311", period=MONTH, as_of=AS_OF)
    assert found.figures["opened"].value == 3
    assert found.before["opened"].value == 1
    assert [line.name for line in found.below] == ["东街道", "西街道"]
    assert found.problems[0].value == 3
    assert len(found.overdue) == 4
    assert len(found.photos) == 1
    text = actions.bulletin_content(area="320311", period=MONTH, as_of=AS_OF).text()
    assert "超期未办结4件" in text


def test_numbers_of_persons_do_not_get_into_a_bulletin(city: City):
    city.case(note="住户13812345678反映")
    assert "13812345678" not in actions.bulletin_content(area="320311", period=MONTH, as_of=AS_OF).text()


def test_a_document_does_not_follow_the_language_of_the_screen(city: City):
    city.case()
    plain_text = actions.bulletin_content(area="320311", period=MONTH, as_of=AS_OF)
    with translation.override("en"):
        assert actions.bulletin_content(area="320311", period=MONTH, as_of=AS_OF) == plain_text


def test_a_month_without_data_is_an_honest_bulletin(city: City):
    content = actions.bulletin_content(area="320311", period=Period.month("2026-02"), as_of=AS_OF)
    assert "没有登记检查" in content.text()


def test_the_command_makes_the_same_file_as_the_page(city: City, tmp_path, capsys):
    city.case()
    document = actions.draft_bulletin(period=MONTH, by=city.actor("Qian"), at=AS_OF)
    target = tmp_path / "b.docx"
    given = [
        "bulletin",
        "--area",
        "320311",
        "--month",
        "2026-10",
        "-o",
        str(target),
        "--as-of",
        AS_OF.isoformat(),
    ]
    assert main(given) == 0
    assert target.read_bytes() == actions.file_of(document, at=AS_OF + timedelta(hours=1))
    assert "2026年10月" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--area", "320399", "--month", "2026-10"], "没有代码为"),
        (["--area", "320311", "--month", "2026-13"], "时段"),
        (["--area", "320311", "--month", "2026-10", "--as-of", "gestern"], "时刻"),
    ],
)
def test_the_command_refuses_in_a_sentence(city: City, tmp_path, capsys, given, said):
    assert main(["bulletin", *given, "-o", str(tmp_path / "b.docx")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "b.docx").exists()


def test_a_file_that_cannot_be_written_is_told(city: City, tmp_path, capsys):
    assert (
        main(["bulletin", "--area", "320311", "--month", "2026-10", "-o", str(tmp_path / "no" / "b.docx")])
        == 1
    )
    assert "写不进去" in capsys.readouterr().err


def test_an_office_without_words_for_a_kind_is_told(city: City):
    from weicheng.documents.wording import wording

    with pytest.raises(RuleError) as refused:
        wording("letter", owner="320311", name="泉山区", period="", at=AS_OF)
    assert refused.value.code == "no-wording"


def test_points_are_rounded_half_up():
    from weicheng.documents.rankings import _points

    assert _points(Decimal("91.005")) == "91.01"


def test_a_published_ranking_is_printed_with_its_reasons(monkeypatch):
    from weicheng.assessments import ranking
    from weicheng.documents import rankings

    def row(name, code, total, rank, before):
        lost = (("垃圾满溢", Decimal("2.005")),)
        return ranking.RankRow(
            code, name, "a", "一类", Decimal(total), rank, 2, before, Decimal("90.5"), "", lost, uuid4()
        )

    given = [row("东街道", "320311001", "98.005", 1, 3), row("西街道", "320311002", "70", None, None)]
    monkeypatch.setattr(
        ranking, "published_board", lambda area, period, level: "board" if level == "street" else None
    )
    monkeypatch.setattr(ranking, "rows", lambda board: given)
    (found,), worst = rankings.published("320311", MONTH)
    first, second = found.lines
    assert (found.title, first.name, first.group, first.total, first.rank) == (
        "街道",
        "东街道",
        "一类",
        "98.01",
        1,
    )
    assert (first.change, first.before, first.worst) == (2, "90.50", (("垃圾满溢", "2.01"),))
    assert (second.rank, second.change) == (None, None)
    assert worst == ["320311002"]
