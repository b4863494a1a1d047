"""Check lists that tests make for themselves: a shop's steps, a ledger's lines without a category, a range."""

from datetime import date, timedelta
from uuid import uuid4

from weicheng.inspections.actions import record_visit
from weicheng.inspections.drafts import AnswerIn, VisitIn
from weicheng.standards.actions import Head, draft_edition, publish_edition
from weicheng.standards.kinds import Confidence

LEDGER = {
    "full": "100",
    "items": [
        {"number": "1.1", "title": "成立创卫领导小组", "points": "5", "section": "组织管理", "mode": "once"},
        {"number": "1.2", "title": "有年度计划和总结", "points": "5", "section": "组织管理", "mode": "once"},
        {"number": "2.1", "title": "有培训记录", "points": "1", "most": "3", "section": "健康教育"},
    ],
}
SHOP = {
    "full": "100",
    "steps": ["dissuade", "order", "report"],
    "items": [
        {"number": "1", "title": "门前无垃圾", "points": "2", "category": "06012"},
        {"number": "2", "title": "无占道经营", "points": "5", "category": "06025"},
    ],
}
ROAD = {
    "full": "100",
    "items": [{"number": "1", "title": "路面无积尘、无抛洒", "points": "2", "category": "06012"}],
}
FOUR_NO = {
    "full": "100",
    "items": [
        {"number": str(number), "title": title, "points": "1", "category": "06012"}
        for number, title in enumerate(("无乱堆乱放", "无痰迹", "无蛛网", "无乱写乱画"), start=1)
    ],
}


def forty(count=40):
    """Return a list of forty lines in four sections, as long as the standard's own."""
    return {
        "full": "100",
        "items": [
            {"number": str(n), "title": f"第 {n} 项检查内容", "points": "1", "category": "06012",
             "section": f"第 {(n - 1) // 10 + 1} 部分"}
            for n in range(1, count + 1)
        ],
    }  # fmt: skip


def publish(city, key, body, title="检查表"):
    """Publish a check list of the district, in force since long."""
    head = Head(
        title=title, edition="测试", source="测试", confidence=Confidence.LOCAL, in_force_from=date(2020, 1, 1), key=key
    )  # fmt: skip
    at = city.now - timedelta(hours=1)
    row = draft_edition(kind="checklist", owner="320311", head=head, body=body, by=city.actor("Qian"), at=at)
    return publish_edition(edition=row, by=city.actor("Qian"), at=at)


def visit(city, by="Lin", at=None, **changes):
    """Begin a visit of the east street's first community, with the community list unless another is named."""
    given = {"uid": uuid4(), "area": city.east_one, "checklist": "community-environment"} | changes
    return record_visit(VisitIn(**given), by=city.actor(by), at=at or city.now)[0]


def said(item, result="pass", **changes):
    return AnswerIn(**{"uid": uuid4(), "item": item, "result": result} | changes)
