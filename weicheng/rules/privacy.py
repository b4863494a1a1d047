"""Personal data: what may be shown of it, and whether a number can be one at all.

Source: `domain/standards/codes.md` sections 2 and 5. Masks follow common practice (recalled, not law); check
digits follow GB 11643-1999 (resident ID), GB 32100-2015 (unified credit code) and GB 11714 (the code inside).

A mask never says more than it must: what it cannot read it hides. A check never repeats a personal number in
its sentence, as sentences end in logs.
"""

import re
import unicodedata
from datetime import date

from weicheng.rules.errors import N_, RuleError

# --- masks -----------------------------------------------------------------------------------------------

_COMPOUND_SURNAMES = frozenset(
    (  # noqa: SIM905 - forty names read better in three lines than in forty
        "欧阳 司马 上官 诸葛 夏侯 东方 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 司徒 "
        "司空 端木 南宫 轩辕 百里 呼延 闻人 澹台 公冶 宗政 濮阳 淳于 单于 太叔 "
        "申屠 公羊 赫连 钟离 鲜于 闾丘 拓跋 独孤 完颜 西门 东郭 南门"
    ).split()
)


def mask_name(name: str) -> str:
    """Return the surname and a star for each other character: 张*, 张**, 欧阳**; a lone one is hidden."""
    name = name.strip()
    surname = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
    if len(name) == 1:
        return "*"
    return name[:surname] + "*" * len(name[surname:])


def mask_phone(phone: str) -> str:
    """Return 138****5678 for a mobile number; of any other the last two characters."""
    digits = _dialled(phone)
    if _MOBILE.fullmatch(digits):
        return f"{digits[:3]}****{digits[-4:]}"
    return _hidden(digits, keep_last=2)


def mask_id_number(number: str, *, public: bool = False) -> str:
    """Return the first six and last four characters of an ID number; on public pages one and one."""
    number = _compact(number)
    if len(number) not in (15, 18):
        return _hidden(number)
    return (
        _hidden(number, keep_first=1, keep_last=1) if public else _hidden(number, keep_first=6, keep_last=4)
    )


def mask_email(email: str) -> str:
    """Return the first character and the domain: c***@example.cn; what is no address is all hidden."""
    local, at, domain = email.strip().rpartition("@")
    return f"{local[:1]}***@{domain}" if local and at and domain else "***"


# Everything from the first digit or building word on tells the door. 楼 alone does not: 鼓楼区 is a district.
_DOOR = re.compile(r"[0-9]|[栋幢弄号室]|单元|[一二三四五六七八九十]楼")
_COMMUNITY = re.compile(r".*(?:街道|镇|乡|社区|居委会|村委会|村)")
_DISTRICT = re.compile(r".*(?:省|市(?!场)|(?<!小)区|县|旗)")


def mask_address(address: str) -> str:
    """Return the address down to its sub-district or community, else its district, and **** for the rest."""
    address = unicodedata.normalize("NFKC", address.strip())
    if not address:
        return ""
    coarse = _DOOR.split(address, maxsplit=1)[0]
    kept = _COMMUNITY.match(coarse) or _DISTRICT.match(coarse)
    known = kept[0] if kept else ""
    return known if known == address else f"{known}****"


_NUMBERS = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9Xx]|1[3-9][0-9]{9})(?![0-9])")


def hide_numbers(text: str) -> str:
    """Return a text in which ID numbers and mobile numbers are masked: what was typed freely is not trusted."""
    return _NUMBERS.sub(
        lambda found: mask_id_number(found[0]) if len(found[0]) == 18 else mask_phone(found[0]), text
    )


def _hidden(text: str, *, keep_first: int = 0, keep_last: int = 0) -> str:
    """Return the text with its middle starred; too short to have a middle, it is all stars."""
    middle = len(text) - keep_first - keep_last
    if middle <= 0:
        return "*" * len(text)
    return text[:keep_first] + "*" * middle + text[len(text) - keep_last :]


