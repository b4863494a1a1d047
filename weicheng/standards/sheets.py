"""An edition's lines as a workbook or CSV file, through the one exporter."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.rules.errors import N_, RuleError
from weicheng.standards import kinds
from weicheng.standards.clause_views import sort_of, title_of
from weicheng.standards.models import Edition
from weicheng.ui.columns import Column
from weicheng.ui.exports import csv_response, xlsx_response

Cells = dict[str, Any]


def can_export(body: kinds.Part) -> bool:
    """Has this kind lines worth a sheet?"""
    return type(body) in _SHEETS


def response(row: Edition, body: kinds.Part, form: str) -> HttpResponseBase:
    """Return the edition as "xlsx" or "csv"; RuleError("no-sheet") for another form or kind."""
    if not can_export(body) or form not in {"xlsx", "csv"}:
        raise RuleError("no-sheet", N_("这一版标准不能这样导出。请改用“下载”。"))
    columns, lines = _SHEETS[type(body)]
    name = f"{row.title}_{row.edition}"
    rows = [lines(body, row)]
    if form == "csv":
        return csv_response(name, columns, rows, [])
    return xlsx_response(name, row.title[:31], columns, rows, [])


def _column(key: str, label: Any, **options: Any) -> Column:
    return Column(key, label, lambda cells: cells.get(key, ""), **options)


def _confidence(own: Any, otherwise: Any) -> str:
    return str(kinds.Confidence(own or otherwise).label)


_CLAUSES = [
    _column("id", gettext_lazy("编号")),
    _column("sort", gettext_lazy("类别")),
    _column("chapter", gettext_lazy("章")),
    _column("number", gettext_lazy("标准中的序号")),
    _column("title", gettext_lazy("名称")),
    _column("asked", gettext_lazy("要求")),
    _column("numbers", gettext_lazy("数值")),
    _column("note", gettext_lazy("说明")),
    _column("confidence", gettext_lazy("可信程度")),
    _column("source", gettext_lazy("来源")),
]


def _clauses(body: kinds.Clauses, row: Edition) -> list[Cells]:
    chapter_of = {item.id: item.chapter for item in body.items}
    for item in body.items:
        chapter_of |= dict.fromkeys(item.indicators, item.chapter)
    lines = []
    for clause in body.all:
        chapter = body.by_id.get(chapter_of.get(clause.id, ""))
        said = [clause.doubt, *(getattr(clause, name, "") for name in ("note", "county", "definition"))]
        lines.append(
            {
                "id": clause.id,
                "sort": sort_of(clause),
                "chapter": title_of(chapter) if chapter else "",
                "number": getattr(clause, "number", None) or _("未核实"),
                "title": title_of(clause),
                "asked": getattr(clause, "requirement", ""),
                "numbers": getattr(clause, "words", "") or getattr(clause, "threshold", ""),
                "note": "；".join(text for text in said if text),
                "confidence": _confidence(clause.confidence, row.confidence),
                "source": "；".join(body.sources_of(clause)),
            }
        )
    return lines


_CHECKLIST = [
    _column("number", gettext_lazy("编号")),
    _column("section", gettext_lazy("小标题")),
    _column("title", gettext_lazy("检查内容")),
    _column("requirement", gettext_lazy("要求")),
    _column("evidence", gettext_lazy("证明材料")),
    _column("points", gettext_lazy("扣分"), kind="number"),
    _column("most", gettext_lazy("最多扣分"), kind="number"),
    _column("clauses", gettext_lazy("对应条款")),
    _column("category", gettext_lazy("问题分类")),
    _column("confidence", gettext_lazy("可信程度")),
    _column("source", gettext_lazy("来源")),
]


def _checklist(body: kinds.CheckListBody, row: Edition) -> list[Cells]:
    return [
        {
            "number": item.number,
            "section": item.section or "",
            "title": item.title,
            "requirement": item.requirement or "",
            "evidence": item.evidence or "",
            "points": item.points,
            "most": item.most,
            "clauses": "、".join(item.clauses or ()),
            "category": item.category or "",
            "confidence": _confidence(item.confidence, row.confidence),
            "source": item.source or row.source,
        }
        for item in body.items
    ]


_SHEETS: dict[type, tuple[list[Column], Callable[[Any, Edition], list[Cells]]]] = {
    kinds.Clauses: (_CLAUSES, _clauses),
    kinds.CheckListBody: (_CHECKLIST, _checklist),
}
