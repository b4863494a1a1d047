"""A refusal: a code for programs, a sentence for people, filled in after its translation."""

import pytest

from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError

REFUSED = RuleError("due-before-found", N_("整改期限 {due_on} 早于发现日期。"), due_on="2026-05-08")


def test_marking_a_message_leaves_it_as_it_is():
    assert N_("期限") == "期限"


def test_the_sentence_is_translated_before_its_values_are_filled_in():
    seen = []

    def translate(message):
        seen.append(message)
        return "The deadline {due_on} is before the finding."

    assert REFUSED.sentence(translate) == "The deadline 2026-05-08 is before the finding."
    assert seen == ["整改期限 {due_on} 早于发现日期。"]


def test_code_and_values_stay_for_programs_and_the_log_shows_both():
    assert (REFUSED.code, REFUSED.values) == ("due-before-found", {"due_on": "2026-05-08"})
    assert str(REFUSED) == "due-before-found: 整改期限 2026-05-08 早于发现日期。"
    assert REFUSED.args == ("due-before-found",)


def test_a_value_may_be_called_code_or_message():
    error = RuleError("x", "{code} {message}", code="甲", message="乙")
    assert (error.code, error.sentence()) == ("x", "甲 乙")


@pytest.mark.parametrize("family", [ConflictError, MissingError, ForbiddenError])
def test_every_kind_of_refusal_is_caught_as_a_refusal_of_a_rule(family):
    with pytest.raises(RuleError) as refused:
        raise family("x", "句子")
    assert refused.value.sentence() == "句子"
