"""Notices by mail, where a mail server is configured: the title and a link, nothing else.

A mail cannot be rolled back. It is sent first and remembered right after, so a worker killed in that instant
sends it again, never not at all; both copies bear the same Message-ID, by which mail programs show one.
"""

import logging
import smtplib
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import task

from weicheng.journal.actions import SYSTEM, Note, record
from weicheng.notices.effects import happened, once
from weicheng.notices.models import Notice
from weicheng.places.actors import today
from weicheng.places.models import Post, User

logger = logging.getLogger(__name__)

BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
TIMEOUT_S = 10  # a mail server that does not answer must not hold the worker


@task
def mail_notice(notice_id: int, attempt: int = 0) -> int:
    """Mail a notice to those it is for who have an address, once each; return how many were sent now.

    attempt: how often it was tried before; after the last of `BACKOFF` the failure is journalled
    """
    notice = Notice.objects.filter(pk=notice_id).first()
    if notice is None or not settings.EMAIL_HOST:
        return 0
    now = timezone.now()
    people = readers(notice, now)
    sent_before = happened(_key(notice, person) for person in people)
    waiting = [person for person in people if _key(notice, person) not in sent_before]
    if not waiting:
        return 0
    failed: list[Exception] = []
    sent = 0
    connection = get_connection(timeout=TIMEOUT_S)
    for person in waiting:
        try:
            _message(notice, person, connection).send()
        except (smtplib.SMTPException, OSError) as error:
            failed.append(error)
            continue
        with transaction.atomic():
            once(_key(notice, person), now)
        sent += 1
    if failed:
        _later(notice, attempt, failed, now)
    return sent


def readers(notice: Notice, now: datetime) -> list[User]:
    """Return the people with an address who hold a post the notice is for, on this day."""
    people = User.objects.filter(is_active=True).exclude(email="").order_by("pk")
    if notice.to_user_id is not None:
        return list(people.filter(pk=notice.to_user_id))
    posts = Post.objects.held_on(today(now))
    if notice.to_unit_id is not None:
        posts = posts.filter(unit_id=notice.to_unit_id)
    else:
        roles = [role for role in notice.to_roles.split(",") if role]
        posts = posts.filter(unit__isnull=True, area=notice.to_area, role__in=roles)
    return list(people.filter(pk__in=posts.values("user_id")))


def _key(notice: Notice, person: User) -> str:
    return f"mail:{notice.pk}:{person.pk}"


def _message(notice: Notice, person: User, connection: BaseEmailBackend) -> EmailMessage:
    title = " ".join(notice.title.split())  # a header has no line breaks
    link = f"{settings.SITE_URL}{notice.url}"
    body = _("{title}\n\n请登录卫城查看和办理：\n{link}\n\n本邮件由系统发出，请勿回复。")
    site_name = urlsplit(settings.SITE_URL).hostname or "weicheng"
    return EmailMessage(
        subject=_("【卫城】{title}").format(title=title),
        body=body.format(title=title, link=link),
        to=[person.email],
        headers={
            "Message-ID": f"<notice-{notice.pk}-{person.pk}@{site_name}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )


@transaction.atomic
def _later(notice: Notice, attempt: int, failed: list[Exception], now: datetime) -> None:
    """Try again after a pause, or give up and note it."""
    kinds = sorted({type(error).__name__ for error in failed})
    # A retaken task comes here twice; the next attempt is enqueued once.
    if not once(f"mail-failed:{notice.pk}:{attempt}", now):
        return
    if attempt < len(BACKOFF):
        logger.warning("mail for notice %s failed (%s), next try follows", notice.pk, ", ".join(kinds))
        later = mail_notice.using(run_after=now + BACKOFF[attempt])
        later.enqueue(notice_id=notice.pk, attempt=attempt + 1)
        return
    logger.error("mail for notice %s failed for the last time (%s)", notice.pk, ", ".join(kinds))
    # The kinds only: a server's answer quotes addresses.
    detail = {"people": len(failed), "errors": kinds}
    area = notice.to_unit.area if notice.to_unit else notice.to_area
    note = Note(verb="mail.fail", object_kind="notice", object_key=str(notice.pk), area=area, detail=detail)
    record(note, by=SYSTEM, at=now)
