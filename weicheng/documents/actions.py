"""What may happen to documents: drafted, changed, checked, issued, withdrawn. Every act leaves a version."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone, translation

from weicheng.cases.models import Case
from weicheng.documents import bulletin, files, notices
from weicheng.documents.bulletin_facts import gather
from weicheng.documents.models import Document, DocumentVersion, Kind
from weicheng.documents.notice_facts import facts_of
from weicheng.documents.numbering import next_serial
from weicheng.documents.wording import wording
from weicheng.journal.actions import Note, record, record_all
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.actor import Actor
from weicheng.places.areas import children, name_of
from weicheng.places.roles import Role
from weicheng.rules.cases import State
from weicheng.rules.content import Content, file_number, read
from weicheng.rules.digests import digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.figures import Period
from weicheng.rules.issuing import (
    ACT_LABELS,
    BY_WRITERS,
    NEEDS_REASON,
    Act,
    DocumentState,
    next_state,
    require_other_person,
)
from weicheng.standards import editions

BATCH_LIMIT = 100
WORDS_LIMIT = 4000
_OFFICERS = (Role.CITY_OFFICER, Role.DISTRICT_OFFICER, Role.STREET, Role.COMMUNITY, Role.LEADER)


def _in_chinese() -> translation.override:
    """Say everything in the language it was written in: a document does not follow its drafter's screen."""
    return translation.override(None)


# --- making content --------------------------------------------------------------------------------------


def bulletin_content(*, area: str, period: Period, as_of: datetime) -> Content:
    """Return the bulletin of an area and month as the records have it: for the page and for the command line."""
    with _in_chinese():
        content = bulletin.compose(gather(area=area, period=period, as_of=as_of))
    layout = editions.document_layout(area, timezone.localtime(as_of).date())
    return replace(content, editions=(str(layout.edition_id), *content.editions))


def content_of(document: Document) -> Content:
    """Return the text of a document as it stands now."""
    version = document.versions.filter(number=document.version).first()
    if version is None:
        raise MissingError("no-version", N_("这份文书的正文不在数据库中。请管理员从备份中恢复。"))
    return read(bytes(version.body))


# --- drafting --------------------------------------------------------------------------------------------


def require_writer(by: Actor) -> None:
    """Refuse a post that writes no documents: ForbiddenError("may-not-draft")."""
    if not by.powers.drafts or not by.area:
        raise ForbiddenError(
            "may-not-draft", N_("您当前的岗位不能起草文书。请切换到办公室岗位，或请有权限的人员办理。")
        )


def draft_bulletin(
    *, period: Period, by: Actor, at: datetime, uid: UUID | None = None, replaces: Document | None = None
) -> Document:
    """Draft the bulletin of the own area and a month; the same uid twice is one document.

    replaces: the withdrawn bulletin this one stands for; its own words are taken over
    RuleError("bulletin-early") for a month that has not begun
    """
    require_writer(by)
    known = _known(uid, by)
    if known is not None:
        return known
    if period.start > timezone.localtime(at).date():
        raise RuleError(
            "bulletin-early",
            N_("{period}还没有开始，不能起草通报。请选择已经开始的月份。"),
            period=period.label,
        )
    content = bulletin_content(area=by.area, period=period, as_of=at)
    if replaces is not None:
        content = content.with_own_words(content_of(replaces).own_words())
    document = _new(Kind.BULLETIN, content, area=by.area, by=by, at=at, uid=uid)
    document.period_start, document.period_end, document.period_label = period.start, period.end, period.label
    document.replaces = replaces
    with transaction.atomic():
        _write(document, content, Act.CHANGE, "", by=by, at=at)
        record(_note("document.draft", document), by=by, at=at)
    return document


def draft_notices(
    *, kind: str, cases: Sequence[Case], by: Actor, at: datetime, batch: UUID | None = None
) -> list[Document]:
    """Draft one notice of this kind for each case; a case that has an open draft of it keeps that one.

    RuleError: "notice-kind"; "no-cases"; "too-many-notices" beyond 100; "case-is-over" naming the first case for
    which there is nothing to order any more; "case-has-no-unit" naming the first that nobody is charged with
    """
    require_writer(by)
    _require_orderly(kind, cases)
    with _in_chinese():
        facts = facts_of(cases, reader=by, at=at)
    local = timezone.localtime(at)
    words = wording(kind, owner=by.area, name=by.area_name, period="", at=local)
    layout = editions.document_layout(by.area, local.date())
    batch = batch or uuid4()
    with transaction.atomic():
        open_ones = Document.objects.filter(
            owner=by.area, kind=kind, case__in=cases, state__in=(DocumentState.DRAFT, DocumentState.CHECKED)
        )
        found = {document.case_id: document for document in open_ones}
        made = []
        for case in cases:
            if case.pk in found:
                continue
            content = notices.compose(kind, facts[case.uid], words, as_of=local)
            content = replace(content, editions=(str(layout.edition_id), *content.editions))
            document = _new(kind, content, area=case.area, by=by, at=at)
            document.title = f"{content.title}：{case.title}"[:200]
            document.case, document.unit, document.batch = case, case.responsible, batch
            _write(document, content, Act.CHANGE, "", by=by, at=at)
            made.append(document)
            found[case.pk] = document
        record_all([(_note("document.draft", document), by) for document in made], at=at)
    return [found[case.pk] for case in cases]


