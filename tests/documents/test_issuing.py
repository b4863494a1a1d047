"""Documents from draft to issue: who may do what, numbers without gaps, and nothing issued ever changes."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests.conftest import City
from weicheng.documents import actions
from weicheng.documents.files import layout_for
from weicheng.documents.models import Document, FrozenError, Sequence
from weicheng.documents.numbering import next_serial
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.figures import Period
from weicheng.rules.issuing import Act

MONTH = Period.month("2026-10")


@pytest.fixture
def bulletin(city: City) -> Document:
    city.case()
    return actions.draft_bulletin(period=MONTH, by=city.actor("Qian"), at=city.now)


def checked(city: City, document: Document) -> Document:
    return actions.take(document=document, act=Act.CHECK, by=city.actor("Li"), at=city.now)


def issued(city: City, document: Document) -> Document:
    checked(city, document)
    document.refresh_from_db()
    return actions.issue(document=document, by=city.actor("Li"), at=city.now)


def test_a_draft_has_no_number_and_counts_what_is_there(city, bulletin):
    content = actions.content_of(bulletin)
    assert bulletin.state == "draft"
    assert bulletin.number == ""
    assert content.is_draft
    opened = next(figure for figure in content.figures() if figure.id == "opened")
    assert opened.value == 1
    assert "泉山区" in content.title


def test_the_drafter_neither_checks_nor_issues(city, bulletin):
    qian = city.actor("Qian")
    with pytest.raises(ForbiddenError) as refused:
        actions.take(document=bulletin, act=Act.CHECK, by=qian, at=city.now)
    assert refused.value.code == "own-document"
    checked(city, bulletin)
    bulletin.refresh_from_db()
    with pytest.raises(ForbiddenError) as refused:
        actions.issue(document=bulletin, by=qian, at=city.now)
    assert refused.value.code == "own-document"
    bulletin.refresh_from_db()
    assert (bulletin.state, bulletin.serial) == ("checked", None)
    assert not Sequence.objects.filter(last__gt=0).exists()


def test_whoever_changed_the_words_wrote_it_too(city, bulletin):
    post = city.posts["Li"]
    post.role = "district_officer"
    post.save()
    actions.change_words(
        document=bulletin, words={"requirements": "立即整改。"}, base=1, by=city.actor("Li"), at=city.now
    )
    bulletin.refresh_from_db()
    assert bulletin.version == 2
    with pytest.raises(ForbiddenError):
        actions.take(document=bulletin, act=Act.CHECK, by=city.actor("Li"), at=city.now)


def test_an_unchecked_draft_is_not_issued(city, bulletin):
    with pytest.raises(RuleError) as refused:
        actions.issue(document=bulletin, by=city.actor("Li"), at=city.now)
    assert refused.value.code == "document-state"


def test_an_issued_document_has_number_day_and_file(city, bulletin):
    done = issued(city, bulletin)
    assert done.number == "泉山创卫办〔2026〕1号"
    content = actions.content_of(done)
    assert content.number == done.number
    assert content.signed_on == city.now.date()
    data = actions.file_of(done, at=timezone.now())
    assert data[:2] == b"PK"
    assert done.file_digest == done.file.sha256


def test_an_issued_document_does_not_follow_its_records(city, bulletin):
    done = issued(city, bulletin)
    text, data = actions.content_of(done).text(), actions.file_of(done, at=city.now)
    for _again in range(3):
        city.case(at=city.now + timedelta(minutes=5))
    done.refresh_from_db()
    assert actions.content_of(done).text() == text
    assert actions.file_of(done, at=city.now + timedelta(days=30)) == data


@pytest.mark.parametrize(
    "change",
    [
        "title = 'x'",
        "serial = 9",
        "content_digest = 'x'",
        "file_digest = 'x'",
        "state = 'draft'",
        "owner = '32'",
    ],
)
def test_the_database_refuses_to_change_an_issued_document(city, bulletin, change):
    done = issued(city, bulletin)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE documents_document SET {change} WHERE id = {done.pk}")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE documents_documentversion SET digest = 'x'")


def test_no_document_is_deleted(city, bulletin):
    with pytest.raises(FrozenError):
        bulletin.delete()
    with pytest.raises(FrozenError):
        Document.objects.all().delete()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM documents_document")


def test_withdraw_and_issue_again_keep_both(city, bulletin):
    first = issued(city, bulletin)
    data = actions.file_of(first, at=city.now)
    with pytest.raises(RuleError) as refused:
        actions.take(document=first, act=Act.WITHDRAW, by=city.actor("Li"), at=city.now)
    assert refused.value.code == "need-reason"
    actions.take(document=first, act=Act.WITHDRAW, reason="数字有误", by=city.actor("Li"), at=city.now)
    city.case(at=city.now + timedelta(minutes=1))
    qian = city.actor("Qian")
    second = actions.redraft(document=first, by=qian, at=city.now + timedelta(hours=1))
    assert actions.redraft(document=first, by=qian, at=city.now + timedelta(hours=1)).pk == second.pk
    second = issued(city, second)
    first.refresh_from_db()
    assert (first.state, first.withdraw_reason, first.number) == (
        "withdrawn",
        "数字有误",
        "泉山创卫办〔2026〕1号",
    )
    assert (second.state, second.number, second.replaces_id) == ("issued", "泉山创卫办〔2026〕2号", first.pk)
    assert actions.file_of(first, at=city.now) == data


def test_only_what_was_withdrawn_is_drafted_again(city, bulletin):
    with pytest.raises(RuleError) as refused:
        actions.redraft(document=bulletin, by=city.actor("Qian"), at=city.now)
    assert refused.value.code == "not-withdrawn"


def test_numbers_run_by_office_word_and_year_without_gaps(city):
    with transaction.atomic():
        assert [next_serial(owner="320311", word="甲", year=2026) for _ in range(3)] == [1, 2, 3]
        assert next_serial(owner="320311", word="乙", year=2026) == 1
        assert next_serial(owner="320312", word="甲", year=2026) == 1
        assert next_serial(owner="320311", word="甲", year=2027) == 1

    def rolled_back() -> None:
        with transaction.atomic():
            assert next_serial(owner="320311", word="甲", year=2026) == 4
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rolled_back()
    with transaction.atomic():
        assert next_serial(owner="320311", word="甲", year=2026) == 4


def test_two_who_change_at_once_are_told(city, bulletin):
    qian = city.actor("Qian")
    actions.change_words(document=bulletin, words={"reason": "甲"}, base=1, by=qian, at=city.now)
    with pytest.raises(ConflictError) as refused:
        actions.change_words(document=bulletin, words={"reason": "乙"}, base=1, by=qian, at=city.now)
    assert refused.value.code == "document-changed"
    bulletin.refresh_from_db()
    assert actions.content_of(bulletin).own_words()["reason"] == "甲"
    assert bulletin.versions.count() == 2


def test_the_same_draft_sent_twice_is_one(city):
    uid, qian = uuid4(), city.actor("Qian")
    first = actions.draft_bulletin(period=MONTH, by=qian, at=city.now, uid=uid)
    again = actions.draft_bulletin(period=MONTH, by=qian, at=city.now, uid=uid)
    assert first.pk == again.pk


@pytest.mark.parametrize(
    ("who", "code"), [("Li", "may-not-draft"), ("Lin", "may-not-draft"), ("Zhao", "may-not-draft")]
)
def test_who_may_not_draft(city, who, code):
    with pytest.raises(ForbiddenError) as refused:
        actions.draft_bulletin(period=MONTH, by=city.actor(who), at=city.now)
    assert refused.value.code == code


def test_a_month_that_has_not_begun_has_no_bulletin(city):
    with pytest.raises(RuleError) as refused:
        actions.draft_bulletin(period=Period.month("2027-01"), by=city.actor("Qian"), at=city.now)
    assert refused.value.code == "bulletin-early"


def test_a_foreign_document_is_not_there(city, bulletin):
    with pytest.raises(MissingError):
        actions.take(document=bulletin, act=Act.CHECK, by=city.actor("Ne"), at=city.now)
    with pytest.raises(MissingError):  # a street sees what the district issued, not its drafts
        actions.take(document=bulletin, act=Act.CHECK, by=city.actor("Chen"), at=city.now)
    issued(city, bulletin)
    assert Document.objects.visible_to(city.actor("Chen")).filter(pk=bulletin.pk).exists()
    assert Document.objects.visible_to(city.actor("Zhao")).filter(pk=bulletin.pk).exists()
    assert not Document.objects.visible_to(city.actor("Ne")).filter(pk=bulletin.pk).exists()
    bulletin.refresh_from_db()
    with pytest.raises(ForbiddenError) as refused:
        actions.take(document=bulletin, act=Act.WITHDRAW, reason="x", by=city.actor("Chen"), at=city.now)
    assert refused.value.code == "foreign-document"


def test_counting_again_keeps_the_own_words(city, bulletin):
    qian = city.actor("Qian")
    actions.change_words(
        document=bulletin, words={"requirements": "立即整改。"}, base=1, by=qian, at=city.now
    )
    city.case(at=city.now)
    actions.count_again(document=bulletin, base=2, by=qian, at=city.now + timedelta(minutes=5))
    bulletin.refresh_from_db()
    content = actions.content_of(bulletin)
    assert content.own_words()["requirements"] == "立即整改。"
    assert next(figure for figure in content.figures() if figure.id == "opened").value == 2


def test_the_layout_is_the_one_it_was_drafted_with(city, bulletin):
    layout = layout_for(actions.content_of(bulletin), owner="320311", edition_id=bulletin.layout_edition)
    assert (layout.lines, layout.characters) == (22, 28)


def test_everybody_below_hears_of_a_bulletin(city, bulletin):
    from weicheng.notices.models import Notice

    issued(city, bulletin)
    areas = set(Notice.objects.filter(kind="document.issue").values_list("to_area", flat=True))
    assert areas == {"320311", "320311001", "320311002"}


def test_whose_turn_it_is_hears_of_it(city, bulletin):
    from weicheng.notices.models import Notice

    checked(city, bulletin)
    notice = Notice.objects.get(kind="document.check")
    assert (notice.to_area, notice.title[:4]) == ("320311", "待签发：")
    bulletin.refresh_from_db()
    actions.take(document=bulletin, act=Act.RETURN, reason="数字有误", by=city.actor("Li"), at=city.now)
    notice = Notice.objects.get(kind="document.return")
    assert (notice.to_user, notice.body) == (city.user("Qian"), "数字有误")
    bulletin.refresh_from_db()
    assert (bulletin.state, bulletin.checker_name) == ("draft", "")
