"""What a finding or a visit looks like when it comes in, from any door: the page, the phone, the API, a file."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True)]


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


class Verdict(BaseModel):
    """What became of one finding: created, exists (sent before), conflict or refused; with a sentence."""

    uid: UUID
    status: str
    case: UUID | None = None
    number: str = ""
    due_at: datetime | None = None
    code: str = ""
    sentence: str = ""


COORDINATE_PLACES = Decimal("0.0000001")
