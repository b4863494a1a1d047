"""The pages of notices and jobs, through the whole site: sign-in, post, list engine, base page."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.notices import chores
from tests.notices.conftest import EAST, NOW
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.notices.jobs import job_begins, progress, start_job
from weicheng.notices.models import Job, Notice, NoticeReading
from weicheng.notices.worker import run

STREETS = {"to_area": EAST, "to_roles": ("street",)}


@pytest.fixture
def chen(town) -> Client:
    return signed_in(town.chen)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def tell(key: str, url: str = "/jobs", **to) -> Notice:
    """Tell now: the pages go by the clock, and an old notice no longer rings."""
    notify_many(
        [NoticeDraft(key=key, kind="x", title=f"标题{key}", body="内容", url=url, **(to or STREETS))],
        at=timezone.now(),
    )
    return Notice.objects.get(effect_key=key)


def test_the_list_shows_a_day_once_above_its_notices(chen):
    tell("a")
    tell("b")
    page = chen.get("/notices").content.decode()
    assert "标题a" in page
    assert page.count("wc-notice-day") == 1
    assert ">未读</span>" in page


def test_the_list_costs_the_same_for_one_and_for_many(chen):
    tell("first")
    chen.get("/notices")
    with CaptureQueriesContext(connection) as few:
        chen.get("/notices")
    for n in range(15):
        tell(f"n{n}")
    with CaptureQueriesContext(connection) as many:
        chen.get("/notices")
    assert len(many) == len(few)


def test_opening_a_notice_reads_it_and_leads_to_the_case(chen, town):
    notice = tell("a", url="/cases/7")
    answer = chen.get(f"/notices/{notice.pk}")
    assert (answer.status_code, answer["Location"]) == (302, "/cases/7")
    assert NoticeReading.objects.filter(user=town.chen, notice=notice).exists()
    assert ">未读</span>" not in chen.get("/notices").content.decode()


@pytest.mark.parametrize("url", ["", "https://evil.example.org/", "//evil.example.org"])
def test_a_notice_without_a_page_of_ours_is_shown_itself(chen, url):
    notice = tell("a", url=url)
    answer = chen.get(f"/notices/{notice.pk}")
    assert answer.status_code == 200
    assert "内容" in answer.content.decode()


def test_a_foreign_notice_answers_like_an_absent_one(town):
    notice = tell("a")
    west = signed_in(town.west)
    assert west.get(f"/notices/{notice.pk}").status_code == 404
    assert west.post(f"/notices/{notice.pk}/read").status_code == 404
    assert west.get("/notices/999999").status_code == 404
    assert not NoticeReading.objects.exists()


def test_one_and_all_are_marked_read(chen, town):
    one, two = tell("a"), tell("b")
    assert chen.post(f"/notices/{one.pk}/read").status_code == 303
    assert list(NoticeReading.objects.values_list("notice_id", flat=True)) == [one.pk]
    assert chen.get("/notices/read-all").status_code == 405
    chen.post("/notices/read-all")
    assert set(NoticeReading.objects.values_list("notice_id", flat=True)) == {one.pk, two.pk}


def test_only_unread_are_listed_when_asked(chen, town):
    one = tell("a")
    tell("b")
    chen.post(f"/notices/{one.pk}/read")
    page = chen.get("/notices?unread=1").content.decode()
    assert "标题b" in page
    assert "标题a" not in page


def test_the_bell_is_a_fragment_with_the_count(chen):
    for n in range(3):
        tell(f"k{n}")
    page = chen.get("/notices/bell").content.decode()
    assert "<html" not in page
    assert 'class="wc-count">3<' in page
    assert 'data-poll-s="60"' in page


def test_nobody_is_led_to_the_sign_in_page(db):
    for address in ("/notices", "/notices/bell", "/jobs"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in")


def test_a_running_job_asks_again_and_an_ended_one_does_not(chen, town):
    job = start_job("export", "导出事项", chores.count_rows, {"rows": 10}, by=town.chen_actor, at=NOW)
    job_begins(str(job.uid))
    progress(str(job.uid), 5, 10)
    fragment = chen.get(f"/jobs/{job.uid}/progress").content.decode()
    assert 'value="5" max="10"' in fragment
    assert "data-poll-s" in fragment
    run(until_idle=True, periodic=[])
    fragment = chen.get(f"/jobs/{job.uid}/progress").content.decode()
    assert "导出完成。" in fragment
    assert 'href="/files/made"' in fragment
    assert "data-poll-s" not in fragment
    assert chen.get(f"/jobs/{job.uid}").status_code == 200
    page = chen.get("/jobs").content.decode()
    assert "导出事项" in page
    assert "导出完成。" in page


def test_a_foreign_job_answers_like_an_absent_one(town):
    job = start_job("export", "导出事项", chores.count_rows, {"rows": 1}, by=town.chen_actor, at=NOW)
    west = signed_in(town.west)
    assert west.get(f"/jobs/{job.uid}").status_code == 404
    assert west.get(f"/jobs/{job.uid}/progress").status_code == 404
    assert "导出事项" not in west.get("/jobs").content.decode()
    assert Job.objects.count() == 1


def test_no_page_holds_a_script_or_a_style_of_its_own(chen, town):
    tell("a")
    start_job("export", "导出事项", chores.count_rows, {"rows": 1}, by=town.chen_actor, at=NOW)
    for address in ("/notices", "/jobs"):
        page = chen.get(address).content.decode()
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page
