"""The catalogues hold every message of the code, translated, with its places; pages come in three languages."""

import gettext
import re

import pytest
from django.test import Client

from tools import catalogues

HAN = re.compile(r"[\u4e00-\u9fff]")
# Head words and values of a sheet, units of a limit: the reader of the file knows these.
SPELT_IN_CHINESE = {"日期", "类型", "名称", "放假", "上班", "紧急工作时", "小时", "个工作日", "天"}


@pytest.fixture(scope="module")
def found():
    return catalogues.messages()


@pytest.fixture(scope="module", params=catalogues.LANGUAGES)
def language(request):
    return request.param


def test_every_message_of_the_tree_stands_in_each_catalogue_and_no_other(found, language):
    held = {(message.context, message.id) for message in catalogues.read(language) if message.id}
    odd = sorted(str(message) for _context, message in held ^ found.keys())
    assert odd == [], "Run: python tools/catalogues.py"


def test_the_catalogue_and_its_compiled_form_are_what_the_tool_makes(found, language):
    made = catalogues.fresh(language, found, catalogues.read(language))
    path = catalogues.po_path(language)
    assert path.read_bytes() == catalogues.as_po(made), "Run: python tools/catalogues.py"
    assert path.with_suffix(".mo").read_bytes() == catalogues.as_mo(made), "Run: python tools/catalogues.py"


def test_python_s_own_gettext_reads_what_the_catalogue_says(language):
    with catalogues.po_path(language).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalogues.read(language):
        if isinstance(message.id, str):
            # Without a translation the message itself is shown: that is the whole of zh_Hans.
            assert not message.id or compiled.gettext(message.id) == (message.string or message.id)
        else:
            told = [compiled.ngettext(*message.id, count) for count in (1, 2)]
            wanted = message.string if any(message.string) else message.id
            assert told == [wanted[0], wanted[-1]]


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_nothing_is_left_untranslated(language):
    assert catalogues.untranslated(catalogues.read(language)) == []


def test_a_translation_has_the_places_and_tags_of_its_message(language):
    assert catalogues.mismatched(catalogues.read(language)) == []


def test_a_lost_place_is_noticed():
    catalog = catalogues.Plain(locale="en")
    catalog.add("满分 {points}", "full score")
    catalog.add("得分 <b>%(total)s</b>", "score %(total)s")
    catalog.add("共 {count} 条", "{count} in all")
    assert catalogues.mismatched(catalog) == ["满分 {points}", "得分 <b>%(total)s</b>"]


def test_english_has_chinese_only_where_the_reader_must_write_it():
    odd = []
    for message in catalogues.read("en"):
        told = message.string if isinstance(message.string, str) else " ".join(message.string)
        for word in re.findall(f"{HAN.pattern}+", told if message.id else ""):
            if word not in SPELT_IN_CHINESE:
                odd.append(told)
    assert odd == []


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("请选择社区。", "請選擇社區。"),  # OpenCC alone: 社群
        ("核查通过", "核查通過"),  # 透過
        ("期内核查", "期內核查"),  # 期核心查
        ("没有“{value}”这一列", "沒有「{value}」這一欄"),
        ("共 {total} 条 <b>%(count)s</b>", "共 {total} 條 <b>%(count)s</b>"),
    ],
)
def test_the_words_of_the_office_lead_the_conversion(simplified, traditional):
    assert catalogues.traditional(simplified) == traditional


def test_the_same_tree_gives_the_same_bytes(found):
    once = catalogues.as_po(catalogues.fresh("en", found, catalogues.read("en")))
    again = catalogues.as_po(catalogues.fresh("en", catalogues.messages(), catalogues.read("en")))
    assert once == again
    assert b"POT-Creation-Date" not in once
    assert str(catalogues.ROOT).encode() not in once


@pytest.mark.parametrize(
    ("asked", "language", "said"),
    [
        ("", "zh-CN", "登录"),
        ("zh-CN,zh;q=0.9", "zh-CN", "登录"),
        ("zh-TW,zh;q=0.9", "zh-TW", "登入"),
        ("zh-Hant", "zh-TW", "登入"),
        ("en-GB,en;q=0.9", "en", "Sign in"),
    ],
)
def test_the_sign_in_page_speaks_the_reader_s_language(db, asked, language, said):
    page = Client(headers={"Accept-Language": asked} if asked else {}).get("/sign-in").text
    assert f'<html lang="{language}"' in page
    assert re.search(rf"<button[^>]*>(?:<[^>]*>)*\s*{said}", page)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("zh-CN", ("事项", "期限", "上报问题")),
        ("zh-Hant", ("事項", "期限", "上報問題")),
        ("en", ("Cases", "Deadline", "Report a finding")),
    ],
)
def test_the_list_of_cases_speaks_the_reader_s_language(city, asked, shown):
    city.case()
    page = city.client("Qian").get("/cases/", headers={"Accept-Language": asked}).text
    text = re.sub(r"<[^>]+>", " ", page)
    assert [word for word in shown if word not in text] == []


def test_a_refusal_speaks_the_reader_s_language(city):
    case = city.case()
    reply = city.client("Ne").get(f"/cases/{case.uid}", headers={"Accept-Language": "en"})
    assert reply.status_code == 404
    assert "was not found, or your current post cannot see it" in reply.text
