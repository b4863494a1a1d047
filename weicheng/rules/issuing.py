"""How a document becomes one: 拟稿 → 审核 → 签发, and 撤回; who may do it is a question of persons, not only of posts.

Source: 党政机关公文处理工作条例 (起草 审核 签发); the refusal of one's own draft is ours, as for verification.
"""

from collections.abc import Iterable
from enum import StrEnum

from weicheng.rules.errors import N_, ForbiddenError, RuleError


class DocumentState(StrEnum):
    DRAFT = "draft"  # 草稿: may be changed
    CHECKED = "checked"  # 待签发: checked, waits for the signature
    ISSUED = "issued"  # 已签发: numbered, frozen
    WITHDRAWN = "withdrawn"  # 已撤回: kept as it was issued
    DROPPED = "dropped"  # 已废弃: a draft that was given up; it never had a number


class Act(StrEnum):
    CHANGE = "change"
    CHECK = "check"
    RETURN = "return"
    ISSUE = "issue"
    WITHDRAW = "withdraw"
    DROP = "drop"


STATE_LABELS = {
    DocumentState.DRAFT: N_("草稿"),
    DocumentState.CHECKED: N_("待签发"),
    DocumentState.ISSUED: N_("已签发"),
    DocumentState.WITHDRAWN: N_("已撤回"),
    DocumentState.DROPPED: N_("已废弃"),
}
ACT_LABELS = {
    Act.CHANGE: N_("修改"),
    Act.CHECK: N_("审核通过"),
    Act.RETURN: N_("退回修改"),
    Act.ISSUE: N_("签发"),
    Act.WITHDRAW: N_("撤回"),
    Act.DROP: N_("废弃草稿"),
}

_NEXT = {
    (DocumentState.DRAFT, Act.CHANGE): DocumentState.DRAFT,
    (DocumentState.DRAFT, Act.CHECK): DocumentState.CHECKED,
    (DocumentState.DRAFT, Act.DROP): DocumentState.DROPPED,
    (DocumentState.CHECKED, Act.RETURN): DocumentState.DRAFT,
    (DocumentState.CHECKED, Act.ISSUE): DocumentState.ISSUED,
    (DocumentState.ISSUED, Act.WITHDRAW): DocumentState.WITHDRAWN,
}
# Whoever wrote a draft neither checks nor issues it.
OTHER_PERSON = frozenset({Act.CHECK, Act.ISSUE})
NEEDS_REASON = frozenset({Act.RETURN, Act.WITHDRAW, Act.DROP})
# Done by whoever may write; the rest by whoever may sign.
BY_WRITERS = frozenset({Act.CHANGE, Act.DROP})


def next_state(state: DocumentState, act: Act) -> DocumentState:
    """Return the state after an act; RuleError("document-state") when the act does not fit the state."""
    found = _NEXT.get((state, act))
    if found is None:
        raise RuleError(
            "document-state",
            N_("文书现在是“{state}”，不能{act}。请刷新页面，看现在可以办哪一步。"),
            state=STATE_LABELS[state],
            act=ACT_LABELS[act],
        )
    return found


def acts_in(state: DocumentState, *, drafts: bool, signs: bool, wrote: bool) -> tuple[Act, ...]:
    """Return the acts to offer: what the state allows and the post and person may do."""
    return tuple(
        act
        for (before, act) in _NEXT
        if before is state
        and (drafts if act in BY_WRITERS else signs)
        and not (wrote and act in OTHER_PERSON)
    )


def require_other_person(act: Act, writers: Iterable[str], person: str) -> None:
    """Refuse whoever wrote the text: ForbiddenError("own-document")."""
    if act in OTHER_PERSON and person in writers:
        raise ForbiddenError(
            "own-document",
            N_("这份文书由您起草或修改过，不能由本人{act}。请由另一名人员办理。"),
            act=ACT_LABELS[act],
        )
