"""Area codes as paths (区划代码): which level a code has, what it is cut to, what stands within what.

Source: GB/T 2260 (6 digits), statistics codes for streets (9) and communities (12), unit grids (15);
`domain/standards/codes.md` section 1. Codes are cut by length and never by stripping zeros, because a
community may really end in zeros.
"""

from enum import IntEnum

from weicheng.rules.errors import N_, RuleError


class Level(IntEnum):
    """A level of the administrative tree; the value is the length of its codes in digits."""

    PROVINCE = 2
    CITY = 4
    DISTRICT = 6
    STREET = 9
    COMMUNITY = 12
    GRID = 15

    @property
    def column(self) -> str:
        """Return the name of the column that growing tables keep for this level."""
        return self.name.lower()


COLUMNS = tuple(level.column for level in Level)


def level_of(code: str) -> Level:
    """Return the level of a code; RuleError("area-code") when no level has codes of this form."""
    if not (code.isascii() and code.isdigit()):
        raise RuleError("area-code", N_("区划代码“{code}”应全部为数字。请从区划列表中选择。"), code=code[:40])
    try:
        return Level(len(code))
    except ValueError:
        raise RuleError(
            "area-code",
            N_("区划代码“{code}”应为 2、4、6、9、12 或 15 位数字。请从区划列表中选择。"),
            code=code[:40],
        ) from None


def cut(code: str) -> dict[str, str]:
    """Return the code's own and its ancestors' codes by column name; levels below it are empty strings.

    cut("320311001") -> province "32", city "3203", district "320311", street "320311001", community "", grid ""
    """
    level = level_of(code)
    return {step.column: code[:step] if step <= level else "" for step in Level}


def parent(code: str) -> str:
    """Return the code one level up, or "" for a province."""
    level = level_of(code)
    above = [step for step in Level if step < level]
    return code[: above[-1]] if above else ""


def ancestors(code: str) -> tuple[str, ...]:
    """Return the code itself first, then each code above it, nearest first: the order in which owners win."""
    level = level_of(code)
    return tuple(code[:step] for step in sorted(Level, reverse=True) if step <= level)


def is_within(code: str, area: str) -> bool:
    """Is `code` the area itself or below it? By path alone; mergers are the business of `places.within`."""
    level_of(code), level_of(area)
    return code.startswith(area)