def _require_orderly(kind: str, cases: Sequence[Case]) -> None:
    if kind not in {Kind.RECTIFY, Kind.SUPERVISE, Kind.RECHECK}:
        raise RuleError(
            "notice-kind", N_("没有“{kind}”这一种文书。请选择整改通知书、督办单或复查单。"), kind=kind[:20]
        )
    if not cases:
        raise RuleError("no-cases", N_("没有选中可以起草文书的事项。请返回列表勾选。"))
    if len(cases) > BATCH_LIMIT:
        raise RuleError(
            "too-many-notices",
            N_("一次最多起草 {limit} 份，选中了 {count} 件。请分批办理。"),
            limit=BATCH_LIMIT,
            count=len(cases),
        )
    for case in cases:
        if case.state == State.CANCELLED.value or (kind != Kind.RECHECK and not case.open):
            raise RuleError(
                "case-is-over",
                N_("事项 {number} 已经{state}，不能再起草{kind}。请取消勾选后再办。"),
                number=case.number,
                state=case.state_label,
                kind=Kind(kind).label,
            )
        if case.responsible_id is None:
            raise RuleError(
                "case-has-no-unit",
                N_("事项 {number} 还没有派遣责任单位，不知道发给谁。请先派遣。"),
                number=case.number,
            )


def _period_of(document: Document) -> Period:
    if document.period_start is None or document.period_end is None:
        raise ValueError(f"document {document.pk} reports on no period")
    return Period.between(document.period_start, document.period_end)


def _known(uid: UUID | None, by: Actor) -> Document | None:
    if uid is None:
        return None
    found = Document.objects.filter(uid=uid).first()
    if found is not None and found.owner != by.area:
        raise ConflictError("document-uid", N_("这个编号的文书已由其他单位起草。请刷新页面后重新起草。"))
    return found


def _new(
    kind: str, content: Content, *, area: str, by: Actor, at: datetime, uid: UUID | None = None
) -> Document:
    return Document(
        uid=uid or uuid4(),
        kind=kind,
        state=DocumentState.DRAFT.value,
        owner=by.area,
        owner_name=by.area_name or name_of(by.area),
        title=content.title[:200],
        word=content.word[:40],
        version=0,
        layout_edition=int(content.editions[0]) if content.editions else None,
        drafter_name=by.name,
        drafted_at=at,
    ).place_at(area)


def _write(document: Document, content: Content, act: Act, reason: str, *, by: Actor, at: datetime) -> None:
    """Append a version with this text and make it the document's."""
    body = content.as_bytes()
    document.version += 1
    document.content_digest = digest(body)
    if act is Act.CHANGE and by.key not in document.writer_keys:
        document.writers = " ".join((*document.writer_keys, by.key))
    document.save()
    DocumentVersion(
        document=document, number=document.version, act=act.value, reason=reason, by_key=by.key, by_name=by.name,
        at=at, body=body, digest=document.content_digest,
    ).save(force_insert=True)  # fmt: skip


def _note(verb: str, document: Document, **detail: str | int) -> Note:
    said = {"kind": document.kind, "version": document.version, "digest": document.content_digest, **detail}
    return Note(verb, "document", str(document.uid), document.owner, said)


# --- acts ------------------------------------------------------------------------------------------------


def _locked(document: Document, act: Act, base: int | None, by: Actor) -> Document:
    """Return the row, locked, after judging whether this person may do this to it now.

    MissingError("no-document"), ForbiddenError("may-not-sign" | "may-not-draft" | "own-document"),
    ConflictError("document-changed") when the reader saw an older version, RuleError("document-state")
    """
    row = Document.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=document.pk).first()
    if row is None:
        raise MissingError("no-document", N_("没有找到该文书，或您当前的岗位看不到它。请返回列表。"))
    if act in BY_WRITERS:
        require_writer(by)
    elif not by.powers.signs:
        raise ForbiddenError(
            "may-not-sign", N_("您当前的岗位不能{act}文书。请由办公室负责人或领导办理。"), act=ACT_LABELS[act]
        )
    if row.owner not in {code for _column, code in by.reach}:
        raise ForbiddenError(
            "foreign-document",
            N_("这份文书由{owner}办理，您的岗位不能{act}。"),
            owner=row.owner_name,
            act=ACT_LABELS[act],
        )
    next_state(DocumentState(row.state), act)
    require_other_person(act, row.writer_keys, by.key)
    if base is not None and base != row.version:
        raise ConflictError(
            "document-changed", N_("这份文书刚被他人修改或办理过。请刷新页面，看过新的内容后再办。")
        )
    return row


