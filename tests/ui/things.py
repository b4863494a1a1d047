"""A toy model with the columns a growing table has, and lists of it."""

from django.db import models
from django.db.models import QuerySet

from weicheng.ui.lists import BatchAction, Choices, Column, Dates, Exact, Flag, ListPage, Order, Search

STATES = {
    "filed": ("待派遣", "grey"),
    "dispatched": ("处置中", "blue"),
    "handed_in": ("待核查", "yellow"),
    "returned": ("已退回", "orange"),
    "overdue": ("已超期", "red"),
    "closed": ("已结案", "green"),
}


class Thing(models.Model):
    city = models.CharField(max_length=4)
    district = models.CharField(max_length=6)
    street = models.CharField(max_length=9)
    community = models.CharField(max_length=12)
    state = models.CharField(max_length=12)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=60, default="")
    points = models.IntegerField(default=0)
    occurred_on = models.DateField()
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)

    class Meta:
        # Not an installed app: the table exists only while tests of `ui` run.
        app_label = "ui_toy"
        indexes = [
            models.Index(fields=["district", "state", "id"], name="ui_toy_district_state"),
            models.Index(fields=["street", "state", "id"], name="ui_toy_street_state"),
            models.Index(fields=["district", "state", "due_at", "id"], name="ui_toy_district_due"),
        ]

    def __str__(self) -> str:
        return self.name


class ThingList(ListPage):
    key = "things"
    title = "事项"
    columns = [
        Column(
            "number", "编号", lambda thing: f"泉山-{thing.pk:05d}", href=lambda thing: f"/things/{thing.pk}"
        ),
        Column("name", "问题", phone="title"),
        Column(
            "state",
            "状态",
            lambda thing: STATES[thing.state][0],
            kind="state",
            tone=lambda t: STATES[t.state][1],
        ),
        Column("unit", "责任单位"),
        Column("due_at", "期限", kind="moment", order="due_at"),
        Column("points", "扣分", kind="number", order="points"),
        Column("occurred_on", "发现日期", kind="date"),
        Column("opened_at", "立案时间", kind="moment", default=False),
        Column("community", "社区代码", default=False),
    ]
    filters = [
        Search(
            "q",
            "搜索",
            apply=lambda rows, words: rows.filter(name__icontains=words),
            placeholder="问题、编号",
        ),
        Choices("state", "状态", options=[(k, v[0]) for k, v in STATES.items()], multiple=True),
        Choices(
            "street", "街道", options=lambda request: [("320311001", "王陵街道"), ("320311002", "永安街道")]
        ),
        Dates("occurred_on", "发现日期"),
        Dates("opened", "立案", field="opened_at"),
        Flag("overdue", "只看超期", apply=lambda rows, yes: rows.filter(state="overdue")),
        Exact("community", "社区", show=lambda text, request: "矿山社区" if text == "320311001005" else None),
    ]
    orders = [Order("due_at", "期限"), Order("points", "扣分")]
    default = {"state": ["filed", "dispatched", "handed_in", "returned", "overdue"]}
    merge_on = "state"
    empty = "督查发现的问题会出现在这里。"
    empty_action = ("登记一个问题", "/form")
    batch = [
        BatchAction("dispatch", "批量派遣", "/batch", confirm="派遣选中的事项？"),
        BatchAction("close", "批量结案", "/batch", tone="secondary"),
    ]


class PlainList(ListPage):
    """Newest first over everything, as the naive answer would be."""

    key = "plain"
    title = "全部"
    columns = [Column("name", "问题")]

    def queryset(self, rows: QuerySet) -> QuerySet:
        return rows.only("name")
