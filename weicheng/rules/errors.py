"""The one error of the rules, and the sentence it says.

A rule that says no names the thing, the obstacle and the next step. The sentence is a template so that it
can be translated before its values are filled in; `code` is for tests, logs and API clients and never changes.
"""

from collections.abc import Callable
from typing import Any


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Return `message` unchanged; marks it for the catalogues, as rules cannot translate."""
    return message


class RuleError(Exception):
    """A rule's refusal.

    code: short lower-case words joined by hyphens, stable for ever
    message: Chinese sentence with {named} places
    values: what fills the places; also read by tests and by the API (`details`)
    """

    def __init__(self, code: str, message: str, /, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.values = values

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """Return the sentence, translated first and filled in afterwards."""
        return translate(self.message).format(**self.values)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence()}"


class ConflictError(RuleError):
    """The same identity with other content, or a base version that is no longer the newest: a person decides."""


class MissingError(RuleError):
    """What was asked for does not exist for this reader; foreign and absent are told alike."""


class ForbiddenError(RuleError):
    """The reader may see the thing but not do this with it."""
