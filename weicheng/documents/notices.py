"""整改通知书, 督办单 and 复查单 of a case, as content. Facts go in, a document comes out; nothing is looked up here.

Structure of the field's forms (整改通知书: 被通知单位、检查时间地点、问题、要求和期限、回复、后果、检查人签字、签收、回执; 督办单: 事项来源 督办
事项 责任单位 交办时间 完成时限 办理要求 领导批示 办理情况 审核意见; 复查单: 对照通知逐项复查).
"""

from dataclasses import dataclass
from datetime import date, datetime

from weicheng.documents.wording import Wording
from weicheng.rules.content import (
    Block,
    Code,
    Content,
    Fact,
    Form,
    Line,
    LinkRef,
    Paragraph,
    Photos,
    Picture,
    Signatures,
    Table,
    TearOff,
    Text,
    day_text,
)

SIGN = "______________"


@dataclass(frozen=True)
class CaseFacts:
    """What a notice says about a case.

    clause: the line of the check list it falls under, "" for a free finding; history: steps as (moment, what)
    replied: what the unit handed in, "" before; link: the address of its link, "" where there is none
    """

    number: str
    path: str
    title: str
    note: str
    place: str
    unit: str
    found_on: date
    source: str
    clause: str
    severity: str
    due_at: datetime | None
    dispatched_on: date | None
    replied: str
    replied_on: date | None
    rework: int
    photos: tuple[Picture, ...]
    after: tuple[Picture, ...]
    link: str


def compose(kind: str, facts: CaseFacts, wording: Wording, *, as_of: datetime) -> Content:
    """Return the notice of this kind: rectify, supervise or recheck."""
    blocks, slip = {"rectify": _rectify, "supervise": _supervise, "recheck": _recheck}[kind](facts, wording)
    return Content(
        kind=kind,
        agency=wording.agency,
        title=wording.title,
        word=wording.word,
        addressed_to="" if kind == "supervise" else f"{facts.unit or '有关责任单位'}：",
        as_of=as_of,
        blocks=tuple(blocks),
        slip=tuple(slip),
        signed_by=wording.agency,
        editions=wording.editions,
    )


def _own(wording: Wording, key: str) -> Paragraph:
    return Paragraph((Text(wording.text(key)),), own=key)


def _due(facts: CaseFacts) -> str:
    if facts.due_at is None:
        return "收到本通知后立即"
    return f"{day_text(facts.due_at.date())}{facts.due_at:%H:%M}"


def _case_line(facts: CaseFacts) -> Line:
    return (LinkRef(facts.number, facts.path),)


def _found(facts: CaseFacts) -> Table:
    fact = "。".join(part.rstrip("。") for part in (facts.title, facts.note) if part)
    return Table(
        "",
        ("序号", "事项编号", "地点", "问题", "依据", "程度"),
        (
            (
                (Text("1"),),
                _case_line(facts),
                (Text(facts.place),),
                (Text(f"{fact}。"),),
                (Text(facts.clause or "日常巡查"),),
                (Text(facts.severity),),
            ),
        ),
        (2, 7, 6, 8, 4, 2),
        (0, 1, 5),
    )


def _rectify(facts: CaseFacts, wording: Wording) -> tuple[list[Block], list[Block]]:
    where = facts.place or facts.unit
    blocks: list[Block] = [
        Paragraph((Text(f"{day_text(facts.found_on)}，检查人员在{where}发现以下问题："),)),
        _found(facts),
    ]
    if facts.photos:
        blocks.append(Photos(facts.photos))
    blocks += [
        Paragraph((Text("整改要求", strong=True),)),
        Paragraph((Text("整改期限："), Text(_due(facts), strong=True), Text("前。"))),
        _own(wording, "requirements"),
        Paragraph((Text(f"请于{day_text(wording.due.date())}前书面回复整改情况。"),)),
        _own(wording, "consequence"),
    ]
    if facts.link:
        blocks.append(Code(facts.link, "扫码查看事项、上报整改情况和照片"))
    return blocks, [
        Signatures((f"检查人：{SIGN}　{SIGN}", f"签收人：{SIGN}　　　　年　　月　　日")),
        TearOff("—— 回执，请沿此线裁下 ——"),
        Form(
            (
                Fact("回执单位", (Text(facts.unit),)),
                Fact("事项编号", _case_line(facts)),
                Fact("整改情况", room=4),
                Fact("完成时间", (Text("　　　　年　　月　　日"),)),
                Fact("负责人签字", (Text("（盖章）"),), room=2),
            )
        ),
    ]


def _supervise(facts: CaseFacts, wording: Wording) -> tuple[list[Block], list[Block]]:
    handed = day_text(facts.dispatched_on) if facts.dispatched_on else "尚未派遣"
    blocks: list[Block] = [
        Form(
            (
                Fact("事项来源", (Text(f"{facts.source}，"), *_case_line(facts))),
                Fact("督办事项", (Text("。".join(p for p in (facts.title, facts.note) if p)),), room=2),
                Fact("地点", (Text(facts.place),)),
                Fact("责任单位", (Text(facts.unit or "尚未派遣"),)),
                Fact("责任人", (Text(""),)),
                Fact("交办时间", (Text(handed),)),
                Fact("完成时限", (Text(_due(facts) if facts.due_at else "—"),)),
            )
        ),
        Paragraph((Text("办理要求", strong=True),)),
        _own(wording, "requirements"),
        Paragraph((Text(f"办理情况请于{day_text(wording.due.date())}前反馈。"),)),
        Form((Fact("领导批示", room=3), Fact("办理情况", room=4), Fact("审核意见", room=2))),
    ]
    if facts.link:
        blocks.append(Code(facts.link, "扫码查看事项、上报办理情况"))
    return blocks, []


def _recheck(facts: CaseFacts, wording: Wording) -> tuple[list[Block], list[Block]]:
    replied = facts.replied or "尚未上报整改情况"
    on = f"（{day_text(facts.replied_on)}上报）" if facts.replied_on else ""
    blocks: list[Block] = [
        Paragraph((Text("现对下列事项的整改情况进行复查："),)),
        _found(facts),
        Form(
            (
                Fact("责任单位", (Text(facts.unit),)),
                Fact("整改期限", (Text(_due(facts) if facts.due_at else "—"),)),
                Fact("整改情况", (Text(f"{replied}{on}"),), room=2),
                Fact("返工次数", (Text(f"{facts.rework}次"),)),
            )
        ),
    ]
    if facts.after or facts.photos:
        blocks.append(Photos((*facts.photos[:2], *facts.after[:2])))
    blocks += [Paragraph((Text("复查要求", strong=True),)), _own(wording, "requirements")]
    return blocks, [
        Form(
            (
                Fact("复查时间", (Text("　　　　年　　月　　日　　时　　分"),)),
                Fact("复查意见", (Text("□ 整改到位　　□ 整改不到位，退回重新整改"),), room=3),
                Fact("下次复查", (Text("　　　　年　　月　　日"),)),
            )
        ),
        Signatures((f"复查人：{SIGN}　{SIGN}", f"责任单位签字：{SIGN}")),
    ]
