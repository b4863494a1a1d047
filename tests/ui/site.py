"""The pages of the toy site: a list, a form, pieces; run it to look at the design system.

UI_TEST_SQLITE=toy.sqlite3 DJANGO_SETTINGS_MODULE=tests.ui.settings_ui python -m tests.ui.site
"""

import datetime as dt
import random
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.utils import timezone

from tests.ui.things import STATES, Thing, ThingList
from weicheng.ui.forms import (
    AreaSelect,
    DayField,
    MomentField,
    PhotosField,
    Pills,
    PlaceField,
    UidField,
    with_unit,
)
from weicheng.ui.replies import form_page, go_on

CHEN = SimpleNamespace(name="陈明远", post_label="泉山区创卫办 · 督查员", user_id=1)


ACTING = SimpleNamespace(who=CHEN)  # tests put another person here


def acting(get_response: Any) -> Any:
    """Give each request the actor that `places` would give it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.actor = ACTING.who
        return get_response(request)

    return middleware


def shell(request: HttpRequest) -> dict[str, Any]:
    def item(
        key: str, label: str, url: str, icon: str, badge: int = 0, primary: bool = False
    ) -> dict[str, Any]:
        return {"key": key, "label": label, "url": url, "icon": icon, "badge": badge, "primary": primary}

    return {
        "menu": [
            item("today", "今日", "/today", "home", 3, True),
            item("things", "事项", "/things", "clipboard-list", 0, True),
            item("form", "随手拍", "/form", "camera", 0, True),
            item("map", "地图", "/map", "map", 0, True),
            item("units", "单位", "/units", "building"),
            item("figures", "指标", "/figures", "chart-bar"),
            item("people", "人员", "/people", "users"),
        ],
        "site_area": "徐州市泉山区",
        "notice_count": 12,
        "notice_url": "/notices",
        "posts": [
            {"id": 1, "label": "泉山区创卫办 · 督查员", "current": True},
            {"id": 2, "label": "王陵街道 · 网格员", "current": False},
        ],
        "post_switch_url": "/posts",
        "sign_out_url": "/sign-out",
    }


class ThingForm(forms.Form):
    units = {"route_m": "米"}
    uid = UidField()
    kind = forms.ChoiceField(
        label="问题类别",
        widget=Pills,
        choices=[
            ("litter", "暴露垃圾"),
            ("stall", "占道经营"),
            ("drain", "污水外溢"),
            ("poster", "小广告"),
            ("pet", "宠物粪便"),
        ],
    )
    severity = forms.ChoiceField(
        label="严重程度",
        initial="normal",
        widget=Pills(tones={"normal": "green", "serious": "orange", "grave": "red"}),
        choices=[("normal", "一般"), ("serious", "较重"), ("grave", "严重")],
    )
    place = PlaceField(required=False)
    photos = PhotosField(label="照片", required=False, help_text="最多 9 张，每张不超过 50 MB。")
    note = forms.CharField(
        label="说明", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    area = forms.ChoiceField(
        label="所在社区",
        widget=AreaSelect,
        choices=[("", "请选择")] + [(f"32031100{i:03d}", f"第{i}社区") for i in range(1, 30)],
    )
    found_on = DayField(label="发现日期")
    due_at = MomentField(label="整改期限", required=False, help_text="不填则按严重程度计算。")
    route_m = forms.IntegerField(label="检查路线", min_value=1)
    traces = with_unit(forms.IntegerField(label="鼠迹", min_value=0), "处")
    urgent = forms.BooleanField(label="需要当天处置", required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("urgent") and data.get("severity") == "normal":
            raise forms.ValidationError("一般问题不能要求当天处置。请提高严重程度，或取消“需要当天处置”。")
        return data


def things(request: HttpRequest) -> HttpResponse:
    return ThingList(request, Thing.objects.filter(district="320311")).response()


def form(request: HttpRequest) -> HttpResponse:
    made = ThingForm(request.POST or None, request.FILES or None)
    if made.is_bound and made.is_valid():
        return go_on(request, "/things")
    return form_page(
        request, made, context={"title": "登记问题", "submit_label": "保存并立案", "cancel_url": "/things"}
    )


def pieces(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    return render(
        request,
        "ui/list.html" if "list" in request.GET else "pieces.html",
        {
            "title": "今日",
            "steps": [
                {
                    "title": "立案",
                    "at": now,
                    "actor": "陈明远",
                    "post": "督查员",
                    "tone": "teal",
                    "icon": "flag",
                },
                {
                    "title": "退回",
                    "at": now,
                    "actor": "李静",
                    "post": "街道",
                    "tone": "orange",
                    "icon": "arrow-back-up",
                    "note": "照片看不清整改后的情况。\n请重新拍照。",
                },
                {
                    "title": "结案",
                    "at": now,
                    "actor": "王海",
                    "post": "核查员",
                    "tone": "green",
                    "icon": "check",
                },
            ],
            "figures": [
                {
                    "title": "本月立案",
                    "text": "1,286",
                    "unit": "件",
                    "url": "/things",
                    "definition": "本月立案的事项数。",
                    "scope": "泉山区",
                    "period": "2026-11",
                    "as_of": now,
                },
                {
                    "title": "按期结案率",
                    "text": "82.1",
                    "unit": "%",
                    "url": "/things",
                    "tone": "orange",
                    "note": "468 / 570",
                    "definition": "按期结案数除以应结案数。",
                },
                {
                    "title": "已超期",
                    "text": "37",
                    "unit": "件",
                    "url": "/things?state=overdue",
                    "tone": "red",
                },
                {"title": "知晓率", "text": "未评", "definition": "本期没有调查。"},
            ],
            "badges": [(tone, label) for label, tone in STATES.values()] + [("teal", "督办")],
            "photos": [
                {
                    "url": "/static/ui/mark.svg",
                    "caption": "整改后",
                    "flag": "与 2026-03-02 的照片相同",
                    "flag_url": "/things",
                }
            ],
        },
    )


def error(request: HttpRequest) -> HttpResponse:
    words = {
        "code": "case-not-found",
        "sentence": "没有找到这件事项，或它不在您的管辖范围。",
        "next_url": "/things",
        "next_label": "查看事项",
    }
    return render(request, "ui/error.html", words, status=404)


urlpatterns = [
    path("", things),
    path("things", things),
    path("today", pieces),
    path("form", form),
    path("error", error),
    path("ui/", include("weicheng.ui.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]


def make_things(count: int, *, seed: int = 7) -> None:
    """Fill the table: `count` rows, every state, some without deadline, many sharing one."""
    dice = random.Random(seed)
    names = [
        "垃圾桶满溢",
        "墙角有鼠洞",
        "占道经营堵塞人行道",
        "下水道污水外溢",
        "楼道堆放杂物，消防通道不畅",
        "小广告未清理",
        "公厕无洗手液、地面积水",
    ]
    roads = ["和平路", "建国西路", "矿山东路", "淮海西路"]
    units = ["王陵街道环卫所", "矿山社区居委会", "泉山农贸市场", "鼎盛物业", "市政设施管理处"]
    start = dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)
    rows = []
    for number in range(count):
        moment = start + dt.timedelta(minutes=37 * number)
        street = dice.choice(["320311001", "320311002"])
        rows.append(
            Thing(
                city="3203",
                district=dice.choice(["320311", "320311", "320302"]),
                street=street,
                community=f"{street}005",
                state=dice.choice(list(STATES)),
                name=f"{dice.choice(roads)}{dice.randrange(1, 300)}号{dice.choice(names)}",
                unit=dice.choice(units),
                points=dice.randrange(0, 30),
                occurred_on=moment.date(),
                opened_at=moment,
                due_at=None if dice.random() < 0.2 else start + dt.timedelta(days=dice.randrange(5)),
            )
        )
    Thing.objects.bulk_create(rows)
