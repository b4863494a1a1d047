"""`weicheng casestats`: files of every shape in, rates out, one sentence where a file is refused."""

import json

import pytest

from weicheng.cli import main
from weicheng.indicators.casestats import book

TIANMEN = {"month": "2016-12 天门", "accepted": 1054, "registered": 996, "should_close": 972, "closed": 911,
           "close_rate": 93.72, "closed_in_time": 737, "timely_close_rate": 75.82, "source": 4}  # fmt: skip


def run(tmp_path, capsys, name, content, *more):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    code = main(["casestats", "--input", str(file), *more])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(TIANMEN)),
        ("a.json", json.dumps({"months": [TIANMEN]})),
        ("a.json", json.dumps([TIANMEN])),
        (
            "a.yaml",
            "month: 2016-12\naccepted: 1054\nregistered: 996\nshould_close: 972\nclosed: 911\nclosed_in_time: 737\n",
        ),
        (
            "a.yaml",
            "2016-12:\n  受理数: 1054\n  立案数: 996\n  应结案数: 972\n  结案数: 911\n  按期结案数: 737\n",
        ),
        (
            "a.csv",
            "month,accepted,registered,should_close,closed,closed_in_time\n2016-12,1054,996,972,911,737\n",
        ),
        ("a.csv", "名称,数量\n受理数,1054\n立案数,996\n应结案数,972\n结案数,911\n按期结案数,737\n"),
        ("a.csv", "\ufeff月份,受理数,立案数,应结案数,结案数,按期结案数\n2016-12,1054,996,972,911,737\n"),
        (
            "a.csv",
            "月份,受理数,立案数,应结案数,结案数,按期结案数\n2016-12,1054,996,972,911,737\n".encode("gb18030"),
        ),
    ],
)
def test_a_file_of_any_shape_gives_the_published_rates(tmp_path, capsys, name, content):
    code, out, err = run(tmp_path, capsys, name, content, "--json")
    rates = json.loads(out)["whole"]["rates"]
    assert (code, err) == (0, "")
    assert (rates["close_rate"]["value"], rates["timely_close_rate"]["value"]) == (93.72, 75.82)
    assert (rates["close_rate"]["numerator"], rates["close_rate"]["denominator"]) == (911, 972)
    assert rates["rework_rate"]["value"] is None
    assert rates["rework_rate"]["reason"] == "未给出：返工案件数 reworked、应处置数 should_handle。"


def test_the_json_has_every_rate_with_its_formula_and_source(tmp_path, capsys):
    _code, out, _err = run(tmp_path, capsys, "a.json", json.dumps(TIANMEN), "--json")
    made = json.loads(out)
    assert set(made) == {"edition", "source", "months", "whole"}
    assert set(made["whole"]) == {"label", "counts", "rates", "carry_over", "stated", "unknown"}
    assert set(made["whole"]["rates"]) == {each.id for each in book().rates}
    for rate in made["whole"]["rates"].values():
        assert set(rate) == {
            "name", "value", "numerator", "denominator", "denominator_key", "formula", "source", "confidence", "reason",
        }  # fmt: skip
    assert made["whole"]["stated"]["close_rate"] == {"given": 93.72, "agrees": True}


def test_the_table_shows_months_beside_each_other_and_the_whole(tmp_path, capsys):
    rows = "month,should_close,closed,open_start,registered\n2026-09,100,90,5,110\n2026-10,60,55,25,60\n"
    code, out, _err = run(tmp_path, capsys, "a.csv", rows)
    assert code == 0
    assert "90.00% (90/100)" in out
    assert "91.67% (55/60)" in out
    assert "96.67% (145/150)" in out
    assert "合计" in out
    assert out.splitlines()[2].split() == ["期末未结", "25", "30", "30"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", json.dumps({**TIANMEN, "closed_in_time": 912}), "closed_in_time"),
        ("a.json", json.dumps({**TIANMEN, "closed": -1}), "“closed”"),
        ("a.json", json.dumps({**TIANMEN, "closed": 911.5}), "“closed”"),
        ("a.json", json.dumps({**TIANMEN, "closed": "很多"}), "“closed”"),
        ("a.json", "[1, 2]", "months"),
        ("a.json", "3", "months"),
        ("a.json", "[]", "没有数据"),
        ("a.csv", "", "没有数据"),
        ("a.csv", "month,closed\n2026-10,1,2\n", "第 2 行"),
        ("a.yaml", "a: [", "不是 JSON"),
        ("a.json", b"\xff\xfe\x00\x81", "文本"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_in_one_sentence(tmp_path, capsys, name, content, says):
    code, out, err = run(tmp_path, capsys, name, content, "--json")
    assert (code, out) == (1, "")
    assert says in err
    assert "Traceback" not in err


def test_a_file_that_is_not_there_and_a_wrong_command_line(tmp_path, capsys):
    assert main(["casestats", "--input", str(tmp_path / "none.json")]) == 1
    assert "打不开文件" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["casestats"])
    assert caught.value.code == 2


def test_a_name_that_means_nothing_is_said_on_stderr(tmp_path, capsys):
    code, _out, err = run(tmp_path, capsys, "a.json", '{"closd": 3, "should_close": 4}')
    assert code == 0
    assert "closd" in err


def test_the_names_are_listed(capsys):
    assert main(["casestats", "--names"]) == 0
    out = capsys.readouterr().out
    assert "should_close  应结案数" in out
    assert "按期结案数 / 应结案数" in out
