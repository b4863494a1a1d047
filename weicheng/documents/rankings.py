"""The published rankings of a month, as a bulletin prints them."""

from weicheng.documents.bulletin import Ranking
from weicheng.rules.figures import Period


def published(area: str, period: Period) -> tuple[tuple[Ranking, ...], list[str]]:
    """Return the rankings of each level, and the codes of the areas that came last."""
    return (), []
