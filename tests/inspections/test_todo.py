"""What today asks for: the places one is sent to, a round that is over, a card that stands."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from tests.inspections.test_rounds import begun, drawn, planned
from tests.inspections.test_yellow_cards import given
from weicheng.inspections.models import Round
from weicheng.inspections.todo import todo_of


def asked(city, name):
    return [each.text for each in todo_of(city.actor(name), timezone.localdate())]


def test_an_inspector_is_asked_for_the_places_that_are_left(city):
    made = drawn(city, 3)
    assert asked(city, "Lin") == ["四季度检查：有 3 处由您检查"]
    begun(city, made)
    assert asked(city, "Lin") == ["四季度检查：有 2 处由您检查"]
    city.units["shop"].closed_on = timezone.localdate()
    city.units["shop"].save()
    assert asked(city, "Lin") == ["四季度检查：有 1 处由您检查"]
    for name in ("Qian", "Chen", "Sun", "Zhao", "Li"):
        assert asked(city, name) == []
    assert "有 1 处由您检查" in city.client("Lin").get("/").content.decode()


def test_a_round_that_has_not_begun_asks_for_nothing_yet(city):
    soon = timezone.localdate() + timedelta(days=2)
    drawn(city, 1, starts_on=soon, ends_on=soon)
    assert asked(city, "Lin") == []


def test_the_office_is_asked_for_what_is_over(city):
    before = timezone.localdate() - timedelta(days=3)
    planned(city, title="没抽的", starts_on=before, ends_on=before)
    made = drawn(city, 1, title="没公布的", starts_on=before, ends_on=before)
    assert asked(city, "Qian") == ["没抽的已到期，还没有抽取", "没公布的已到期，待公布"]
    Round.objects.filter(pk=made.pk).update(state="published", published_at=timezone.now())
    assert asked(city, "Qian") == ["没抽的已到期，还没有抽取"]
    assert asked(city, "Chen") == []


def test_a_card_is_asked_for_where_it_stands(city, django_assert_max_num_queries):
    given(city, uid=uuid4())
    given(city, unit="market", uid=uuid4())
    sun, zhao = asked(city, "Sun"), asked(city, "Zhao")
    assert "黄牌未摘：东一社区，请整改后申请复查" in sun
    assert zhao == ["黄牌未摘：解放桥农贸市场，请整改后申请复查"]
    assert asked(city, "Feng") == []
    actor = city.actor("Sun")
    with django_assert_max_num_queries(2):
        todo_of(actor, timezone.localdate())
