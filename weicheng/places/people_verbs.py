"""What may happen to users, posts and tokens. Powers come from posts, and nobody gives one to themselves."""

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from weicheng.journal import site
from weicheng.journal.actions import SYSTEM, Note, Who, record
from weicheng.places import areas, handover, sign_in
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.models import ApiToken, Post, SignIn, Unit, User
from weicheng.places.rights import require, require_reach
from weicheng.places.roles import ADMINISTRATORS, LABELS, LEVEL_NAMES, POWERS, Role
from weicheng.rules.areas import level_of
from weicheng.rules.digests import token_digest
from weicheng.rules.errors import N_, MissingError, RuleError

# Without letters and digits that are taken for one another when read from paper.
_READABLE = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789")
LONGEST = 40


@transaction.atomic
def create_user(*, login: str, name: str, by: Who, at: datetime, email: str = "") -> tuple[User, str]:
    """Create a user without a post; return it with a one-time password, which is kept nowhere.

    RuleError: login-form, login-taken, name-missing, email-invalid.
    """
    require(by, "keeps_posts")
    login = login.strip()
    if not (3 <= len(login) <= LONGEST and login.isprintable() and " " not in login):
        raise RuleError(
            "login-form", N_("登录名应为 3 至 {most} 个字符，不含空格。请重新填写登录名。"), most=LONGEST
        )
    if User.objects.filter(login__iexact=login).exists():
        raise RuleError("login-taken", N_("登录名“{login}”已被使用。请换一个登录名。"), login=login)
    user = User(
        login=login,
        name=_person_name(name),
        email=_email(email),
        created_at=at,
        created_in=getattr(by, "area", ""),
        must_change_password=True,
    )
    password = one_time_password()
    user.set_password(password)
    user.save(force_insert=True)
    record(_note("user.create", user), by=by, at=at)
    return user, password


@transaction.atomic
def change_user(*, user: User, name: str, email: str, by: Who, at: datetime) -> User:
    """Change a user's name and address. RuleError: name-missing, email-invalid."""
    require(by, "keeps_posts")
    user = _reached(user, by)
    user.name, user.email = _person_name(name), _email(email)
    user.save(update_fields=["name", "email"])
    record(_note("user.change", user), by=by, at=at)
    return user


@transaction.atomic
def reset_password(*, user: User, by: Who, at: datetime) -> str:
    """Give a user another one-time password and end every session; return the password."""
    require(by, "keeps_posts")
    user = _reached(user, by)
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    sign_in.end(list(user.sign_ins.all()))
    sign_in.unlock(user.login)
    record(_note("user.reset_password", user), by=by, at=at)
    return password


