"""New passwords: what is wrong with each, and nothing wrong with good ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.passwords import Problem, is_common, password_problems


def problems(password, login="chenyu", name="陈雨", min_length=8, classes=3):
    return password_problems(password, login, name, min_length=min_length, classes=classes)


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("Lan7-Tong", []),
        ("Lan7-Ton", []),  # eight
        ("Lan7-To", ["password-short"]),  # seven
        ("LANTONG-KX", ["password-classes"]),  # two classes
        ("lantong7kx", ["password-classes"]),
        ("Lantongkxw", ["password-classes"]),
        ("lantong7-kx", []),  # lower, digit, sign
        ("LANTONG7-KX", []),  # upper, digit, sign
        ("Lantong-kx", []),  # upper, lower, sign
        ("Lantong7kx", []),  # upper, lower, digit
        ("蓝天lantong7", []),  # a Chinese character is a sign
        ("CHENYU-7-lan", ["password-has-login"]),
        ("陈雨-Lan7-Tong", ["password-has-name"]),
        ("P@ssw0rd", ["password-common"]),
        ("aaa", ["password-short", "password-classes", "password-common"]),
        ("chenyu陈雨", ["password-classes", "password-has-login", "password-has-name"]),
        ("", ["password-short", "password-classes", "password-common"]),
    ],
)
def test_everything_wrong_is_told_at_once(password, wrong):
    assert problems(password) == wrong


@pytest.mark.parametrize(("min_length", "wrong"), [(9, []), (10, [Problem.SHORT])])
def test_the_length_is_a_setting(min_length, wrong):
    assert problems("Lan7-Tong", min_length=min_length) == wrong


@pytest.mark.parametrize(("classes", "wrong"), [(3, []), (4, [Problem.CLASSES])])
def test_the_number_of_classes_is_a_setting(classes, wrong):
    assert problems("Lantong7kx", classes=classes) == wrong


@pytest.mark.parametrize(
    ("login", "name", "wrong"),
    [
        ("lan", "", [Problem.LOGIN]),
        ("LAN", "", [Problem.LOGIN]),
        ("la", "", []),  # found in half of all words
        ("", "", []),
        ("", "to", [Problem.NAME]),
        ("", "TO", [Problem.NAME]),
        ("", "t", []),
    ],
)
def test_an_own_name_is_found_in_any_case_unless_it_is_too_short_to_seek(login, name, wrong):
    assert problems("Lan7-Tong", login=login, name=name) == wrong


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Passw0rd",
        "P@ssw0rd1!",
        "P@$$w0rd",
        "Admin@123",
        "4dm1n",
        "W3lcome2026!",
        "Huawei@2026",
        "Chuangwei@2026",
        "Test1234!",
        "123!Root",
        "Aa123456",
        "Abc12345",
        "Qwer1234",
        "1qaz@WSX",
        "!QAZ2wsx",
        "1q2w3e4R",
        "0987654321",
        "zyxwvuts",
        "a1!a1!A1",  # three different characters
        "aB1!aB1!",  # four
    ],
)
def test_what_is_tried_first_is_common(password):
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "Lan7-Tong",
        "Zhong7shan!lu",
        "Xz#83701k",
        "aB1!cB1!c",  # five different characters
        "abc-Tong7",  # a walk, but less than three quarters: 3 of 9
        "Passage-7-Lan",
    ],
)
def test_what_is_not_tried_first_is_not_common(password):
    assert not is_common(password)


@pytest.mark.parametrize(
    ("password", "common"),
    [
        ("qwerty7m", True),  # 6 of 8 walked: three quarters
        ("qwert7mk", False),  # 5 of 8
        ("qwemasdmz", False),  # 6 of 9
        ("7mqwerty", True),  # the same walk at the end
        ("m7qwert0", False),  # 5 of 8
        ("jkltrewq", True),  # the last three of a row, and a walk backwards
        ("lkjiop7x", True),  # 3 + 3 of 8, the last three of the upper row
    ],
)
def test_three_quarters_of_a_walk_are_a_walk(password, common):
    assert is_common(password) is common


def test_each_problem_has_its_sentence_with_the_settings():
    told = [problem.message.format(min_length=8, classes=3) for problem in Problem]
    assert told[0] == "密码太短。请至少使用 8 个字符。"
    assert "至少使用 3 种" in told[1]
    assert "登录名" in told[2]
    assert "姓名" in told[3]
    assert "常见" in told[4]


@given(st.text(max_size=20), st.text(max_size=10), st.text(max_size=10))
def test_problems_are_told_once_each_in_one_order(password, login, name):
    found = problems(password, login=login, name=name)
    assert found == [problem for problem in Problem if problem in found]
    assert (Problem.SHORT in found) is (len(password) < 8)
