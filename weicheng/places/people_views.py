"""人员: who works here in which posts; pages of the security administrator."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from weicheng.places import actions, areas, handover
from weicheng.places.actors import today
from weicheng.places.decorators import power_required
from weicheng.places.forms import (
    POST_FIELDS,
    EndPostForm,
    PersonForm,
    PostForm,
    UserForm,
    attempt,
    post_label,
    role_help,
    typed,
)
from weicheng.places.http import HttpRequest
from weicheng.places.models import Post, User
from weicheng.places.roles import LABELS, Role
from weicheng.ui.lists import Choices, Column, ListPage, Search
from weicheng.ui.replies import form_page, go_on

STATES = [("active", gettext_lazy("在用")), ("inactive", gettext_lazy("已停用"))]


def _in_state(rows: QuerySet, state: str) -> QuerySet:
    return rows.filter(is_active=state == "active")


def _in_role(rows: QuerySet, role: str) -> QuerySet:
    held = Post.objects.held_on(today(timezone.now())).filter(role=role)
    return rows.filter(pk__in=held.values("user_id"))


def _containing(rows: QuerySet, words: str) -> QuerySet:
    return rows.filter(Q(name__contains=words) | Q(login__contains=words))


def _posts(user: Any) -> str:
    return "；".join(_where(post) for post in user.current_posts)


def _where(post: Post) -> str:
    return f"{post.unit.name if post.unit else areas.name_of(post.area)} · {post.title or LABELS[Role(post.role)]}"


class PeopleList(ListPage):
    key = "people"
    title = gettext_lazy("人员")
    columns = [
        Column("name", gettext_lazy("姓名"), href=lambda user: reverse("person", args=[user.pk])),
        Column("login", gettext_lazy("登录名")),
        Column("posts", gettext_lazy("在任岗位"), _posts),
        Column(
            "state",
            gettext_lazy("状态"),
            lambda user: _("在用") if user.is_active else _("已停用"),
            kind="state",
            tone=lambda user: "green" if user.is_active else "grey",
        ),
        Column("created_at", gettext_lazy("建立时间"), kind="moment", default=False),
    ]
    filters = [
        Choices(
            "role",
            gettext_lazy("角色"),
            options=[(role.value, LABELS[role]) for role in Role],
            apply=_in_role,
        ),
        Choices("state", gettext_lazy("状态"), options=STATES, apply=_in_state),
        Search("q", gettext_lazy("查找"), apply=_containing, placeholder=gettext_lazy("姓名或登录名")),
    ]
    default = {"state": "active"}
    empty = gettext_lazy("这里将列出本辖区的人员和他们的岗位。")

    def queryset(self, rows: QuerySet) -> QuerySet:
        held = Post.objects.held_on(today(timezone.now())).select_related("unit")
        return rows.prefetch_related(Prefetch("posts", held, to_attr="current_posts"))


@power_required("keeps_posts")
def people(request: HttpRequest) -> HttpResponseBase:
    page = PeopleList(request, User.objects.visible_to(request.actor))
    page.empty_action = (_("新建人员"), reverse("person_new"))
    return page.response("places/people.html")


def _found(request: HttpRequest, pk: int) -> User:
    return get_object_or_404(User.objects.visible_to(request.actor), pk=pk)


@power_required("keeps_posts")
def new(request: HttpRequest) -> HttpResponse:
    form = UserForm(typed(request))
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form,
            lambda: actions.create_user(by=request.actor, at=timezone.now(), **form.cleaned_data),
            {"login-form": "login", "login-taken": "login", "name-missing": "name", "email-invalid": "email"},
        )
        if made:
            return _password_page(request, *made)
    context = {
        "title": _("新建人员"),
        "subtitle": _("建立后得到一次性密码，再为其设立岗位。"),
        "submit_label": _("新建"),
        "cancel_url": reverse("people"),
    }
    return form_page(request, form, context=context)


def _password_page(request: HttpRequest, user: User, password: str) -> HttpResponse:
    """Show a one-time password: this once, kept nowhere."""
    response = render(request, "places/one_time.html", {"person": user, "password": password})
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@power_required("keeps_posts")
def person(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    on = today(timezone.now())
    visible = Post.objects.visible_to(request.actor).filter(user=found).select_related("unit", "user")
    posts = [
        {
            "post": post,
            "label": _where(post),
            "current": post.from_on <= on and (post.to_on is None or post.to_on >= on),
            "may_end": (post.to_on is None or post.to_on >= on) and found.pk != request.actor.user_id,
        }
        for post in visible.order_by("-from_on", "-id")
    ]
    context = {"person": found, "posts": posts, "own": found.pk == request.actor.user_id}
    return render(request, "places/person.html", context)


@power_required("keeps_posts")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    form = PersonForm(typed(request), initial={"name": found.name, "email": found.email})
    if request.method == "POST" and form.is_valid():
        changed = attempt(
            form,
            lambda: actions.change_user(user=found, by=request.actor, at=timezone.now(), **form.cleaned_data),
            {"name-missing": "name", "email-invalid": "email"},
        )
        if changed:
            return go_on(request, reverse("person", args=[pk]))
    context = {"title": _("修改 {name}").format(name=found.name), "cancel_url": reverse("person", args=[pk])}
    return form_page(request, form, context=context)


@require_POST
@power_required("keeps_posts")
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    password = actions.reset_password(user=found, by=request.actor, at=timezone.now())
    return _password_page(request, found, password)


@require_POST
@power_required("keeps_posts")
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    wanted = request.POST.get("active") == "1"
    verb: Any = actions.activate_user if wanted else actions.deactivate_user
    verb(user=found, by=request.actor, at=timezone.now())
    said = _("已启用：{name}") if wanted else _("已停用：{name}，其登录和令牌已失效。")
    messages.success(request, said.format(name=found.name))
    return go_on(request, reverse("person", args=[pk]))


@power_required("keeps_posts")
def give(request: HttpRequest, pk: int) -> HttpResponse:
    found, now = _found(request, pk), timezone.now()
    form = PostForm(typed(request), actor=request.actor, on=today(now), initial={"from_on": today(now)})
    if request.method == "POST" and form.is_valid():
        post = attempt(
            form,
            lambda: actions.give_post(user=found, by=request.actor, at=now, **form.cleaned_data),
            POST_FIELDS,
        )
        if post:
            messages.success(request, _("岗位已设立：{label}").format(label=_where(post)))
            return go_on(request, reverse("person", args=[pk]))
    context = {
        "title": _("为 {name} 设立岗位").format(name=found.name),
        "submit_label": _("设立"),
        "cancel_url": reverse("person", args=[pk]),
        "role_help": role_help(),
    }
    return form_page(request, form, "places/post_form.html", context)


@power_required("keeps_posts")
def end(request: HttpRequest, pk: int) -> HttpResponse:
    posts = Post.objects.visible_to(request.actor).select_related("user", "unit")
    post, now = get_object_or_404(posts, pk=pk), timezone.now()
    others = posts.held_on(today(now)).exclude(pk=pk).order_by("user__name")
    form = EndPostForm(typed(request), posts=others, initial={"on": today(now) - timedelta(days=1)})
    if request.method == "POST" and form.is_valid():
        ended = attempt(
            form,
            lambda: actions.end_post(post=post, by=request.actor, at=now, **form.cleaned_data),
            {
                "post-dates": "on",
                "handover-to-itself": "to_post",
                "handover-not-held": "to_post",
                "handover-elsewhere": "to_post",
            },
        )
        if ended:
            for name, count in ended.moved.items():
                messages.success(request, _("已移交 {count} 件：{name}").format(count=count, name=name))
            messages.success(request, _("岗位已结束：{label}").format(label=post_label(post)))
            return go_on(request, reverse("person", args=[post.user_id]))
    context = {
        "title": _("结束岗位"),
        "subtitle": post_label(post),
        "submit_label": _("结束岗位"),
        "cancel_url": reverse("person", args=[post.user_id]),
        "work": handover.open_work(post).items(),
    }
    return form_page(request, form, "places/post_end.html", context)
