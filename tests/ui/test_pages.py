"""The layout: no inline code, icons that exist, files with a digest, one current menu item."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.test import RequestFactory

import weicheng.ui
from tests.ui.site import make_things
from weicheng.ui.templatetags.ui import bottom_bar

UI = Path(weicheng.ui.__file__).parent
PAGES = ["/things", "/today", "/form", "/error"]


def draw(text: str, **context) -> str:
    return Template("{% load ui %}" + text).render(Context(context))


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_no_page_carries_inline_code_or_asks_another_host(toy_site, address):
    make_things(30)
    page = toy_site.get(address).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", page)
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", page)
    assert page.count("<h1") == 1
    assert 'id="main"' in page
    assert page.count('aria-current="page"') == (0 if address == "/error" else 2)


def test_every_icon_named_in_a_template_is_in_the_sprite():
    sprite = finders.find("vendor/icons.svg")
    if not sprite:
        pytest.skip("the icon sprite is not vendored in this checkout")
    known = set(re.findall(r'<symbol id="tabler-([^"]+)"', Path(sprite).read_text()))
    named = {
        name
        for file in (UI / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', file.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= known


def test_every_file_a_template_asks_for_exists_and_carries_its_digest():
    for file in (UI / "templates").rglob("*.html"):
        for path in re.findall(r'{% (?:asset|static) "([^"]+)"', file.read_text(encoding="utf-8")):
            assert finders.find(path), f"{file.name} asks for {path}"
    assert re.search(r"/static/ui/weicheng\.css\?v=[0-9a-f]{10}$", draw('{% asset "ui/weicheng.css" %}'))


def test_the_style_sheet_asks_no_other_host_and_its_fonts_exist():
    text = (UI / "static/ui/weicheng.css").read_text(encoding="utf-8")
    assert "http" not in text
    for path in re.findall(r'url\("\.\./([^"]+)"\)', text):
        assert finders.find(path), path


@pytest.mark.parametrize(
    ("primary", "rest", "shown"), [(5, 0, 5), (5, 2, 4), (3, 2, 3), (7, 0, 4), (0, 0, 0)]
)
def test_the_bottom_bar_has_at_most_five_places_and_loses_nothing(primary, rest, shown):
    menu = [{"key": number, "primary": number < primary} for number in range(primary + rest)]
    bar = bottom_bar(menu)
    assert len(bar["shown"]) == shown
    assert len(bar["shown"]) + bool(bar["rest"]) <= 5
    assert len(bar["shown"]) + len(bar["rest"]) == len(menu)


def test_query_with_sets_and_takes_out_parts_of_the_address():
    request = RequestFactory().get("/x?a=1&b=2")
    assert draw("{% query_with a=3 b=None c='甲' %}", request=request) == "?a=3&amp;c=%E7%94%B2"


def test_a_moment_is_written_in_the_sites_zone():
    import datetime as dt

    moment = dt.datetime(2026, 5, 8, 16, 30, tzinfo=dt.UTC)
    assert (
        draw("{{ m|moment }} {{ m|day }} {{ n|moment }}", m=moment, n=None) == "2026-05-09 00:30 2026-05-09 "
    )


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground_by_four_and_a_half(theme):
    text = (UI / "static/ui/weicheng.css").read_text(encoding="utf-8")
    block = text.split(f":root[data-bs-theme={theme}] {{\n  color-scheme", 1)[1].split("\n}", 1)[0]
    colour = dict(re.findall(r"--wc-([a-z0-9-]+): (#[0-9a-f]{6})", block))
    pairs = [
        (f"{tone}", f"{tone}-bg") for tone in ("green", "teal", "blue", "yellow", "orange", "red", "grey")
    ]
    for ground in ("page", "surface", "surface-2", "hover", "accent-wash"):
        pairs += [("ink", ground), ("ink-2", ground), ("link", ground)]
    pairs += [("top-ink", "top"), ("red", "surface"), ("orange", "surface")]
    for words, ground in pairs:
        assert contrast(colour[words], colour[ground]) >= 4.5, (words, ground)
    assert contrast("#ffffff", colour["accent"]) >= 4.5
