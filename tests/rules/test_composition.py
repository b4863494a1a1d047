"""The marks of a year out of its parts, with the arithmetic beside them."""

from decimal import Decimal

import pytest

from weicheng.rules.composition import Part, mean_marks


@pytest.mark.parametrize(
    ("parts", "full", "mean"),
    [
        ([("98", "100"), ("96", "100")], "100", "97"),
        ([("98", "100"), ("97", "100"), ("97", "100")], "100", "97.333333"),  # 292 / 3
        ([("47", "94"), ("100", "100")], "100", "75"),  # (50 % + 100 %) / 2: the month of 94 counts as much
        ([("500", "1000")], "100", "50"),
        ([("0", "100")], "100", "0"),
        ([("98", "100"), ("0", "0")], "100", "98"),  # a part without full marks says nothing
        ([("103", "100")], "100", "100"),  # a bonus does not lift a part above the full marks
        ([], "100", None),
        ([("0", "0")], "100", None),
    ],
)
def test_months_are_averaged_on_one_scale(parts, full, mean):
    made = [Part(str(number), Decimal(total), Decimal(whole)) for number, (total, whole) in enumerate(parts)]
    assert mean_marks(made, Decimal(full)) == (None if mean is None else Decimal(mean))
