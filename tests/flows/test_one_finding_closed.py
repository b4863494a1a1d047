"""One finding, closed: inspector, sub-district, a unit by link, and a verifier, in four browsers."""

import re

import pytest

from tests.flows.conftest import DESK, PHONE
from tests.pictures import photo

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_one_finding_goes_from_the_street_to_closed_in_four_browsers(site, visitor, tmp_path, size):
    before, after = tmp_path / "before.jpg", tmp_path / "after.jpg"
    before.write_bytes(photo())
    after.write_bytes(photo())
    cast = site.cast

    # 1. The inspector reports: from the unit's QR code, three taps and no typing.
    inspector = visitor(cast["inspector"], PHONE)
    page = inspector.go(f"/u/{cast['unit']}")
    inspector.check()
    assert page.input_value("[name=unit]") == cast["unit"]
    page.click("label.wc-pill >> nth=0")  # tap 1: the kind
    page.set_input_files("[name=photos]", before)  # tap 2: the camera
    page.wait_for_timeout(600)
    page.click("#finding button[type=submit]")  # tap 3: send
    page.wait_for_url(re.compile("saved="))
    inspector.check()
    assert "已上报" in page.content()
    case = page.get_attribute(".wc-saved a", "href")

    # 2. The sub-district finds it on its list and makes a link for a unit without an account.
    street = visitor(cast["street"], size)
    street.go("/")
    street.check()
    street.go("/cases/")
    street.check()
    page = street.go(case)
    street.check()
    assert page.locator(".wc-photos img").count() == 1
    page.click("text=生成办理链接")
    page.wait_for_selector("input[readonly]")
    street.check()
    link = page.input_value("input[readonly]")
    other = visitor(cast["other"], size)
    assert other.page.goto(site.address + case).status == 404  # the neighbour sees nothing

    # 3. The unit opens the link on a phone and hands in.
    unit = visitor(size=PHONE)
    page = unit.go(link)
    unit.check()
    page.click("summary:has-text('上报整改')")
    form = page.locator("#move-hand_in")
    form.locator("[name=note]").fill("已清运，地面已冲洗")
    form.locator("button[type=submit]").click()  # without a photo: refused, and the words are kept
    page.wait_for_selector(".wc-error, .wc-errors")
    assert "需要整改后的照片" in page.content()
    assert page.locator("#move-hand_in [name=note]").input_value() == "已清运，地面已冲洗"
    unit.complaints.clear()  # the browser notes the refusal's status itself
    page.set_input_files("#move-hand_in [name=photos]", after)
    page.wait_for_timeout(600)
    page.click("#move-hand_in button[type=submit]")
    page.wait_for_selector("text=待核查")
    unit.check()

    # 4. Somebody else verifies and closes it.
    verifier = visitor(cast["officer"], size)
    page = verifier.go(case)
    assert page.locator(".wc-photos img").count() == 2
    page.click("summary:has-text('核查通过')")
    page.click("#move-pass button[type=submit]")
    page.wait_for_selector("text=已结案")
    verifier.check()

    # The unit's link has nothing more to do, and the inspector is told.
    page = unit.go(link)
    assert "现在没有需要您办理的步骤" in page.content()
    for _ in range(20):
        page = inspector.go("/notices")
        if "核查通过" in page.content():
            break
        page.wait_for_timeout(500)
    assert "核查通过" in page.content()
    inspector.check()


def test_a_figure_opens_the_records_behind_it(site, visitor):
    leader = visitor(site.cast["leader"])
    page = leader.go("/figures/")
    leader.check()
    figure = page.locator("tbody tr").first.locator("a[href*='/cases/']").first
    said = int(figure.inner_text().replace(",", ""))
    figure.click()
    page.wait_for_load_state("networkidle")
    total = page.locator(".wc-total").inner_text()
    assert int(re.search(r"\d+", total.replace(",", ""))[0]) == said
    leader.check()


def test_a_finding_is_withdrawn_by_its_finder_within_ten_minutes(site, visitor):
    inspector = visitor(site.cast["inspector"], PHONE)
    page = inspector.go(f"/u/{site.cast['unit']}")
    page.click("label.wc-pill >> nth=1")
    page.click("#finding button[type=submit]")
    page.wait_for_url(re.compile("saved="))
    page.click("text=撤回")
    page.wait_for_selector("text=已撤销")
    inspector.check()
