"""拟稿 → 审核 → 签发, and 撤回: which act follows which, and who may not do it."""

import pytest

from weicheng.rules.errors import ForbiddenError, RuleError
from weicheng.rules.issuing import (
    ACT_LABELS,
    NEEDS_REASON,
    STATE_LABELS,
    Act,
    DocumentState,
    acts_in,
    next_state,
    require_other_person,
)

DRAFT, CHECKED, ISSUED = DocumentState.DRAFT, DocumentState.CHECKED, DocumentState.ISSUED
FOLLOWS = {
    (DRAFT, Act.CHANGE): DRAFT,
    (DRAFT, Act.CHECK): CHECKED,
    (DRAFT, Act.DROP): DocumentState.DROPPED,
    (CHECKED, Act.RETURN): DRAFT,
    (CHECKED, Act.ISSUE): ISSUED,
    (ISSUED, Act.WITHDRAW): DocumentState.WITHDRAWN,
}


@pytest.mark.parametrize("state", DocumentState)
@pytest.mark.parametrize("act", Act)
def test_each_act_has_its_state_and_no_other(state, act):
    if (state, act) in FOLLOWS:
        assert next_state(state, act) is FOLLOWS[state, act]
        return
    with pytest.raises(RuleError) as caught:
        next_state(state, act)
    assert caught.value.code == "document-state"
    assert STATE_LABELS[state] in caught.value.sentence()
    assert ACT_LABELS[act] in caught.value.sentence()


@pytest.mark.parametrize(
    ("state", "drafts", "signs", "wrote", "acts"),
    [
        (DRAFT, True, True, False, (Act.CHANGE, Act.CHECK, Act.DROP)),
        (DRAFT, True, True, True, (Act.CHANGE, Act.DROP)),  # the own draft is checked by somebody else
        (DRAFT, True, False, False, (Act.CHANGE, Act.DROP)),
        (DRAFT, False, True, False, (Act.CHECK,)),
        (CHECKED, True, False, False, ()),
        (CHECKED, False, True, False, (Act.RETURN, Act.ISSUE)),
        (CHECKED, False, True, True, (Act.RETURN,)),  # and issued by somebody else
        (ISSUED, True, True, True, (Act.WITHDRAW,)),
        (DocumentState.WITHDRAWN, True, True, False, ()),
        (DocumentState.DROPPED, True, True, False, ()),
    ],
)
def test_what_is_offered(state, drafts, signs, wrote, acts):
    assert acts_in(state, drafts=drafts, signs=signs, wrote=wrote) == acts


@pytest.mark.parametrize("act", Act)
def test_whoever_wrote_it_neither_checks_nor_issues_it(act):
    require_other_person(act, ["user:1"], "user:2")
    if act not in {Act.CHECK, Act.ISSUE}:
        require_other_person(act, ["user:1"], "user:1")
        return
    with pytest.raises(ForbiddenError) as caught:
        require_other_person(act, ["user:2", "user:1"], "user:1")
    assert caught.value.code == "own-document"
    assert ACT_LABELS[act] in caught.value.sentence()


def test_what_undoes_something_needs_a_reason():
    assert {Act.RETURN, Act.WITHDRAW, Act.DROP} == NEEDS_REASON