def _compact(text: str) -> str:
    """Return the text as typed on a plain keyboard: half-width, upper case, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


# --- phone numbers ---------------------------------------------------------------------------------------

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_PHONES = (
    _MOBILE,
    re.compile(r"0[0-9]{2,3}-?[1-9][0-9]{6,7}(?:-[0-9]{1,6})?"),  # land line with area code, extension
    re.compile(r"[2-9][0-9]{6,7}"),  # land line of the own city
    re.compile(r"[48]00-?[0-9]{3}-?[0-9]{4}"),  # 400 and 800 numbers
    re.compile(r"1[0-9]{2}|1[0-9]{4}|9[56][0-9]{3,4}"),  # 110, 12345, 95598
)


def check_phone(phone: str) -> str:
    """Return the number as it is stored: half-width, without spaces and +86, a mobile number without hyphens.

    Mobile numbers, land lines with and without area code, 400 numbers and short service numbers are taken.

    RuleError("phone-invalid")
    """
    number = _dialled(phone)
    if not any(pattern.fullmatch(number) for pattern in _PHONES):
        raise RuleError(
            "phone-invalid",
            N_("电话号码无法识别。请填写 11 位手机号，或带区号的固定电话，例如 0516-83701234。"),
        )
    return number


def _dialled(phone: str) -> str:
    number = re.sub(r"^(?:\+|00)86-?", "", _compact(phone))
    bare = number.replace("-", "")
    return bare if _MOBILE.fullmatch(bare) else number


# --- resident ID numbers ---------------------------------------------------------------------------------

# First two digits: provinces of GB/T 2260, and 83 for the residence permit of Taiwan residents. The other
# digits are not looked up: a number keeps the code of a county that has long been merged.
_PROVINCES = frozenset(
    {
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
        71,
        81,
        82,
        83,
    }
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


def check_id_number(number: str, today: date) -> str:
    """Return an ID number as 18 characters; an obsolete one of 15 gets its century and check character.

    today: the day on which it is checked; nobody is born after it

    RuleError: "id-number-form", "id-number-region", "id-number-birth" or "id-number-check".
    """
    text = _compact(number)
    if re.fullmatch(r"[0-9]{15}", text):
        text = text[:6] + "19" + text[6:]
        text += _id_check(text)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text):
        raise RuleError("id-number-form", N_("身份证号应为 18 位，末位可以是 X。请核对后重新填写。"))
    if int(text[:2]) not in _PROVINCES:
        raise RuleError("id-number-region", N_("身份证号前两位不是省级区划代码。请核对前两位。"))
    try:
        born_on = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        born_on = date.max
    if born_on > today:
        raise RuleError("id-number-birth", N_("身份证号第 7 至 14 位不是有效的出生日期。请核对出生年月日。"))
    if text[17] != _id_check(text):
        raise RuleError("id-number-check", N_("身份证号末位校验码不符，可能有一位填错。请逐位核对。"))
    return text


def _id_check(digits: str) -> str:
    return _ID_CHECKS[
        sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False)) % 11
    ]


# --- unified social credit codes -------------------------------------------------------------------------

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I O S V Z, which are misread
_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def check_credit_code(code: str) -> str:
    """Return a unified social credit code as 18 upper-case characters.

    RuleError: "credit-code-form" for its characters, "credit-code-check" when a check character does not fit.
    """
    text = _compact(code)
    if not re.fullmatch(f"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}", text):
        raise RuleError(
            "credit-code-form",
            N_("统一社会信用代码应为 18 位数字和大写字母，不含 I、O、S、V、Z。请核对后重新填写。"),
        )
    if text[17] != _credit_check(text) or text[16] != _organisation_check(text[8:16]):
        raise RuleError("credit-code-check", N_("统一社会信用代码的校验码不符，可能有一位填错。请逐位核对。"))
    return text


def _credit_check(code: str) -> str:
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight
        for character, weight in zip(code, _CREDIT_WEIGHTS, strict=False)
    )
    return _CREDIT_ALPHABET[-total % 31]


def _organisation_check(code: str) -> str:
    # GB 11714 counts A as 10 to Z as 35, which is how Python reads a digit in base 36.
    total = sum(
        int(character, 36) * weight for character, weight in zip(code, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[-total % 11]
