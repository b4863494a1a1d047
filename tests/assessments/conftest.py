"""A board of October for the three communities of the district, small enough to be reckoned by hand.

Routine checks and the ledger weigh half each. Garbage costs 2 points a finding and at most 5; all else costs 1.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import City
from weicheng.assessments.actions import confirm_board
from weicheng.assessments.appeals import Objection, file_appeal
from weicheng.assessments.boards import make_board
from weicheng.assessments.compute import compute_board
from weicheng.assessments.entries import Value, enter_values, field_of
from weicheng.assessments.models import Appeal, Board, Loss, Sheet
from weicheng.rules.figures import Period
from weicheng.standards.actions import Head, draft_edition, publish_edition
from weicheng.standards.kinds import Confidence

GARBAGE = {
    "number": "1.1", "title": "垃圾未清", "points": "2", "value": "5", "categories": ["06010"],
}  # fmt: skip
REST = {"number": "1.2", "title": "其他问题", "points": "1", "rest": True}
LEDGER = "source:ledger"


def scheme_body(**changes: Any) -> dict[str, Any]:
    """Return the body of the scheme, changed where a test asks for it."""
    given = {
        "levels": ["street", "community"],
        "full": "100",
        "sources": [
            {"key": "routine", "title": "日常检查", "weight": "50", "always": True, "rounds": ["routine"]},
            {"key": "ledger", "title": "台账", "weight": "50", "kind": "given"},
        ],
        "groups": [{"number": "1", "title": "环境", "items": [GARBAGE, REST]}],
        "grades": [{"title": "优秀", "minimum": "90"}, {"title": "合格", "minimum": "60"}],
        "appeal_days": 3,
    }
    return given | changes


@dataclass
class Boards:
    """The cast, the board, and short ways to bring it on."""

    city: City
    board: Board
    now: datetime
    east_one: Sheet | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def compute(self) -> "Boards":
        self.board = compute_board(self.board, at=self.now)
        return self

    def confirm(self, by: str = "Qian") -> "Boards":
        self.board = confirm_board(self.board, base=None, by=self.city.actor(by), at=self.now)
        return self

    def sheet(self, code: str) -> Sheet:
        return Sheet.objects.select_related("board").get(board=self.board, code=code)

    def losses(self, code: str, **which: Any) -> list[Loss]:
        return list(
            Loss.objects.filter(sheet__board=self.board, sheet__code=code, **which).order_by("number")
        )

    def appeal(self, by: str = "Sun", **changes: Any) -> Appeal:
        """File an appeal against the first line of garbage in the east street's first community."""
        sheet = self.sheet(self.city.east_one)
        line = self.losses(self.city.east_one, item="1.1")[0]
        given = {
            "uid": uuid4(),
            "loss": line.number,
            "reason": "当日保洁员已清运，照片为施工方新倒",
        } | changes
        return file_appeal(Objection(**given), sheet=sheet, by=self.city.actor(by), at=self.now)[0]


@pytest.fixture
def boards(city: City) -> Boards:
    publish_scheme(city, "oct", scheme_body())
    for minutes in range(4):
        city.finding(at=city.now + timedelta(minutes=minutes))
    city.finding(area=city.west_one)
    now = city.now.replace(month=11, day=2)  # the first Monday of November
    board = make_board(
        area="320311", level="community", scheme_key="oct", period=Period.month("2026-10"), period_text="2026-10",
        by=city.actor("Qian"), at=now,
    )  # fmt: skip
    made = Boards(city, board, now)
    marks = {city.east_one: "90", city.east_two: "100", city.west_one: "80"}
    enter_values(
        board,
        field_of(board, LEDGER),
        [Value(code, Decimal(text)) for code, text in marks.items()],
        by=city.actor("Qian"),
        at=now - timedelta(hours=1),
    )
    return made


def publish_scheme(city: City, key: str, body: dict[str, Any], **head: Any) -> Any:
    """Publish a scheme of the district and return its edition."""
    given = {
        "title": "测试考核办法", "edition": key, "in_force_from": date(2026, 1, 1), "source": "测试",
        "confidence": Confidence.LOCAL, "key": key,
    } | head  # fmt: skip
    row = draft_edition(
        kind="scheme", owner="320311", head=Head(**given), body=body, by=city.actor("Qian"), at=city.now
    )
    return publish_edition(edition=row, by=city.actor("Qian"), at=city.now)
