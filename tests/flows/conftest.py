"""A site as `make run` starts it, with the demo of one month, and browsers that visit it."""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.house.conftest import Installation, installations

__all__ = ["installations"]
CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}

_AXE_RUN = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).then(found =>
  found.violations.map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.target.join(" ")).join(", ")}`))"""


@dataclass
class Site:
    """A running site; `cast` names the demo people and places the story needs."""

    address: str
    installation: Installation
    cast: dict[str, str]


@pytest.fixture(scope="session")
def site(installations: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = installations.make(tmp_path_factory.mktemp("site") / "data")
    port = _free_port()
    settings = {
        "WEICHENG_DEMO": "1",
        "WEICHENG_PORT": str(port),
        "WEICHENG_SITE_URL": f"http://127.0.0.1:{port}",
    }
    loaded = place.weicheng("init", "--demo", "--months", "1", **settings)
    assert loaded.returncode == 0, loaded.stderr
    running = place.start("run", **settings)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, running)
        yield Site(address, place, _cast(place))
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
        self.page.wait_for_load_state("networkidle")
        return self.page

    def sign_in(self, login: str) -> "Visitor":
        self.go("/sign-in")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", "weicheng-demo")
        self.page.click("main form button[type=submit]")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        return self

    def check(self) -> None:
        """The page in sight is accessible, fits the screen, and its console is silent."""
        self.page.wait_for_load_state("networkidle")
        # The policy allows no foreign script, so axe is handed to the page past it.
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(_AXE_RUN)
        assert not found, f"{self.page.url}: {found}"
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"
        assert not self.complaints, f"{self.page.url}: {self.complaints}"


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
