"""The toy site in a real Chromium: filters, keyboard, errors that keep a photo, narrow screens, axe."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.once]
HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
AXE = HERE.parent / "vendor/axe.min.js"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Serve the toy site from a process of its own, so that it needs no table of the suite's database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ui.run_site", str(port)],
        cwd=HERE.parent.parent,
        env={
            **kept,
            "UI_TEST_SQLITE": str(tmp_path_factory.mktemp("toy") / "toy.sqlite3"),
            "UI_TEST_DATABASE": "",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _try in range(100):
        try:
            urllib.request.urlopen(f"{address}/error")
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.2)
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed: tools/install_system.sh says how.")
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(params=["desk", "phone"])
def screen(request, browser):
    phone = request.param == "phone"
    yield from _page(browser, width=375 if phone else 1280, phone=phone)


@pytest.fixture
def desk(browser):
    yield from _page(browser, width=1280, phone=False)


@pytest.fixture
def phone(browser):
    yield from _page(browser, width=375, phone=True)


def _page(browser, *, width, phone):
    context = browser.new_context(
        viewport={"width": width, "height": 812}, has_touch=phone, is_mobile=phone, locale="zh-CN"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "console",
        lambda line: (
            page.faults.append(line.text) if line.type == "error" and "422" not in line.text else None
        ),
    )
    yield page
    assert page.faults == []
    context.close()


def numbers(page):
    return page.locator("td[data-label=编号]").all_inner_texts()


def test_choosing_a_state_narrows_the_list_and_the_address_and_keeps_the_menu_open(site, desk):
    desk.goto(f"{site}/things?all=1")
    desk.locator("#filter-state > summary").click()
    desk.get_by_label("已结案").check()
    desk.wait_for_url("**/things?state=closed")
    desk.get_by_label("待派遣").check()
    desk.wait_for_url("**/things?state=filed&state=closed")
    assert desk.locator("#filter-state[open]").count() == 1
    assert set(desk.locator("td[data-label=状态]").all_inner_texts()) == {"待派遣", "已结案"}
    desk.locator(".wc-chip", has_text="待派遣").click()
    desk.wait_for_url("**/things?state=closed")
    desk.go_back()
    desk.wait_for_url("**/things?state=filed&state=closed")
    desk.locator(".wc-chip").nth(1).wait_for()
    assert desk.locator("#main h1").inner_text() == "事项"


def test_the_total_comes_after_the_page(site, desk):
    desk.goto(f"{site}/things?all=1")
    desk.locator(".wc-total", has_text="共 ").wait_for()


def test_a_list_is_worked_from_the_keyboard(site, desk):
    desk.goto(f"{site}/things")
    first = numbers(desk)
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    assert desk.locator("tr.wc-at td[data-label=编号]").inner_text() == first[1]
    desk.keyboard.press("x")
    assert desk.locator("[data-selected]").inner_text() == "1"
    desk.keyboard.press("n")
    desk.wait_for_url("**after=*")
    desk.locator("td[data-label=编号]", has_text=first[0]).wait_for(state="detached")
    assert not set(first) & set(numbers(desk))
    desk.keyboard.press("p")
    desk.locator("td[data-label=编号]", has_text=first[0]).wait_for()
    desk.keyboard.press("?")
    assert desk.locator("dialog[open]").is_visible()
    desk.keyboard.press("Escape")
    desk.locator("dialog[open]").wait_for(state="detached")
    desk.keyboard.press("/")
    desk.keyboard.type("鼠洞")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**q=%E9%BC%A0%E6%B4%9E**")
    assert all("鼠洞" in name for name in desk.locator("td[data-label=问题]").all_inner_texts())


def test_a_batch_asks_before_it_posts(site, desk):
    desk.goto(f"{site}/things")
    desk.get_by_label("选择本页").check()
    assert desk.locator("[data-selected]").inner_text() == "20"
    asked = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    desk.get_by_role("button", name="批量派遣").click()
    assert asked == ["派遣选中的事项？"]
    assert desk.url == f"{site}/things"


def test_columns_are_chosen_in_place(site, desk):
    desk.goto(f"{site}/things")
    desk.locator("#list-columns > summary").click()
    desk.locator("#col-community").check()
    desk.get_by_role("columnheader", name="社区代码").wait_for()
    assert "cols=number,name,state,unit,due_at,points,occurred_on,community" in desk.url


def test_an_error_shows_its_sentence_and_loses_neither_text_nor_photo(site, screen, tmp_path):
    photo = tmp_path / "墙角.png"
    photo.write_bytes((HERE / "photo.png").read_bytes())
    screen.goto(f"{site}/form")
    screen.get_by_text("占道经营").click()
    screen.get_by_label("说明").fill("三号楼西侧")
    screen.locator("input[type=file]").set_input_files(photo)
    screen.locator("[data-photo-shown] img").wait_for()
    screen.get_by_role("button", name="保存并立案").click()
    screen.locator(".wc-errors").wait_for()
    assert screen.evaluate("document.activeElement.className") == "wc-errors"
    assert screen.get_by_label("说明").input_value() == "三号楼西侧"
    assert screen.locator("input[name=kind][value=stall]").is_checked()
    assert screen.evaluate("document.querySelector('input[type=file]').files[0].name") == "墙角.png"
    screen.locator(".wc-errors a", has_text="检查路线").click()
    assert screen.evaluate("document.activeElement.id") == "id_route_m"
    screen.get_by_label("检查路线").fill("1200")
    screen.get_by_label("鼠迹").fill("3")
    screen.locator("#id_found_on").fill("2026-05-08")
    screen.locator("#id_area").select_option("32031100005")
    screen.get_by_role("button", name="保存并立案").click()
    screen.wait_for_url("**/things")


def test_a_position_is_taken_from_the_device(site, phone):
    phone.context.grant_permissions(["geolocation"])
    phone.context.set_geolocation({"longitude": 117.19, "latitude": 34.26, "accuracy": 12})
    phone.goto(f"{site}/form")
    phone.get_by_role("button", name="取当前位置").click()
    phone.get_by_text("已取到位置，误差约 12 米").wait_for()
    assert phone.locator("[name=place_lon]").input_value() == "117.1900000"


def test_the_filters_fold_on_the_phone_and_a_card_opens_its_row(site, phone):
    phone.goto(f"{site}/things")
    assert not phone.locator("#filter-state").is_visible()
    phone.locator("#list-fold > summary").click()
    assert phone.locator("#filter-state").is_visible()
    address = phone.locator("tr[data-row]").first.get_attribute("data-href")
    phone.locator("#list-fold > summary").click()
    phone.locator("tr[data-row] .wc-phone-title").first.click()
    phone.wait_for_url(f"**{address}")
    phone.faults.clear()  # the toy site has no page of one thing


def test_the_theme_is_remembered(site, desk):
    desk.goto(f"{site}/things")
    desk.get_by_role("button", name="切换深浅色").click()
    assert desk.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    desk.reload()
    assert desk.evaluate("document.documentElement.dataset.bsTheme") == "dark"


@pytest.mark.parametrize("address", ["/things", "/form", "/today", "/things?state=closed&q=没有的"])
def test_nothing_is_wider_than_the_screen_and_nothing_too_small_to_touch(site, phone, address):
    phone.goto(site + address)
    assert phone.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [375, 375]
    small = phone.evaluate(
        """[...document.querySelectorAll('a.btn, button, summary, input, select, .wc-bar-item, .wc-chip')]
        .map(one => one.matches('input') && one.closest('label') ? one.closest('label') : one)
        .filter(one => one.checkVisibility() && !one.closest('dialog'))
        .filter(one => one.getBoundingClientRect().height < 43.5 || one.getBoundingClientRect().width < 43.5)
        .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/things", "/form", "/today"])
def test_axe_finds_nothing(site, screen, address, theme):
    if not AXE.exists():
        pytest.skip("axe is not vendored in this checkout")
    screen.emulate_media(color_scheme=theme)
    screen.goto(site + address)
    screen.wait_for_load_state("networkidle")
    screen.context.new_cdp_session(screen).send("Page.setBypassCSP", {"enabled": True})
    screen.evaluate(AXE.read_text(encoding="utf-8"))
    found = screen.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    assert [(one["id"], [node["target"] for node in one["nodes"]][:5]) for one in found["violations"]] == []