def _require_reason(act: Act, reason: str) -> str:
    reason = reason.strip()[:200]
    if act in NEEDS_REASON and not reason:
        raise RuleError("need-reason", N_("{act}要写明理由。请填写后再提交。"), act=ACT_LABELS[act])
    return reason


@transaction.atomic
def change_words(
    *, document: Document, words: Mapping[str, str], base: int | None, by: Actor, at: datetime
) -> Document:
    """Put other own words into a draft; the figures stay as they were counted.

    RuleError("unknown-place") for a place the document does not have, "too-long" beyond 4,000 characters.
    """
    row = _locked(document, Act.CHANGE, base, by)
    content = content_of(row)
    known = content.own_words()
    heads = {"title", "addressed_to", "copies_to"}
    for key, text in words.items():
        if key not in known and key not in heads:
            raise RuleError(
                "unknown-place", N_("这份文书没有“{key}”这一处文字。请刷新页面后重填。"), key=key[:20]
            )
        if len(text) > WORDS_LIMIT:
            raise RuleError(
                "too-long",
                N_("文字最多 {limit} 字，现在是 {count} 字。请精简。"),
                limit=WORDS_LIMIT,
                count=len(text),
            )
    changed = content.with_own_words({key: text.strip() for key, text in words.items() if key in known})
    head: dict[str, Any] = {key: text.strip() for key, text in words.items() if key in heads}
    if "title" in head and not head["title"]:
        raise RuleError("no-title", N_("标题不能空着。请填写标题。"))
    changed = replace(changed, **head)
    if changed == content:
        return row
    if "title" in head and row.kind == Kind.BULLETIN:
        row.title = changed.title[:200]
    _write(row, changed, Act.CHANGE, "", by=by, at=at)
    record(_note("document.change", row), by=by, at=at)
    return row


def count_again(*, document: Document, base: int | None, by: Actor, at: datetime) -> Document:
    """Count the figures of a draft again as the records stand now; the own words and the head stay."""
    content = _made_again(document, by, at)
    with transaction.atomic():
        row = _locked(document, Act.CHANGE, base, by)
        old = content_of(row)
        content = replace(
            content.with_own_words(old.own_words()),
            title=old.title, addressed_to=old.addressed_to, copies_to=old.copies_to,
        )  # fmt: skip
        _write(row, content, Act.CHANGE, "", by=by, at=at)
        record(_note("document.count", row), by=by, at=at)
    return row


def _made_again(document: Document, by: Actor, at: datetime) -> Content:
    """Return a document's text as it would be drafted now."""
    if document.kind == Kind.BULLETIN:
        return bulletin_content(area=document.area, period=_period_of(document), as_of=at)
    case = document.case
    if case is None:
        raise ValueError(f"document {document.pk} is about no case")
    local = timezone.localtime(at)
    words = wording(document.kind, owner=document.owner, name=document.owner_name, period="", at=local)
    with _in_chinese():
        facts = facts_of([case], reader=by, at=at)[case.uid]
    content = notices.compose(document.kind, facts, words, as_of=local)
    return replace(content, editions=(str(document.layout_edition), *content.editions))


@transaction.atomic
def take(
    *, document: Document, act: Act, base: int | None = None, reason: str = "", by: Actor, at: datetime
) -> Document:
    """Check, return, drop or withdraw a document; `issue` is its own verb.

    RuleError("need-reason") where an act has to say why; what `_locked` refuses.
    """
    row = _locked(document, act, base, by)
    reason = _require_reason(act, reason)
    row.state = next_state(DocumentState(row.state), act).value
    if act is Act.WITHDRAW:
        row.withdrawn_at, row.withdrawn_by, row.withdraw_reason = at, by.name, reason
        # The row was issued: nothing but the withdrawal may be written, or the database refuses.
        row.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "withdraw_reason"])
        notify_many(_told(row, f"已撤回：{row.number} {row.title}", reason, "withdraw"), at=at)
    else:
        if act is Act.CHECK:
            row.checker_key, row.checker_name, row.checked_at = by.key, by.name, at
        elif act is Act.RETURN:
            row.checker_key, row.checker_name, row.checked_at = "", "", None
        _write(row, content_of(row), act, reason, by=by, at=at)
        notify_many(_waiting(row, act, reason, by), at=at)
    record(_note(f"document.{act.value}", row, reason=reason), by=by, at=at)
    return row


