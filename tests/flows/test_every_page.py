"""Every page of every role: answers, is accessible, fits a phone, asks no other host."""

import pytest

from tests.flows.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.once]

PAGES = {
    "demo-qu": ["/", "/cases/", "/findings/new", "/visits/", "/visits/new", "/map", "/figures/", "/units", "/units/new",
                "/units/import", "/units/qr", "/standards", "/notices", "/jobs", "/search?q=垃圾", "/sessions", "/tokens", "/password"],
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
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_of_a_role(site, visitor, login, size):
    someone = visitor(login, size)
    for path in PAGES[login]:
        answer = someone.page.goto(site.address + path)
        assert answer is not None, path
        assert answer.status == 200, path
        someone.check()


def test_the_sign_in_page_lists_the_demo_accounts(site, visitor):
    nobody = visitor()
    page = nobody.go("/sign-in")
    assert "demo-ducha1" in page.content()
    nobody.check()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_one_of_each_object(site, visitor, size):
    first = site.installation.python(
        "from weicheng.cases.models import Case; from weicheng.inspections.models import Visit\n"
        "from weicheng.places.models import Unit; from weicheng.standards.models import Edition\n"
        "closed = Case.objects.filter(state='closed').first()\n"
        "print(closed.url, closed.url + '/print', Visit.objects.exclude(checklist_edition=None).first().url,"
        " f'/units/{Unit.objects.first().uid}', *(f'/standards/{uid}' for uid in"
        " Edition.objects.values_list('uid', flat=True)))"
    )
    officer = visitor("demo-qu", size)
    for path in first.split():
        assert officer.page.goto(site.address + path).status == 200, path
        officer.check()
