"""What a finding or a visit looks like when it comes in, from any door: the page, the phone, the API, a file."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from weicheng.rules.answers import COUNT_LIMIT

Text = Annotated[str, StringConstraints(strip_whitespace=True)]


def _without_news(dumped: dict[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what earlier clients could not say: what they sent keeps its bytes, and so its digest."""
    return {name: value for name, value in dumped.items() if name not in news or value != news[name]}


class PointIn(BaseModel):
    """Where the device says it is; `datum` names the system the numbers are in."""

    model_config = ConfigDict(extra="forbid")

    # Decimal: a coordinate is compared and digested as it was sent, not as a float prints it.
    lon: Decimal = Field(ge=-180, le=180)
    lat: Decimal = Field(ge=-90, le=90)
    accuracy_m: Decimal | None = Field(default=None, ge=0, le=100_000)
    datum: str = "WGS84"
    at: AwareDatetime | None = None


class FindingIn(BaseModel):
    """One finding as captured. `uid` is made by the client: sending it again gives the same one finding."""

    model_config = ConfigDict(extra="forbid")

    uid: UUID
    area: Text = Field(max_length=15, description="区划代码，社区或街道")
    category: Text = Field(max_length=12, description="案件类别代码")
    severity: Text = Field(default="", max_length=20, description="严重程度代码；空为该类别的默认值")
    note: Text = Field(default="", max_length=100_000, description="情况说明，最多 1000 字")
    address: Text = Field(default="", max_length=2_000, description="地点，最多 200 字")
    unit: UUID | None = Field(default=None, description="责任单位；空为待派遣")
    visit: UUID | None = None
    item: Text = Field(default="", max_length=20, description="检查表项目编号")
    occurred_on: date | None = Field(default=None, description="空为今天")
    device_at: AwareDatetime | None = None
    point: PointIn | None = None
    count: int = Field(default=1, ge=1, le=COUNT_LIMIT, description="同类问题的处数")
    due_on: date | None = Field(default=None, description="责令整改的最后一天；空为按标准计算")

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_news(dump(self), {"count": 1, "due_on": None})


class VisitIn(BaseModel):
    """One visit as captured."""

    model_config = ConfigDict(extra="forbid")

    uid: UUID
    area: Text = Field(max_length=15)
    kind: Text = "routine"
    unit: UUID | None = None
    place: Text = Field(default="", max_length=200)
    checklist: Text = Field(default="", max_length=40, description="检查表的键；空为自由巡查")
    note: Text = Field(default="", max_length=1000)
    visited_on: date | None = None
    started_at: AwareDatetime | None = None
    leader: Text = Field(default="", max_length=60, description="带队领导")
    participants: Text = Field(default="", max_length=300, description="参加部门，用顿号分开")

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_news(dump(self), {"leader": "", "participants": ""})


class AnswerIn(BaseModel):
    """One line of a visit's check list, answered. `uid` is made by the client: sent again, it is the same one.

    base: the version of the answer that was seen when it was changed; 0 for the first
    """

    model_config = ConfigDict(extra="forbid")

    uid: UUID
    item: Text = Field(min_length=1, max_length=20, description="检查表项目编号")
    spot: Text = Field(default="", max_length=60, description="房间、路段；同一检查表查多处时用")
    result: Text = Field(max_length=10, description="pass、partly、fail、na")
    count: int | None = Field(default=None, ge=0, description="问题处数，不通过时默认为 1")
    points: Decimal | None = Field(default=None, ge=0, description="检查表给出扣分区间时所选的扣分")
    note: Text = Field(default="", max_length=100_000, description="情况说明，最多 400 字")
    opinion: Text = Field(default="", max_length=100_000, description="整改意见，最多 400 字")
    due_on: date | None = Field(default=None, description="整改期限；空为按标准计算")
    category: Text = Field(default="", max_length=12, description="案件类别代码；检查表已定的可空")
    severity: Text = Field(default="", max_length=20)
    unit: UUID | None = Field(default=None, description="责任单位；空为受检单位")
    step: Text = Field(default="", max_length=12, description="处置步骤：dissuade、order、report")
    informed_at: AwareDatetime | None = None
    arrived_at: AwareDatetime | None = None
    cleared_at: AwareDatetime | None = None
    device_at: AwareDatetime | None = None
    base: int = Field(default=0, ge=0)


class Verdict(BaseModel):
    """What became of one finding: created, exists (sent before), conflict or refused; with a sentence."""

    uid: UUID
    status: str
    case: UUID | None = None
    number: str = ""
    due_at: datetime | None = None
    code: str = ""
    sentence: str = ""


class AnswerVerdict(Verdict):
    """What became of one answer: created, changed, exists (said before), conflict or refused."""

    version: int = 0


COORDINATE_PLACES = Decimal("0.0000001")
