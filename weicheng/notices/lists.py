"""The lists of this app: what one was told, what one started."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.notices.models import Job, Notice, NoticeQuerySet, rings_for
from weicheng.places.http import HttpRequest
from weicheng.ui.filters import Choices, Dates, Flag, Search
from weicheng.ui.formats import day, moment
from weicheng.ui.lists import Column, ListPage, Rows


def notice_url(notice: Notice) -> str:
    """Return the address that opens a notice: it is read then, and leads to where the reader acts."""
    return reverse("notice", args=[notice.pk])


def _day(notice: Any) -> SafeString:
    """Return the day, in sight above the first notice of it only: the list reads as grouped by day."""
    shown = "wc-notice-day" if notice.begins_day else "visually-hidden"
    return format_html('<span class="{}">{}</span>', shown, day(notice.at))


def _message(notice: Any) -> SafeString:
    title = format_html("<strong>{}</strong>" if notice.rings else "<span>{}</span>", notice.title)
    if not notice.body:
        return title
    return format_html('{}<br><small class="wc-notice-body">{}</small>', title, notice.body)


class NoticeList(ListPage):
    key = "notices"
    title = gettext_lazy("通知")
    columns = [
        Column("day", gettext_lazy("日期"), _day, kind="html", phone="meta", plain=lambda row: day(row.at)),
        Column("at", gettext_lazy("时间"), lambda row: moment(row.at)[-5:], phone="meta"),
        Column(
            "title",
            gettext_lazy("内容"),
            _message,
            kind="html",
            href=notice_url,
            phone="title",
            plain=lambda row: f"{row.title} {row.body}".strip(),
        ),
        Column(
            "state",
            gettext_lazy("状态"),
            lambda row: _("未读") if row.rings else _("已读"),
            kind="state",
            tone=lambda row: "blue" if row.rings else "grey",
            phone="badge",
        ),
    ]
    filters = [
        Search(
            "q",
            gettext_lazy("搜索"),
            apply=lambda rows, text: rows.filter(title__icontains=text),
        ),
        Flag("unread", gettext_lazy("只看未读"), apply="only_unread"),
        Dates("at", gettext_lazy("日期")),
    ]
    empty = gettext_lazy("还没有通知。事项派给您、被退回、快到期时，会在这里告诉您。")

    def queryset(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(
            rings=ExpressionWrapper(
                rings_for(self.request.actor.user_id, timezone.now()), output_field=BooleanField()
            )
        )

    def only_unread(self, rows: NoticeQuerySet, value: bool) -> QuerySet:
        # The same as the bell counts, so that its number and this list agree.
        return rows.unread_by(self.request.actor.user_id, timezone.now())

    @cached_property
    def page(self) -> Rows:
        page: Rows = ListPage.page.func(self)  # type: ignore[attr-defined] # the engine's own page, with one thing added
        before = None
        for notice in page.objects:
            on = timezone.localtime(notice.at).date()
            notice.begins_day = on != before
            before = on
        return page


def job_html(request: HttpRequest, job: Job) -> SafeString:
    """Return the job's progress, result or failure: one fragment for the list, its page and the poll."""
    return render_to_string("notices/_job.html", {"job": job}, request=request)


class JobList(ListPage):
    key = "jobs"
    title = gettext_lazy("我的后台工作")
    filters = [
        Choices(
            "state",
            gettext_lazy("状态"),
            options=lambda _request: [(state.value, state.label) for state in Job.State],
            multiple=True,
        )
    ]
    empty = gettext_lazy("还没有后台工作。导入、导出等较久的工作会在这里显示进度，可以先离开，做好后回来取。")
    exports: Sequence[str] = ()

    def __init__(self, request: HttpRequest, rows: Any) -> None:
        self.columns = [
            Column(
                "title",
                _("工作"),
                lambda job: job.title,
                href=lambda job: reverse("job", args=[job.uid]),
                phone="title",
            ),
            Column("at", _("开始于"), lambda job: job.at, kind="moment", phone="meta"),
            Column("progress", _("进度"), lambda job: job_html(request, job), kind="html", phone="meta"),
        ]
        super().__init__(request, rows)
