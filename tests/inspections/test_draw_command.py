"""`weicheng draw`: a table of places in, a draw out; a published draw computed again; one sentence for a refusal."""

import json
from typing import Any

import pytest

from weicheng.cli import main
from weicheng.rules.draws import differences

FRAME = "id,stratum,area\na,东,320311001\nb,东,320311001\nc,西,320311002\nd,西,320311002\n"


def ran(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    code = main(["draw", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def frame(tmp_path):
    path = tmp_path / "frame.csv"
    path.write_text(FRAME, "utf-8-sig")  # as a spreadsheet saves it
    return str(path)


def test_a_table_is_drawn_and_the_draw_verifies(capsys, frame, tmp_path):
    code, out, _err = ran(capsys, "--frame", frame, "--quota", "2", "--seed", "lots", "--recommend", "a")
    given = json.loads(out)
    assert code == 0
    assert given["quotas"] == {
        "东": 1,
        "西": 1,
    }  # 2 of the three left: 2/3 and 4/3, the larger remainder is 东
    assert next(one["place"] for one in given["result"]) == "a"
    assert differences(given) == []
    path = tmp_path / "draw.json"
    path.write_text(out)
    assert ran(capsys, "--verify", str(path))[0] == 0
    path.write_text(out.replace('"lots"', '"other"'))
    code, out, _err = ran(capsys, "--verify", str(path))
    assert code == 1
    assert "seed_digest 不一致" in out
    assert "不一致 ·" in out


def test_single_strata_have_their_own_quotas(capsys, frame):
    code, out, _err = ran(capsys, "--frame", frame, "--quota", "东=2", "--quota", "西=1", "--seed", "x")
    assert code == 0
    assert len(json.loads(out)["result"]) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--quota", "9", "--seed", "x"), "可抽范围只有 4 处（东 2、西 2）"),
        (("--quota", "南=1", "--seed", "x"), "范围里没有这些分组：南"),
        (("--quota", "1", "--seed", "x", "--recommend", "z"), "推荐的地点不在范围内或重复：z"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(capsys, frame, arguments, told):
    code, _out, err = ran(capsys, "--frame", frame, *arguments)
    assert code == 1
    assert told in err


@pytest.mark.parametrize(
    "arguments", [(), ("--quota", "1"), ("--seed", "x"), ("--quota", "many", "--seed", "x"),
                  ("--quota", "1", "--quota", "2", "--seed", "x")],
)  # fmt: skip
def test_a_wrong_command_line_ends_with_two(frame, arguments):
    with pytest.raises(SystemExit) as ended:
        main(["draw", "--frame", frame, *arguments])
    assert ended.value.code == 2


def test_files_that_are_none_are_told(capsys, tmp_path):
    path = tmp_path / "x.json"
    assert "无法读取" in ran(capsys, "--verify", str(path))[2]
    path.write_text("no json")
    assert "不是 JSON 文件" in ran(capsys, "--verify", str(path))[2]
    path.write_text("[]")
    assert "weicheng_draw" in ran(capsys, "--verify", str(path))[2]
    path.write_text("name\na\n")
    assert "没有 id 列" in ran(capsys, "--frame", str(path), "--quota", "1", "--seed", "x")[2]
    path.write_bytes(b"\xff\xfe\x00")
    assert "无法读取" in ran(capsys, "--frame", str(path), "--quota", "1", "--seed", "x")[2]
