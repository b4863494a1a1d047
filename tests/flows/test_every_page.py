"""Every page of every role: answers, is accessible by day and night, fits a phone, asks no other host."""

import pytest

from tests.flows import conftest as flows

pytestmark = [pytest.mark.browser, pytest.mark.once]

PAGES = {
    "demo-qu": ["/", "/cases/", "/findings/new", "/visits/", "/visits/new", "/map", "/figures/", "/figures/cases", "/units", "/units/new",
                "/units/import", "/units/qr", "/standards", "/notices", "/jobs", "/search?q=垃圾", "/sessions", "/tokens", "/password", "/visits/rounds/", "/visits/rounds/new",
                "/visits/calendar", "/visits/cards/", "/visits/mine?all=1", "/assessments/", "/assessments/new", "/assessments/appeals",
                "/documents/", "/documents/bulletin", "/hot-spots/", "/charges", "/charges?by=person", "/charges/all", "/charges/new", "/charges/import"],
    "demo-jiedao1": ["/", "/cases/?all=1", "/units", "/areas", "/figures/", "/visits/rounds/", "/assessments/", "/documents/"],
    "demo-shequ1": ["/", "/cases/", "/findings/new", "/visits/calendar", "/assessments/"],
    "demo-danwei1": ["/", "/cases/", "/notices", "/assessments/", "/hot-spots/"],
    "demo-lingdao": ["/", "/figures/", "/map", "/assessments/", "/documents/", "/charges"],
    "demo-zhuanjia": ["/", "/cases/", "/visits/rounds/"],
    "demo-bingmei": ["/", "/findings/new"],
    "demo-ducha1": ["/", "/visits/mine", "/visits/rounds/"],
    "demo-shi": ["/", "/cases/", "/assessments/", "/documents/"],
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


OBJECTS = """
from django.urls import reverse
from weicheng.assessments.models import Appeal, Board, Sheet
from weicheng.cases.models import Case, HotSpot
from weicheng.documents.models import Document
from weicheng.inspections.models import Round, RoundPlace, Visit, YellowCard
from weicheng.places.models import Charge, Unit
from weicheng.standards.models import Edition

closed = Case.objects.filter(state='closed').first()
visit = Visit.objects.filter(hidden=False).exclude(checklist_edition=None).exclude(ended_at=None).first()
board = Board.objects.exclude(confirmed_at=None).order_by('-id').first()
computed = Board.objects.filter(state='computed').first()
found = [closed, visit, board, computed, HotSpot.objects.first()]
found += [Round.objects.filter(state=state).order_by('-id').first() for state in Round.State.values]
found += [Document.objects.filter(state=state).order_by('-id').first() for state in ('draft', 'checked', 'issued')]
found += [YellowCard.objects.filter(state=state).first() for state in YellowCard.State.values]
found += [Appeal.objects.filter(state=state).first() for state in Appeal.State.values]
found.append(Sheet.objects.filter(board=board).order_by('rank').last())
urls = [one.url for one in found if one is not None]
urls += [closed.url + '/print', visit.url + '/sheet', f'/units/{Unit.objects.first().uid}',
         f'/charges/{Charge.objects.first().uid}', reverse('round_place', args=[RoundPlace.objects.first().uid])]
urls += [reverse('round_draw', args=[one.uid]) for one in Round.objects.filter(state='planned')[:1]]
if computed is not None:
    urls += [reverse('assessments:board_confirm', args=[computed.uid]), reverse('assessments:entries', args=[computed.uid])]
kinds = dict(Edition.objects.order_by('id').values_list('kind', 'uid'))
print(*urls, *(f'/standards/{uid}' for uid in kinds.values()))
"""


def test_one_of_each_object(site, visitor):
    """Each state of an object shows other parts and offers other steps: all of them are looked at."""
    officer = visitor("demo-qu")
    for path in site.installation.python(OBJECTS).split():
        flows.seen.discard("/standards/*")  # each kind of edition is a page of its own
        answer = officer.page.goto(site.address + path)
        assert answer is not None, path
        assert answer.status == 200, path
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