def issue(*, document: Document, base: int | None = None, by: Actor, at: datetime) -> Document:
    """Issue a document: number, day, frozen text, and the Word file that everybody will download from now on.

    What takes long (charts, photos) is drawn before the transaction begins: others wait for its lock.
    """
    next_state(DocumentState(document.state), Act.ISSUE)
    drawn = files.pictures_of(content_of(document), at=at)
    on = timezone.localtime(at).date()
    with transaction.atomic():
        # What was drawn is of this version: another one has to be looked at first.
        row = _locked(document, Act.ISSUE, document.version if base is None else base, by)
        serial = next_serial(owner=row.owner, word=row.word, year=on.year)
        number = file_number(row.word, on.year, serial)
        content = content_of(row).issued(number=number, on=on)
        layout = files.layout_for(content, owner=row.owner, edition_id=row.layout_edition)
        data = files.docx_of(content, layout, drawn)
        stored = files.keep(data, at=at)
        row.state = DocumentState.ISSUED.value
        row.year, row.serial, row.issued_on, row.issued_at = on.year, serial, on, at
        row.issuer_key, row.issuer_name = by.key, by.name
        row.file, row.file_digest = stored, stored.sha256
        _write(row, content, Act.ISSUE, "", by=by, at=at)
        with _in_chinese():
            title = f"{row.kind_label}：{row.number}"
        notify_many(_told(row, title, row.title, "issue"), at=at)
        record(_note("document.issue", row, number=number, file=stored.sha256), by=by, at=at)
    return row


def _told(document: Document, title: str, body: str, why: str) -> list[NoticeDraft]:
    """Return who hears of it: the charged unit, and the officers of the place and of the areas just below."""
    key = f"document:{document.pk}:{why}"
    base: dict[str, Any] = {
        "kind": f"document.{why}",
        "title": title[:120],
        "body": body[:500],
        "url": document.url,
    }
    if document.unit_id is not None:
        return [NoticeDraft(key=f"{key}:unit", to_unit_id=document.unit_id, **base)]
    on = document.issued_on or timezone.localtime(document.drafted_at).date()
    below = [area.pk for area in children(document.area, on)]
    return [
        NoticeDraft(key=f"{key}:{code}", to_area=code, to_roles=_OFFICERS, **base)
        for code in (document.area, *below)
    ]


def _waiting(document: Document, act: Act, reason: str, by: Actor) -> list[NoticeDraft]:
    """Return whose turn it is after an act: who signs when it was checked, who wrote it when it came back."""
    key = f"document:{document.pk}:{document.version}"
    base: dict[str, Any] = {"kind": f"document.{act.value}", "body": reason, "url": document.url}
    if act is Act.CHECK:
        title = f"待签发：{document.title}"[:120]
        return [NoticeDraft(key=key, title=title, to_area=document.owner, to_roles=_OFFICERS, **base)]
    if act is Act.RETURN:
        title = f"退回修改：{document.title}"[:120]
        writers = [int(writer[5:]) for writer in document.writer_keys if writer.startswith("user:")]
        return [
            NoticeDraft(key=f"{key}:{user}", title=title, to_user_id=user, **base)
            for user in writers
            if f"user:{user}" != by.key
        ]
    return []


def redraft(*, document: Document, by: Actor, at: datetime) -> Document:
    """Draft the document that stands for a withdrawn one; both are kept, the new one names the old.

    RuleError("not-withdrawn")
    """
    require_writer(by)
    row = Document.objects.visible_to(by).filter(pk=document.pk, owner=by.area).first()
    if row is None or row.state != DocumentState.WITHDRAWN.value:
        raise RuleError("not-withdrawn", N_("只有已撤回的文书才能重新起草。请先撤回，并写明理由。"))
    standing = row.replaced_by.exclude(state=DocumentState.DROPPED.value).first()
    if standing is not None:
        return standing
    if row.kind == Kind.BULLETIN:
        return draft_bulletin(period=_period_of(row), by=by, at=at, replaces=row)
    with transaction.atomic():
        made = draft_notices(kind=row.kind, cases=[row.case] if row.case else [], by=by, at=at)[0]
        made.replaces = row
        made.save(update_fields=["replaces"])
    return made


def file_of(document: Document, *, at: datetime) -> bytes:
    """Return the Word file: as issued, byte for byte, or a draft's, made now."""
    if document.file is not None:
        return files.kept(document.file, document.file_digest)
    content = content_of(document)
    layout = files.layout_for(content, owner=document.owner, edition_id=document.layout_edition)
    return files.word_of([content], layout, at=at)
