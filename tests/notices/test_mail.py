"""Mail: to those the notice is for, once each, with the title and the link and nothing else."""

import smtplib
from datetime import date, timedelta

import pytest
from django.core import mail as outbox
from django.core.mail.backends import locmem
from django_tasks_db.models import DBTaskResult

from tests.notices.conftest import EAST, NOW
from weicheng.journal.models import Entry
from weicheng.notices import mail
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.notices.models import Notice
from weicheng.notices.worker import run
from weicheng.places.models import Post

DRAFT = NoticeDraft(
    key="event:1:desk",
    kind="case.dispatch",
    title="派遣：占道\n经营",
    body="联系人张三 13800000000",
    url="/cases/7",
    to_area=EAST,
    to_roles=("street", "inspector"),
)


class FailingFor(locmem.EmailBackend):
    """Refuses one address."""

    address = ""

    def send_messages(self, messages):
        for message in messages:
            if message.to == [FailingFor.address]:
                raise smtplib.SMTPRecipientsRefused({FailingFor.address: (550, b"no such user")})
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _server(settings):
    settings.EMAIL_HOST = "mail.example.org"
    settings.SITE_URL = "https://weicheng.example.org"


def sent() -> list[list[str]]:
    return sorted(message.to for message in outbox.outbox)


def test_without_a_server_no_mail_is_enqueued(town, settings):
    settings.EMAIL_HOST = ""
    notify_many([DRAFT], at=NOW)
    assert not DBTaskResult.objects.exists()


def test_each_reader_gets_one_mail_with_title_and_link_only(town):
    notify_many([DRAFT], at=NOW)
    notify_many([DRAFT], at=NOW)
    run(until_idle=True, periodic=[])
    assert sent() == [["chen@example.org"], ["qian@example.org"]]
    message = outbox.outbox[0]
    assert message.subject == "【卫城】派遣：占道 经营"
    assert "https://weicheng.example.org/cases/7" in message.body
    assert "张三" not in message.body
    assert "138" not in message.body


def test_a_unit_s_liaison_and_a_single_person_are_reached(town):
    notify_many(
        [
            NoticeDraft(key="u", kind="x", title="一", to_unit_id=town.market.pk),
            NoticeDraft(key="p", kind="x", title="二", to_user_id=town.west.pk),
        ],
        at=NOW,
    )
    run(until_idle=True, periodic=[])
    assert sent() == [["ma@example.org"], ["xu@example.org"]]


def test_a_task_that_is_run_again_mails_nobody_twice(town):
    notify_many([DRAFT], at=NOW)
    notice = Notice.objects.get()
    assert mail.mail_notice.call(notice.pk) == 2
    assert mail.mail_notice.call(notice.pk) == 0
    assert len(outbox.outbox) == 2


def test_who_has_left_the_post_or_has_no_address_gets_none(town):
    Post.objects.filter(user=town.chen).update(to_on=date(2020, 12, 31))
    town.inspector.email = ""
    town.inspector.save()
    notify_many([DRAFT], at=NOW)
    run(until_idle=True, periodic=[])
    assert sent() == []


def test_a_failure_is_tried_after_one_five_and_thirty_minutes_then_noted(town, settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.notices.test_mail.FailingFor"
    monkeypatch.setattr(FailingFor, "address", "chen@example.org")
    monkeypatch.setattr("weicheng.notices.mail.timezone.now", lambda: NOW)
    notify_many([DRAFT], at=NOW)
    notice = Notice.objects.get()
    DBTaskResult.objects.all().delete()
    pauses = []
    for attempt in range(4):
        mail.mail_notice.call(notice.pk, attempt=attempt)
        mail.mail_notice.call(notice.pk, attempt=attempt)  # retaken: enqueues nothing more
        later = list(DBTaskResult.objects.all())
        pauses += [row.run_after - NOW for row in later]
        assert all(row.args_kwargs["kwargs"]["attempt"] == attempt + 1 for row in later)
        DBTaskResult.objects.all().delete()
    assert pauses == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)]
    assert sent() == [["qian@example.org"]]  # the others do not wait for the one who fails
    entry = Entry.objects.get(verb="mail.fail")
    assert entry.district == "320311"
    assert b"SMTPRecipientsRefused" in bytes(entry.body)
    assert b"chen" not in bytes(entry.body)


def test_both_copies_of_a_mail_bear_the_same_name(town):
    notify_many([DRAFT], at=NOW)
    notice = Notice.objects.get()
    names = set()
    for _again in range(2):
        message = mail._message(notice, town.chen, mail.get_connection())
        names.add(message.message()["Message-ID"])
    assert names == {f"<notice-{notice.pk}-{town.chen.pk}@weicheng.example.org>"}
