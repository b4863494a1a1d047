"""What a unit was after each change: versions with digest, and the reading of them as a list of changes."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.journal.actions import Who
from weicheng.places.models import Unit, UnitService, UnitVersion
from weicheng.rules.digests import canonical, digest

VERBS = {
    "create": gettext_lazy("登记"),
    "change": gettext_lazy("修改"),
    "import": gettext_lazy("导入"),
    "close": gettext_lazy("停用"),
    "merge": gettext_lazy("并入其他单位"),
    "move": gettext_lazy("随区划调整"),
    "serve": gettext_lazy("服务范围"),
}
TITLES = {
    "name": gettext_lazy("名称"),
    "kind": gettext_lazy("类别"),
    "area": gettext_lazy("区划"),
    "address": gettext_lazy("地址"),
    "credit_code": gettext_lazy("统一社会信用代码"),
    "lon": gettext_lazy("经度"),
    "lat": gettext_lazy("纬度"),
    "accuracy_m": gettext_lazy("定位精度（米）"),
    "contact": gettext_lazy("联系人"),
    "opened_on": gettext_lazy("启用日期"),
    "closed_on": gettext_lazy("停用日期"),
    "merged_into": gettext_lazy("并入单位"),
    "services": gettext_lazy("服务范围"),
    "particulars": gettext_lazy("类别信息"),
}


def payload(unit: Unit, services: Sequence[str]) -> dict[str, Any]:
    """Return the open fields of a unit; the contact only as it is masked."""
    return {
        "name": unit.name,
        "kind": unit.kind,
        "area": unit.area,
        "address": unit.address,
        "credit_code": unit.credit_code,
        "lon": unit.lon,
        "lat": unit.lat,
        "datum": unit.datum,
        "accuracy_m": unit.accuracy_m,
        "contact": unit.contact_masked,
        "opened_on": unit.opened_on,
        "closed_on": unit.closed_on,
        "merged_into": unit.merged_into_id,
        "services": sorted(services),
        "particulars": json.loads(unit.particulars or "{}"),
    }


def keep(units: Iterable[Unit], *, verb: str, by: Who, at: datetime) -> None:
    """Append a version of each unit as it is now, in three statements whatever their number."""
    units = list(units)
    if not units:
        return
    ids = [unit.pk for unit in units]
    numbers: dict[int, int] = {}
    services: dict[int, list[str]] = {}
    for part in (ids[start : start + 500] for start in range(0, len(ids), 500)):
        rows = UnitVersion.objects.filter(unit_id__in=part).order_by().values_list("unit_id")
        numbers.update(rows.annotate(last=Max("number")))
        for unit_id, area in UnitService.objects.filter(unit_id__in=part).values_list("unit_id", "area"):
            services.setdefault(unit_id, []).append(area)
    made = []
    for unit in units:
        body = canonical(payload(unit, services.get(unit.pk, [])))
        made.append(
            UnitVersion(
                unit=unit,
                number=numbers.get(unit.pk, 0) + 1,
                verb=verb,
                by_key=by.key,
                by_name=by.name,
                post_label=by.post_label,
                at=at,
                body=body,
                digest=digest(body),
            )
        )
    UnitVersion.objects.bulk_create(made, batch_size=500)


@dataclass(frozen=True)
class Step:
    """One version as the timeline draws it."""

    at: datetime
    title: str
    actor: str
    post: str
    note: str
    tone: str = "teal"


def history(unit: Unit) -> list[Step]:
    """Return what changed with each version, newest first."""
    steps: list[Step] = []
    before: dict[str, Any] = {}
    for version in unit.versions.order_by("number"):
        now = json.loads(bytes(version.body))
        changed = [
            _("{title}：{old} → {new}").format(
                title=title, old=_shown(before.get(key)), new=_shown(now.get(key))
            )
            for key, title in TITLES.items()
            if before and before.get(key) != now.get(key)
        ]
        steps.append(
            Step(
                at=version.at,
                title=str(VERBS.get(version.verb, version.verb)),
                actor=version.by_name,
                post=version.post_label,
                note="\n".join(changed),
            )
        )
        before = now
    return steps[::-1]


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return "—"
    if isinstance(value, dict):
        return "、".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, list):
        return "、".join(map(str, value))
    return str(value)