@transaction.atomic
def change_password(*, user: User, old: str, new: str, by: Who, at: datetime, keep: str | None = "") -> User:
    """Change one's own password; other sessions end, the one with the key `keep` may go on.

    RuleError: password-wrong, password-same, password-weak.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.check_password(old):
        raise RuleError("password-wrong", N_("原密码不对。请重新填写原密码。"))
    if old == new:
        raise RuleError("password-same", N_("新密码与原密码相同。请换一个新密码。"))
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise RuleError("password-weak", N_("{problems}"), problems=" ".join(error.messages)) from None
    user.set_password(new)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    sign_in.end(list(user.sign_ins.exclude(session_key=keep)))
    record(_note("user.change_password", user), by=by, at=at)
    return user


@transaction.atomic
def deactivate_user(*, user: User, by: Who, at: datetime) -> User:
    """Shut a user out: sessions and tokens end at once. RuleError("own-account")."""
    require(by, "keeps_posts")
    user = _reached(user, by)
    if user.pk == getattr(by, "user_id", None):
        raise RuleError("own-account", N_("不能停用自己的账号。请由另一名安全管理员办理。"))
    user.is_active = False
    user.save(update_fields=["is_active"])
    sign_in.end(list(user.sign_ins.all()))
    ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=at)
    record(_note("user.deactivate", user), by=by, at=at)
    return user


@transaction.atomic
def activate_user(*, user: User, by: Who, at: datetime) -> User:
    """Let a user in again."""
    require(by, "keeps_posts")
    user = _reached(user, by)
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(_note("user.activate", user), by=by, at=at)
    return user


@transaction.atomic
def give_post(
    *,
    user: User,
    role: Role | str,
    from_on: date,
    by: Who,
    at: datetime,
    area: str = "",
    unit: Unit | None = None,
    title: str = "",
    to_on: date | None = None,
) -> Post:
    """Give a user a post at an area, or as liaison at a unit.

    RuleError: own-post, user-inactive, unknown-role, post-needs-unit, post-needs-area, post-level,
    unit-closed, unknown-area, closed-area, foreign-area, post-dates, administrators-apart, post-twice.
    """
    require(by, "keeps_posts")
    user = _reached(user, by)
    if user.pk == getattr(by, "user_id", None):
        raise RuleError("own-post", N_("不能给自己设立岗位。请由另一名安全管理员办理。"))
    if not user.is_active:
        raise RuleError("user-inactive", N_("{name}的账号已停用。请先启用账号，再设立岗位。"), name=user.name)
    role = _role(role)
    if to_on is not None and to_on < from_on:
        raise RuleError(
            "post-dates",
            N_("岗位结束日期{to_on}早于开始日期{from_on}。请改为开始当日或之后。"),
            to_on=to_on,
            from_on=from_on,
        )
    if unit is not None:
        unit = Unit.objects.select_for_update().get(pk=unit.pk)  # it may have been closed since it was read
    code = _place_of(role, area, unit, from_on)
    require_reach(by, code)
    post = Post(
        user=user, role=role.value, unit=unit, title=title.strip()[:60], from_on=from_on, to_on=to_on
    ).place_at(code)
    _require_apart(post)
    post.save(force_insert=True)
    site.raise_generation()
    record(_post_note("post.give", post, role=role.value), by=by, at=at)
    return post


@dataclass(frozen=True)
class Ended:
    """An ended post and what went over to its successor: name of the work → how many."""

    post: Post
    moved: dict[str, int] = field(default_factory=dict)


@transaction.atomic
def end_post(*, post: Post, on: date, by: Actor, at: datetime, to_post: Post | None = None) -> Ended:
    """End a post: `on` is its last day. Open work goes to `to_post` in the same step.

    Tokens of the post, and sessions of a user who holds no other, stop at once when the last day is over.
    RuleError: own-post, post-ended, post-dates, handover-to-itself, handover-not-held, handover-elsewhere.
    """
    require(by, "keeps_posts")
    # PostgreSQL cannot lock the unit that most posts do not have.
    post = Post.objects.select_for_update(of=("self",)).select_related("user", "unit").get(pk=post.pk)
    require_reach(by, post.area)
    day = today(at)
    if post.user_id == getattr(by, "user_id", None):
        raise RuleError("own-post", N_("不能结束自己的岗位。请由另一名安全管理员办理。"))
    if post.to_on is not None and post.to_on < day:
        raise RuleError("post-ended", N_("这个岗位已于{day}结束。请刷新页面。"), day=post.to_on)
    if on < post.from_on:
        raise RuleError(
            "post-dates",
            N_("岗位结束日期{to_on}早于开始日期{from_on}。请改为开始当日或之后。"),
            to_on=on,
            from_on=post.from_on,
        )
    moved: dict[str, int] = {}
    if to_post is not None:
        to_post = Post.objects.select_related("user", "unit").get(pk=to_post.pk)
        _require_successor(post, to_post, day)
        moved = handover.carry_over(post, to_post, by, at)
    post.to_on = on
    post.save(update_fields=["to_on"])
    if on < day:
        ApiToken.objects.filter(post=post, revoked_at__isnull=True).update(revoked_at=at)
        if not post.user.posts.held_on(day).exists():
            sign_in.end(list(SignIn.objects.filter(user=post.user)))
    site.raise_generation()
    detail = {"on": on, "to_post": to_post.pk if to_post else None, "moved": sum(moved.values())}
    record(_post_note("post.end", post, **detail), by=by, at=at)
    return Ended(post, moved)


@transaction.atomic
def choose_post(*, user: User, post: Post) -> None:
    """Remember the post a user switched to: the next session begins in it. A preference, not journalled."""
    User.objects.filter(pk=user.pk).update(last_post=post)


@transaction.atomic
def issue_token(
    *, post: Post, by: Who, at: datetime, label: str = "", days: int | None = None
) -> tuple[ApiToken, str]:
    """Issue a token that acts in one's own post; return it with the secret, of which only a digest is kept.

    RuleError: foreign-post, post-ended, token-days.
    """
    if post.user_id != getattr(by, "user_id", None):
        raise RuleError("foreign-post", N_("只能为自己的岗位生成令牌。请切换到自己的岗位。"))
    day = today(at)
    if not Post.objects.held_on(day).filter(pk=post.pk).exists():
        raise RuleError("post-ended", N_("这个岗位不在任期内，不能生成令牌。请切换到现任岗位。"))
    most = settings.API_TOKEN_DAYS
    days = most if days is None else days
    if not 1 <= days <= most:
        raise RuleError("token-days", N_("令牌有效期应为 1 至 {most} 天。请重新填写天数。"), most=most)
    secret = f"wc_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user_id=post.user_id,
        post=post,
        token_digest=token_digest(secret),
        label=label.strip()[:60],
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    note = Note("token.issue", "token", str(token.pk), post.area, {"post": post.pk, "days": days})
    record(note, by=by, at=at)
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: Who, at: datetime) -> ApiToken:
    """Revoke one's own token. MissingError("token"): it is somebody else's."""
    found = (
        ApiToken.objects.select_for_update(of=("self",)).select_related("post").filter(pk=token.pk).first()
    )
    if found is None or found.user_id != getattr(by, "user_id", None):
        raise MissingError("token", N_("没有找到这个令牌。请从“我的令牌”进入。"))
    if found.revoked_at is None:
        found.revoked_at = at
        found.save(update_fields=["revoked_at"])
        record(Note("token.revoke", "token", str(found.pk), found.post.area), by=by, at=at)
    return found


def one_time_password() -> str:
    """Return twelve readable characters of three classes that meet the policy."""
    sure = [secrets.choice(letters) for letters in _READABLE for _each in range(2)]
    rest = [
        secrets.choice("".join(_READABLE)) for _each in range(max(12, settings.PASSWORD_LENGTH) - len(sure))
    ]
    letters = sure + rest
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


# --- what the verbs ask --------------------------------------------------------------------------


def _reached(user: User, by: Any) -> User:
    rows = User.objects.select_for_update()
    if by is not SYSTEM:
        rows = rows.filter(pk__in=User.objects.visible_to(by).values("pk"))
    found = rows.filter(pk=user.pk).first()
    if found is None:
        raise MissingError("user", N_("没有找到这个人员。请从人员列表进入。"))
    return found


def _person_name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > LONGEST:
        raise RuleError("name-missing", N_("姓名应为 1 至 {most} 个字。请重新填写姓名。"), most=LONGEST)
    return text


def _email(email: str) -> str:
    email = email.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise RuleError("email-invalid", N_("邮箱地址无法识别。请改正，或留空。")) from None
    return email


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise RuleError(
            "unknown-role", N_("没有“{role}”这一角色。请从列表中选择。"), role=str(role)[:40]
        ) from None


def _place_of(role: Role, area: str, unit: Unit | None, on: date) -> str:
    powers = POWERS[role]
    if powers.at_unit:
        if unit is None:
            raise RuleError("post-needs-unit", N_("{role}须设在单位。请选择一个单位。"), role=LABELS[role])
        if unit.closed_on is not None:
            raise RuleError(
                "unit-closed",
                N_("{name}已于{day}停用，不能再变更。请改选在用的单位。"),
                name=unit.name,
                day=unit.closed_on,
            )
        return unit.area
    if unit is not None or not area:
        raise RuleError("post-needs-area", N_("{role}须设在区划。请选择一个区划。"), role=LABELS[role])
    if level_of(area) not in powers.levels:
        names = "、".join(str(LEVEL_NAMES[level]) for level in sorted(powers.levels))
        raise RuleError(
            "post-level",
            N_("{role}只能设在{levels}，{area}不是这一级。请改选区划或角色。"),
            role=LABELS[role],
            levels=names,
            area=areas.name_of(area),
        )
    return areas.open_area(area, on).code


def _require_apart(post: Post) -> None:
    """Three administrators are three persons, and none of them does the work they guard (三员分立)."""
    beside = Post.objects.filter(user=post.user).filter(Q(to_on__isnull=True) | Q(to_on__gte=post.from_on))
    if post.to_on is not None:
        beside = beside.filter(from_on__lte=post.to_on)
    for other in beside:
        same = other.role == post.role
        if not same and ({Role(other.role), Role(post.role)} & ADMINISTRATORS):
            raise RuleError(
                "administrators-apart",
                N_(
                    "{name}同期已任{other}，不能再任{role}：系统、安全、审计管理员须各由专人担任。请改派他人。"
                ),
                name=post.user.name,
                other=LABELS[Role(other.role)],
                role=LABELS[Role(post.role)],
            )
        if same and other.area == post.area and other.unit_id == post.unit_id:
            raise RuleError(
                "post-twice",
                N_("{name}同期已在此处任{role}。请调整起止日期，或结束原岗位。"),
                name=post.user.name,
                role=LABELS[Role(post.role)],
            )


def _require_successor(post: Post, to_post: Post, day: date) -> None:
    if to_post.pk == post.pk:
        raise RuleError("handover-to-itself", N_("不能移交给同一个岗位。请选择另一个岗位。"))
    if to_post.from_on > day or (to_post.to_on is not None and to_post.to_on < day):
        raise RuleError("handover-not-held", N_("接手的岗位今天不在任期内。请选择现任岗位。"))
    same_unit = post.unit_id == to_post.unit_id
    covers = post.area.startswith(to_post.area)
    if not same_unit or not covers or POWERS[Role(post.role)].parts - POWERS[Role(to_post.role)].parts:
        raise RuleError(
            "handover-elsewhere",
            N_("接手的岗位管不到这些工作。请选择同一单位，或同级及上级区划中职责相同的岗位。"),
        )


def _note(verb: str, user: User, **detail: Any) -> Note:
    # Under the area of a post, so that an audit administrator's reach finds it.
    area = user.posts.order_by("-from_on", "-id").values_list("area", flat=True).first() or user.created_in
    return Note(verb=verb, object_kind="user", object_key=str(user.pk), area=area, detail=detail)


def _post_note(verb: str, post: Post, **detail: Any) -> Note:
    return Note(verb, "post", str(post.pk), post.area, {"user": post.user_id, **detail})
