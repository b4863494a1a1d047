"""What is wrong with a new password.

Source: `domain/standards/codes.md` section 7 (GB/T 22239-2019): length and character classes are the
caller's settings; the rest is what guessing programs try first.
"""

import re
from enum import StrEnum

from weicheng.rules.errors import N_


class Problem(StrEnum):
    """One thing wrong with a password; its value is a stable code."""

    SHORT = "password-short"
    CLASSES = "password-classes"
    LOGIN = "password-has-login"
    NAME = "password-has-name"
    COMMON = "password-common"

    @property
    def message(self) -> str:
        """Return its sentence as a template; {min_length} and {classes} are the settings."""
        return _MESSAGES[self]


_MESSAGES = {
    Problem.SHORT: N_("密码太短。请至少使用 {min_length} 个字符。"),
    Problem.CLASSES: N_("密码的字符种类太少。请在大写、小写、数字、符号中至少使用 {classes} 种。"),
    Problem.LOGIN: N_("密码中含有登录名。请去掉登录名。"),
    Problem.NAME: N_("密码中含有姓名。请去掉姓名。"),
    Problem.COMMON: N_("密码是常见的，容易被猜到。请换一个与单词、键盘顺序无关的密码。"),
}

# Words that stay when digits, signs and the usual disguises (@ for a, 0 for o) are taken off both ends.
_COMMON_WORDS = frozenset(
    (  # noqa: SIM905 - a list of words, not of literals
        "password passw passwd pass pwd admin administrator root user guest test demo welcome letmein "
        "iloveyou woaini huawei weicheng weisheng chuangwei aiwei changeme default secret master login "
        "monkey dragon football sunshine princess abc abcd abcdef aa aaa qaz sys super system "
        "wsx qwe asd zxc"
    ).split()
)
_DISGUISES = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s"})
# Rows and columns of the keyboard, as fingers walk them.
_WALKS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "!qaz@wsx#edc$rfv",
    "!@#$%^&*()",
)
_WALK_STEPS = frozenset(
    way[place : place + 3] for walk in _WALKS for way in (walk, walk[::-1]) for place in range(len(walk) - 2)
)
_FEWEST_DIFFERENT = 5


def password_problems(
    password: str, login: str, name: str, *, min_length: int, classes: int
) -> list[Problem]:
    """Return everything wrong with the password, in the order of `Problem`; empty when it may be used.

    login, name: of its owner; a login under three or a name under two characters is found everywhere and
    not sought
    min_length: characters; classes: how many of upper case, lower case, digits and others it must mix
    """
    folded = password.casefold()
    found = {
        Problem.SHORT: len(password) < min_length,
        Problem.CLASSES: _class_count(password) < classes,
        Problem.LOGIN: len(login) >= 3 and login.casefold() in folded,
        Problem.NAME: len(name) >= 2 and name.casefold() in folded,
        Problem.COMMON: is_common(password),
    }
    return [problem for problem, is_so in found.items() if is_so]


def is_common(password: str) -> bool:
    """Is it among what is tried first: a usual word in disguise, a walk on the keyboard, few characters?"""
    folded = password.casefold()
    if len(set(folded)) < _FEWEST_DIFFERENT:
        return True
    # A disguise may stand at an end too: "P@ssw0rd1!" is tried both as it is and with its ends taken off.
    bare = re.sub(r"^[^a-z]+|[^a-z]+$", "", folded)
    if {bare, bare.translate(_DISGUISES), _letters(folded.translate(_DISGUISES))} & _COMMON_WORDS:
        return True
    return _walked(folded) * 4 >= len(folded) * 3


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)


def _walked(folded: str) -> int:
    """Return how many characters belong to a run of three or more along the keyboard or the alphabet."""
    walked = {
        place + step
        for place in range(len(folded) - 2)
        if folded[place : place + 3] in _WALK_STEPS
        for step in range(3)
    }
    return len(walked)


def _class_count(password: str) -> int:
    kinds = (r"[A-Z]", r"[a-z]", r"[0-9]", r"[^A-Za-z0-9]")
    return sum(re.search(kind, password) is not None for kind in kinds)
