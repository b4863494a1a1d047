"""A site as `make run` starts it, with the demo of one month, and browsers that visit it."""

import contextlib
import json
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.house.conftest import Installation, installations

__all__ = ["installations"]
CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}

_AXE_RUN = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).then(found =>
  found.violations.map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.target.join(" ")).join(", ")}`))"""

# Colours fade from one theme to the other, and a fading colour has no contrast to measure: the fading is ended.
_THEME = """async theme => {
  document.documentElement.dataset.bsTheme = theme;
  for (let round = 0; round < 4; round++) {
    document.getAnimations().filter(one => one.effect.getTiming().iterations !== Infinity).forEach(one => one.finish());
    await new Promise(requestAnimationFrame);
  }
}"""


@dataclass
class Site:
    """A running site; `cast` names the demo people and places the story needs."""

    address: str
    installation: Installation
    cast: dict[str, str]


@pytest.fixture(scope="session")
def site(installations: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = installations.make(tmp_path_factory.mktemp("site") / "data")
    loaded = place.weicheng("init", "--demo", "--months", "1", WEICHENG_DEMO="1")
    assert loaded.returncode == 0, loaded.stderr
    with served(place, WEICHENG_DEMO="1") as address:
        yield Site(address, place, _cast(place))


@contextlib.contextmanager
def served(place: Installation, **settings: str) -> Iterator[str]:
    """Run the web and the worker of an installation; the address it answers at."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    running = place.start("run", **settings, WEICHENG_PORT=str(port), WEICHENG_SITE_URL=address)
    try:
        _wait_for(address, running)
        yield address
    finally:
        running.terminate()
        running.wait(15)


def _cast(place: Installation) -> dict[str, str]:
    """Return a sub-district with an account, a unit there that has none, and the names around it."""
    return json.loads(
        place.python(
            "import json\n"
            "from weicheng.places.models import Post, Unit\n"
            "street = Post.objects.filter(role='street').select_related('user').order_by('id').first()\n"
            "other = Post.objects.filter(role='street').exclude(area=street.area).select_related('user').first()\n"
            "lead = Post.objects.filter(role='leader').select_related('user').first()\n"
            "officer = Post.objects.filter(role='district_officer').select_related('user').first()\n"
            "finder = Post.objects.filter(role='inspector').select_related('user').order_by('id').first()\n"
            "unit = Unit.objects.filter(street=street.area, posts=None).exclude(community='').order_by('id').first()\n"
            "print(json.dumps({'street': street.user.login, 'other': other.user.login, 'leader': lead.user.login,"
            " 'officer': officer.user.login, 'inspector': finder.user.login, 'area': unit.community,"
            " 'unit': str(unit.uid), 'unit_name': unit.name, 'unit_area': unit.area}))"
        )
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(address: str, running: Any) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/sign-in", timeout=5).close()
            return
        except OSError:
            assert running.poll() is None, running.printed()
            time.sleep(0.2)
    raise AssertionError(running.printed())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One person at one browser; remembers what the console complained about."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path if path.startswith("/") else path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the page is loaded and what it asks for by itself has come."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_selector(".htmx-request", state="detached")

    def sign_in(self, login: str) -> "Visitor":
        self.go("/sign-in")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", "weicheng-demo")
        self.page.click("main form button[type=submit]")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        return self

    def check(self) -> None:
        """The page in sight is accessible, fits the screen, and its console is silent."""
        self.settle()
        self.check_access()
        self.check_width()
        assert not self.complaints, f"{self.page.url}: {self.complaints}"

    def check_access(self) -> None:
        """Axe finds nothing: WCAG 2.1 A and AA."""
        if not self.page.evaluate("'axe' in window"):
            # The policy allows no foreign script, so axe is handed to the page past it.
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(_AXE_RUN)
        assert not found, f"{self.page.url}: {found}"

    def check_width(self) -> None:
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"

    def check_everywhere(self) -> None:
        """Check the page on the desk and on the phone; each kind of page also by night and by axe at both widths.

        The page is loaded once: its widths differ by styles alone. A kind of page is its address without what
        names one object, so that a page which four roles open is looked at in the dark once.
        """
        self.page.set_viewport_size(DESK)
        self.check()
        kind = _kind_of(self.page.url)
        first = kind not in seen
        seen.add(kind)
        if first:
            self.page.evaluate(_THEME, "dark")
            self.check_access()
            self.page.evaluate(_THEME, "light")
        self.page.set_viewport_size(PHONE)
        self.check_width()
        if first:
            self.check_access()


seen: set[str] = set()  # kinds of pages looked at by this process


def _kind_of(url: str) -> str:
    path = urlsplit(url).path
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "*", path)


@pytest.fixture
def visitor(site: Site, chromium: Browser) -> Iterator[Any]:
    """Return a function that opens a fresh browser context, signed in where a login is given."""
    opened: list[BrowserContext] = []

    def arrive(login: str = "", size: dict[str, int] | None = None) -> Visitor:
        size = size or DESK
        context = chromium.new_context(
            viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=size is PHONE,
            geolocation={"longitude": 117.19, "latitude": 34.25}, permissions=["geolocation"],
        )  # fmt: skip
        opened.append(context)
        page, complaints = context.new_page(), []
        page.on("console", lambda said: complaints.append(said.text) if _is_news(said) else None)
        page.on(
            "response",
            lambda got: complaints.append(f"{got.status} {got.url}") if got.status >= 400 else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda sent: _require_own(sent.url, site.address, complaints))
        someone = Visitor(context, page, site.address, complaints)
        return someone.sign_in(login) if login else someone

    yield arrive
    for context in opened:
        context.close()


def _is_news(said: Any) -> bool:
    """Is this an error of the page? That a response failed is told by the response itself, with its address."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")


def _require_own(url: str, address: str, complaints: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        complaints.append(f"asked another host: {url}")
