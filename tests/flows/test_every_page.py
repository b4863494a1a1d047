"""Every page of every role: answers, is accessible by day and night, fits a phone, asks no other host."""

import pytest

from tests.flows import conftest as flows

pytestmark = [pytest.mark.browser, pytest.mark.once]

PAGES = {
    "demo-qu": ["/", "/cases/", "/findings/new", "/visits/", "/visits/new", "/map", "/figures/", "/units", "/units/new",
                "/units/import", "/units/qr", "/standards", "/notices", "/jobs", "/search?q=垃圾", "/sessions", "/tokens", "/password", "/visits/rounds/", "/visits/rounds/new",
                "/visits/calendar", "/visits/cards/", "/visits/mine?all=1", "/documents/", "/documents/bulletin"],
    "demo-jiedao1": ["/", "/cases/?all=1", "/units", "/areas", "/figures/"],
    "demo-shequ1": ["/", "/cases/", "/findings/new"],
    "demo-danwei1": ["/", "/cases/", "/notices"],
    "demo-lingdao": ["/", "/figures/", "/map"],
    "demo-zhuanjia": ["/", "/cases/"],
    "demo-bingmei": ["/", "/findings/new"],
    "demo-shi": ["/", "/cases/"],
    "demo-xitong": ["/", "/areas"],
    "demo-anquan": ["/", "/people", "/people/new"],
    "demo-shenji": ["/", "/journal/"],
}  # fmt: skip


@pytest.mark.parametrize("login", PAGES)
def test_the_pages_of_a_role(site, visitor, login):
    someone = visitor(login)
    for path in PAGES[login]:
        answer = someone.page.goto(site.address + path)
        assert answer is not None, path
        assert answer.status == 200, path
        someone.check_everywhere()


def test_the_sign_in_page_lists_the_demo_accounts(site, visitor):
    nobody = visitor()
    page = nobody.go("/sign-in")
    assert "demo-ducha1" in page.content()
    nobody.check_everywhere()


def test_one_of_each_object(site, visitor):
    first = site.installation.python(
        "from weicheng.cases.models import Case; from weicheng.inspections.models import Visit\n"
        "from weicheng.places.models import Unit; from weicheng.standards.models import Edition\n"
        "closed = Case.objects.filter(state='closed').first()\n"
        "kinds = dict(Edition.objects.order_by('id').values_list('kind', 'uid'))\n"
        "print(closed.url, closed.url + '/print', Visit.objects.exclude(checklist_edition=None).first().url,"
        " f'/units/{Unit.objects.first().uid}', *(f'/standards/{uid}' for uid in kinds.values()))"
    )
    officer = visitor("demo-qu")
    for path in first.split():
        flows.seen.discard("/standards/*")  # each kind of edition is a page of its own
        assert officer.page.goto(site.address + path).status == 200, path
        officer.check_everywhere()


def test_the_bell_of_an_open_page_rings_by_itself(site, visitor):
    page = visitor("demo-anquan").go("/")
    assert page.locator("#bell .wc-count").count() == 0
    site.installation.python(
        "from django.utils import timezone; from weicheng.notices.actions import NoticeDraft, notify_many\n"
        "from weicheng.places.models import User\n"
        "told = User.objects.get(login='demo-anquan').pk\n"
        "notify_many([NoticeDraft(key='bell', kind='test', title='一条新通知', to_user_id=told)], at=timezone.now())"
    )
    page.evaluate("document.getElementById('bell').dataset.pollS = '1'")  # a minute is long for a test
    page.wait_for_selector("#bell .wc-count")
    assert page.inner_text("#bell .wc-count").startswith("1")
