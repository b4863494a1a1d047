"""The upload script in a real browser: parts, a broken connection, a refusal, a reload."""

import os
import uuid

import pytest

from tests.evidence.samples import attach, jpeg
from weicheng.evidence import copies
from weicheng.evidence.models import Attachment, Upload

# Once: the script in the page is the same on either database, and parts and their rows are proved by test_uploads.
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

# Playwright keeps an event loop in this thread; the ORM is only used while it rests.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

PHOTO = jpeg(size=(800, 600), quality=95) + bytes(40 * 1024)


@pytest.fixture
def chromium():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no Chromium here: {error}")
        yield browser
        browser.close()


FORM = """(owner) => {
  const form = document.createElement("form");
  form.method = "post"; form.action = "/nowhere";
  Object.assign(form.dataset, {upload: "box", uploadOwner: owner, uploadPurpose: "after"});
  const field = document.createElement("input");
  field.type = "file"; field.multiple = true; field.id = "field"; field.name = "photos";
  form.append(field); document.querySelector("main").prepend(form);
  const script = document.createElement("script"); script.src = "/static/evidence/upload.js";
  return new Promise((go) => { script.onload = go; document.head.append(script); });
}"""


@pytest.fixture
def page(town, client, live_server, chromium, settings):
    """A page of ours with a form that uploads; the part size is small, so that there are several."""
    settings.UPLOAD_PART_KB = 16
    box = town.box()
    sent = attach(town, box).attachment
    client.force_login(town.chen_user)
    context = chromium.new_context(viewport={"width": 375, "height": 800})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/photos/{sent.uid}")
    page.owner = str(box.uid)
    page.evaluate(FORM, page.owner)
    yield page
    context.close()


def until(page, condition, seconds=30):
    """Wait for a condition; Playwright's own way needs eval, which our pages rightly forbid."""
    for _try in range(seconds * 10):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{condition} did not come true: {page.inner_text('main')[:500]}")


def choose(page, *photos):
    page.set_input_files(
        "#field", [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in photos]
    )


def test_a_chosen_photo_is_sent_in_parts_and_leaves_the_form(page):
    choose(page, ("a.jpg", PHOTO), ("b.jpg", jpeg("red")))
    until(page, "document.querySelectorAll('[data-upload-list] li').length === 2")
    until(page, "document.querySelector('#field').files.length === 0")
    assert page.inner_text("[data-upload-list]").count("已上传") == 2
    rows = Attachment.objects.filter(purpose="after").order_by("id")
    assert [row.filename for row in rows] == ["a.jpg", "b.jpg"]
    assert b"".join(copies.open_original(rows[0].stored)) == PHOTO
    assert rows[0].device_at is not None


def test_a_broken_connection_is_tried_again_and_a_refusal_is_said(page):
    failed = []

    def drop(route):
        if "/parts/1" in route.request.url and not failed:
            failed.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/uploads/**", drop)
    choose(page, ("a.jpg", PHOTO), ("fake.jpg", b"<svg></svg>"))
    until(page, "document.querySelector('#field').files.length === 0")
    assert failed
    said = page.inner_text("[data-upload-list]")
    assert "已上传" in said
    assert "SVG/XML" in said
    assert Attachment.objects.filter(purpose="after").count() == 1


def test_after_a_reload_the_same_photo_goes_on_where_it_was(page):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.route("**/parts/2", lambda route: route.abort())
    choose(page, ("a.jpg", PHOTO))
    until(page, "document.querySelector('.wc-error') !== null")
    assert page.evaluate("document.querySelector('#field').files.length") == 1  # travels with the form
    upload = Upload.objects.get()
    assert list(upload.parts.order_by("number").values_list("number", flat=True)) == [0, 1]
    page.unroute("**/parts/2")
    sent.clear()
    # The same file chosen again; a test's file has a new time stamp, so the memory is keyed as if it had not.
    page.evaluate(
        """(uid) => { const real = Storage.prototype.getItem;
        Storage.prototype.getItem = function (key) { return key.startsWith("weicheng.upload") ? uid : real.call(this, key); }; }""",
        str(upload.uid),
    )
    choose(page, ("a.jpg", PHOTO))
    until(page, "document.querySelector('#field').files.length === 0")
    assert not any(url.endswith(("/parts/0", "/parts/1")) for url in sent)
    assert Attachment.objects.get(purpose="after").uid == uuid.UUID(str(upload.uid))
    shot = os.environ.get("WEICHENG_SHOTS")
    if shot:
        page.screenshot(path=f"{shot}/photo-375.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=f"{shot}/photo-1280.png", full_page=True)
