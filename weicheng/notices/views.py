"""Notices and jobs of the reader."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from weicheng.notices import actions
from weicheng.notices.bell import bell_of
from weicheng.notices.lists import JobList, NoticeList
from weicheng.notices.models import Job, Notice
from weicheng.places.decorators import user_required
from weicheng.places.http import HttpRequest
from weicheng.ui.replies import go_on


@require_GET
@user_required
def notices(request: HttpRequest) -> HttpResponseBase:
    return NoticeList(request, Notice.objects.arms(request.actor)).response("notices/notices.html")


@require_GET
@user_required
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a notice: it counts as read, and the reader is led to where to act."""
    found = get_object_or_404(Notice.objects.visible_to(request.actor), pk=pk)
    actions.mark_read(found, by=request.actor, at=timezone.now())
    if found.url and url_has_allowed_host_and_scheme(found.url, allowed_hosts=None):
        return redirect(found.url)
    return render(request, "notices/notice.html", {"notice": found})


@require_POST
@user_required
def read(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Notice.objects.visible_to(request.actor), pk=pk)
    actions.mark_read(found, by=request.actor, at=timezone.now())
    return go_on(request, reverse("notices"))


@require_POST
@user_required
def read_all(request: HttpRequest) -> HttpResponse:
    actions.mark_all_read(by=request.actor, at=timezone.now())
    return go_on(request, reverse("notices"))


@require_GET
@user_required
def bell(request: HttpRequest) -> HttpResponse:
    return render(request, "notices/_bell.html", bell_of(request.actor, timezone.now()))


@require_GET
@user_required
def jobs(request: HttpRequest) -> HttpResponseBase:
    return JobList(request, Job.objects.visible_to(request.actor)).response("notices/jobs.html")


@require_GET
@user_required
def job(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    return render(request, "notices/job.html", _job(request, uid))


@require_GET
@user_required
def job_progress(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    return render(request, "notices/_job.html", _job(request, uid))


def _job(request: HttpRequest, uid: uuid.UUID) -> dict[str, Any]:
    return {"job": get_object_or_404(Job.objects.visible_to(request.actor), uid=uid)}
