"""Masks and check digits. All persons and numbers are invented or a standard's own examples."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.errors import RuleError
from weicheng.rules.privacy import (
    check_credit_code,
    check_id_number,
    check_phone,
    mask_address,
    mask_email,
    mask_id_number,
    mask_name,
    mask_phone,
)

TODAY = date(2026, 10, 8)
EXAMPLE_ID = "11010519491231002X"  # the example of GB 11643
EXAMPLE_CODE = "91350100M000100Y43"  # the example of GB 32100
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(first_17):
    """Return an ID number with its check character, worked out the long way round."""
    rest = sum(int(digit) * weight for digit, weight in zip(first_17, ID_WEIGHTS, strict=True))
    # GB 11643: the sum with the check character, X being 10, leaves 1 when divided by 11
    return first_17 + next("0123456789X"[n] for n in range(11) if (rest + n) % 11 == 1)


# --- masks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("张小明", "张**"),
        ("欧阳明", "欧阳*"),
        ("欧阳小明", "欧阳**"),
        ("欧阳", "欧*"),  # two characters: then 欧 is the surname
        ("张", "*"),
        (" 张三 ", "张*"),
        ("买买提", "买**"),
        ("", ""),
    ],
)
def test_a_name_shows_its_surname_only(name, shown):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+86 138-1234-5678", "138****5678"),
        ("008613812345678", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("0516-83701234", "***********34"),
        ("12345678901", "*********01"),  # 12 is no mobile prefix
        ("110", "*10"),
        ("10", "**"),
        ("", ""),
    ],
)
def test_a_phone_number_shows_three_and_four_or_almost_nothing(phone, shown):
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("number", "public", "shown"),
    [
        (EXAMPLE_ID, False, "110105********002X"),
        (EXAMPLE_ID, True, "1****************X"),
        ("110105491231002", False, "110105*****1002"),
        ("110105491231002", True, "1*************2"),
        ("11010519491231002x", False, "110105********002X"),
        ("1101051949123100", False, "****************"),  # not an ID number: hide it all
        ("", False, ""),
    ],
)
def test_an_id_number_shows_six_and_four_or_on_public_pages_one_and_one(number, public, shown):
    assert mask_id_number(number, public=public) == shown


def test_an_id_number_is_masked_for_the_office_unless_it_is_said_to_be_public():
    assert mask_id_number(EXAMPLE_ID) == "110105********002X"


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("chen@example.cn", "c***@example.cn"),
        (" c@example.cn ", "c***@example.cn"),
        ('"a@b"@example.cn', '"***@example.cn'),
        ("chen", "***"),
        ("@example.cn", "***"),
        ("chen@", "***"),
        ("", "***"),
    ],
)
def test_an_email_shows_its_first_character_and_domain(email, shown):
    assert mask_email(email) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("江苏省徐州市泉山区和平街道御景社区3号楼2单元501室", "江苏省徐州市泉山区和平街道御景社区****"),
        ("泉山区和平街道御景社区", "泉山区和平街道御景社区"),  # nothing to hide
        ("泉山区和平街道建国西路８８号", "泉山区和平街道****"),
        ("铜山区棠张镇前村委会东巷", "铜山区棠张镇前村委会****"),
        ("铜山区某乡李村12号", "铜山区某乡李村****"),
        ("和平居委会东侧", "和平居委会****"),
        ("徐州市鼓楼区琵琶街道", "徐州市鼓楼区琵琶街道"),
        ("徐州市鼓楼区中山路", "徐州市鼓楼区****"),
        ("三里屯街道八栋", "三里屯街道****"),
        ("泉山区八号社区", "泉山区****"),  # a door word before the community: hide rather than guess
        ("泉山区三楼社区", "泉山区****"),
        ("泉山区东单元社区", "泉山区****"),
        ("泉山区锦绣小区", "泉山区****"),
        ("锦绣小区", "****"),
        ("泉山区农贸市场西门", "泉山区****"),
        ("沛县某路", "沛县****"),
        ("某旗某路", "某旗****"),
        ("江苏省某路", "江苏省****"),
        ("徐州市某路", "徐州市****"),
        ("和平路8号", "****"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_an_address_ends_at_its_community(address, shown):
    assert mask_address(address) == shown


@given(st.text("泉山区和平街道社区镇乡村楼0123456789号栋室", max_size=30))
def test_no_digit_of_an_address_is_shown(address):
    assert not any(character.isdigit() for character in mask_address(address))


@given(st.text(max_size=30))
def test_a_mask_reads_any_text(text):
    for mask in (mask_name, mask_phone, mask_id_number, mask_email, mask_address):
        assert isinstance(mask(text), str)


# --- phone numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "stored"),
    [
        ("13812345678", "13812345678"),
        ("19900000000", "19900000000"),
        (" 138 1234 5678 ", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("+86-13812345678", "13812345678"),
        ("0086 13812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("0516-83701234", "0516-83701234"),
        ("051683701234", "051683701234"),
        ("010-62001234-8001", "010-62001234-8001"),
        ("0516-8370123", "0516-8370123"),
        ("+86 0516-83701234", "0516-83701234"),
        ("83701234", "83701234"),
        ("8370123", "8370123"),
        ("400-123-4567", "400-123-4567"),
        ("8001234567", "8001234567"),
        ("12345", "12345"),
        ("110", "110"),
        ("95598", "95598"),
        ("961234", "961234"),
    ],
)
def test_any_usual_phone_number_is_taken(phone, stored):
    assert check_phone(phone) == stored


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "12812345678",
        "1381234567",
        "138123456789",
        "0516-0370123",
        "05-83701234",
        "05161-83701234",
        "0516-837012",
        "0516-837012345",
        "0516-83701234-",
        "0516-83701234-1234567",
        "600-123-4567",
        "1234",
        "210",
        "94598",
        "张三13812345678",
        "13812345678或83701234",
    ],
)
def test_what_cannot_be_dialled_is_refused_without_repeating_it(phone):
    with pytest.raises(RuleError) as caught:
        check_phone(phone)
    assert caught.value.code == "phone-invalid"
    assert not caught.value.values


# --- resident ID numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "stored"),
    [
        (EXAMPLE_ID, EXAMPLE_ID),
        ("11010519491231002x", EXAMPLE_ID),
        (" 110105 19491231 002X ", EXAMPLE_ID),
        ("１１０１０５１９４９１２３１００２Ｘ", EXAMPLE_ID),
        ("110105491231002", EXAMPLE_ID),  # 15 characters: the century and the check are added
        (id_number("32031120261008001"), id_number("32031120261008001")),  # born today
        (id_number("83000020000229001"), id_number("83000020000229001")),  # 29 February of a leap year
        (id_number("15220119900101001"), id_number("15220119900101001")),  # the third digit is not 0
    ],
)
def test_a_valid_id_number_is_stored_as_eighteen_characters(number, stored):
    assert check_id_number(number, TODAY) == stored


@pytest.mark.parametrize(
    "region", ["11", "15", "21", "23", "31", "37", "41", "46", "50", "54", "61", "65", "71", "81", "82", "83"]
)
def test_every_province_is_known(region):
    assert check_id_number(id_number(region + "010119900101001"), TODAY)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "id-number-form"),
        ("1101051949123100", "id-number-form"),
        ("11010519491231002XX", "id-number-form"),
        ("X1010519491231002X", "id-number-form"),
        ("11010519491231002A", "id-number-form"),
        ("11010549123100X", "id-number-form"),
        *[
            (id_number(region + "010119900101001"), "id-number-region")
            for region in (
                "10",
                "16",
                "20",
                "24",
                "30",
                "38",
                "40",
                "47",
                "49",
                "55",
                "60",
                "66",
                "70",
                "72",
                "80",
                "84",
            )
        ],
        (id_number("32031119900230001"), "id-number-birth"),  # 30 February
        (id_number("32031119991301001"), "id-number-birth"),  # month 13
        (id_number("32031120010229001"), "id-number-birth"),
        (id_number("32031120261009001"), "id-number-birth"),  # tomorrow
        ("110105194912310021", "id-number-check"),
        ("110105194912310022", "id-number-check"),
    ],
)
def test_an_id_number_that_cannot_be_is_refused_without_repeating_it(number, code):
    with pytest.raises(RuleError) as caught:
        check_id_number(number, TODAY)
    assert caught.value.code == code
    assert not caught.value.values


@given(st.from_regex(r"3203111990010[1-9][0-9]{3}", fullmatch=True), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_of_an_id_number_is_always_noticed(first_17, place, shift):
    number = id_number(first_17)
    assert check_id_number(number, TODAY) == number
    old = number[place]
    wrong = str((int(old) + shift) % 10) if old != "X" else str(shift)
    with pytest.raises(RuleError):
        check_id_number(number[:place] + wrong + number[place + 1 :], TODAY)


# --- unified social credit codes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "stored"),
    [
        (EXAMPLE_CODE, EXAMPLE_CODE),
        ("91350100m000100y43", EXAMPLE_CODE),
        (" 913501 00M000100Y43 ", EXAMPLE_CODE),
        ("９１３５０１００M000100Y43", EXAMPLE_CODE),
    ],
)
def test_a_valid_credit_code_is_stored_in_upper_case(code, stored):
    assert check_credit_code(code) == stored


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("", "credit-code-form"),
        ("91350100M000100Y4", "credit-code-form"),
        ("91350100M000100Y433", "credit-code-form"),
        ("9135010AM000100Y43", "credit-code-form"),  # a letter in the area code
        *[(f"91350100{letter}000100Y43", "credit-code-form") for letter in "IOSVZ"],
        ("91350100M000100Y44", "credit-code-check"),
        ("91350100M000100Y34", "credit-code-check"),  # the last two swapped
        ("19350100M000100Y43", "credit-code-check"),  # the first two swapped
    ],
)
def test_a_credit_code_that_cannot_be_is_refused(code, refusal):
    with pytest.raises(RuleError) as caught:
        check_credit_code(code)
    assert caught.value.code == refusal


ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(first_16):
    """Return a code with both checks, worked out from the definitions: each sum must come to nothing."""
    values = {character: int(character, 36) for character in ALPHABET}
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    inner = sum(values[c] * w for c, w in zip(first_16[8:], weights, strict=True))
    first_17 = first_16 + next("0123456789X"[n] for n in range(11) if (inner + n) % 11 == 0)
    outer = sum(ALPHABET.index(c) * 3**place for place, c in enumerate(first_17))
    return first_17 + next(c for n, c in enumerate(ALPHABET) if (outer + n) % 31 == 0)


_first_16 = st.from_regex(f"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{8}}", fullmatch=True)


@given(_first_16, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_of_a_credit_code_is_always_noticed(first_16, place, other):
    code = credit_code(first_16)
    assert check_credit_code(code) == code
    if code[place] != other:
        with pytest.raises(RuleError):
            check_credit_code(code[:place] + other + code[place + 1 :])


@given(_first_16)
def test_both_check_characters_must_fit(first_16):
    code = credit_code(first_16)
    inner = "1" if code[16] != "1" else "2"
    outer = sum(ALPHABET.index(c) * 3**place for place, c in enumerate(code[:16] + inner))
    last = next(c for n, c in enumerate(ALPHABET) if (outer + n) % 31 == 0)
    with pytest.raises(RuleError, match="credit-code-check"):
        check_credit_code(code[:16] + inner + last)
