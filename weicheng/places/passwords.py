"""The password policy as Django asks for it; what it says is a rule."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from weicheng.rules.passwords import password_problems


class PolicyValidator:
    """Refuse what `rules.passwords` objects to, every objection told at once."""

    def validate(self, password: str, user: Any = None) -> None:
        problems = password_problems(
            password,
            getattr(user, "login", ""),
            getattr(user, "name", ""),
            min_length=settings.PASSWORD_LENGTH,
            classes=CLASSES,
        )
        if problems:
            said = {"min_length": settings.PASSWORD_LENGTH, "classes": CLASSES}
            raise ValidationError([_(problem.message).format(**said) for problem in problems])

    def get_help_text(self) -> str:
        return _(
            "至少 {length} 个字符，含大写、小写、数字、符号中的 {classes} 类，不含账号，不用常见密码。"
        ).format(length=settings.PASSWORD_LENGTH, classes=CLASSES)


# Of the four classes of characters (GB/T 22239 asks for "复杂度要求" and gives no number): our working rule.
CLASSES = 3
