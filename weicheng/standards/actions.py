"""What may happen to editions: drafted, changed, published; packs of them loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from pydantic import StringConstraints, ValidationError

from weicheng.journal.actions import SYSTEM, Note, Who, record
from weicheng.journal.site import raise_generation
from weicheng.places.actor import Actor
from weicheng.places.areas import area as area_of
from weicheng.rules.digests import digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.standards import kinds
from weicheng.standards.editions import Categories, find_in_force, read_clause_homes
from weicheng.standards.kinds import Confidence
from weicheng.standards.models import Edition
from weicheng.standards.yaml_text import read_yaml

PACKS = Path(__file__).resolve().parent.parent / "packs"


@dataclass(frozen=True)
class Head:
    """What is said about an edition beside its body.

    key: "" takes the key of a kind that has but one; in_force_to: the last day in force, None for no end
    """

    title: str
    edition: str
    in_force_from: date
    source: str
    confidence: Confidence
    key: str = ""
    in_force_to: date | None = None


@transaction.atomic
def draft_edition(
    *, kind: str, owner: str, head: Head, body: Mapping[str, Any], by: Actor, at: datetime
) -> Edition:
    """Write a draft of the owner's own edition; it holds nowhere until it is published."""
    require_keeper(by, owner)
    row = _place(Edition(kind=kind, created_at=at, created_by=by.key, created_by_name=by.name), owner)
    _fill(row, head, kinds.read_body(kind, body))
    row.save()
    _record("edition.draft", row, by=by, at=at)
    return row


@transaction.atomic
def change_draft(
    *, edition: Edition, revision: int, head: Head, body: Mapping[str, Any], by: Actor, at: datetime
) -> Edition:
    """Write over a draft.

    revision: the one the editor started from; ConflictError("draft-changed") when it is no longer the last
    """
    row = _locked_draft(edition, by)
    if row.revision != revision:
        raise ConflictError(
            "draft-changed",
            N_("在您编辑期间，“{title}”已被他人修改。请打开最新草稿，再改一次。"),
            title=row.title,
        )
    _fill(row, head, kinds.read_body(row.kind, body))
    row.revision += 1
    row.save()
    _record("edition.change", row, by=by, at=at)
    return row


@transaction.atomic
def publish_edition(*, edition: Edition, by: Actor, at: datetime) -> Edition:
    """Publish a draft: from now on it never changes, and holds from its first day.

    A correction is a new edition with a label and a first day of its own, which may lie before the newest
    published one. RuleError: "already-published", "edition-body", "edition-day-taken", "unknown-category".
    """
    row = _publish(_locked_draft(edition, by), by=by, at=at)
    _record("edition.publish", row, by=by, at=at)
    raise_generation()
    return row


@transaction.atomic
def discard_draft(*, edition: Edition, by: Actor, at: datetime) -> Edition:
    """Give a draft up. It is kept, but nobody reads it any more, and its label may be used again."""
    row = _locked_draft(edition, by)
    row.state = Edition.State.DISCARDED.value
    row.save(update_fields=["state"])
    _record("edition.discard", row, by=by, at=at)
    return row


def gap_warnings(edition: Edition) -> list[str]:
    """Return what a publisher should know about days on which nothing would hold: warnings, no refusal."""
    others = Edition.objects.published().filter(owner=edition.owner, kind=edition.kind, key=edition.key)
    warnings = []
    before = others.filter(in_force_from__lt=edition.in_force_from).order_by("-in_force_from").first()
    if before and before.in_force_to and (edition.in_force_from - before.in_force_to).days > 1:
        message = _("上一版“{label}”到 {end} 止，本版从 {begin} 起，中间的日子没有本级标准。")
        warnings.append(
            message.format(label=before.edition, end=before.in_force_to, begin=edition.in_force_from)
        )
    after = others.filter(in_force_from__gt=edition.in_force_from).order_by("in_force_from").first()
    if after:
        message = _("已有从 {day} 起生效的“{label}”，本版只在此前有效。")
        warnings.append(message.format(day=after.in_force_from, label=after.edition))
    if edition.in_force_to and (not after or (after.in_force_from - edition.in_force_to).days > 1):
        message = _("本版到 {end} 止，此后没有接续的本级标准。")
        warnings.append(message.format(end=edition.in_force_to))
    return warnings


# --- packs ---------------------------------------------------------------------------------------

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class Pack(kinds.Part):
    """A pack file: one edition. load_as "draft" ships a sample that holds nowhere until adopted."""

    kind: str
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")]
    owner: str = ""
    title: _Line
    edition: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    confidence: Confidence
    in_force_from: date
    in_force_to: date | None = None
    load_as: Literal["published", "draft"] = "published"
    body: dict[str, Any]


def load_base(*, at: datetime) -> list[Edition]:
    """Load every edition that comes with the program, and return those that are new."""
    return load_pack(PACKS / "base", at=at)


@transaction.atomic
def load_pack(path: Path, *, at: datetime, by: Who = SYSTEM) -> list[Edition]:
    """Load a pack file, or every *.yaml of a directory, and return the editions that are new.

    Loading again does nothing. RuleError: "yaml", "edition-body"; "pack-changed" when a file says something
    else under a label that is already there: a change needs a label of its own.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise RuleError("no-pack", N_("没有找到业务包 {path}。请检查路径。"), path=path.name)
    packs = [_read_pack(file) for file in files]
    # Catalogues first: what names a category is checked against the catalogue in force. Then older first, so
    # that each edition finds the one it supersedes.
    packs.sort(key=lambda pack: (list(kinds.KINDS).index(pack.kind), pack.in_force_from))
    loaded = [row for pack in packs if (row := _load_one(pack, by=by, at=at))]
    if loaded:
        raise_generation()
    return loaded


def _read_pack(file: Path) -> Pack:
    given = read_yaml(file.read_bytes())
    try:
        pack = Pack.model_validate(given)
    except ValidationError as error:
        raise kinds.problems_error(error, file.name) from error
    kinds.kind_of(pack.kind)
    # A pack may be named by its first day alone.
    return pack if pack.edition else pack.model_copy(update={"edition": f"自 {pack.in_force_from} 起"})


def _load_one(pack: Pack, *, by: Who, at: datetime) -> Edition | None:
    body = kinds.read_body(pack.kind, pack.body)
    there = _labelled(pack.owner, pack.kind, pack.key, pack.edition).first()
    row = _place(
        Edition(kind=pack.kind, created_at=at, created_by=by.key, created_by_name=by.name), pack.owner
    )
    _fill(row, Head(**pack.model_dump(include=set(Head.__dataclass_fields__))), body, there=there)
    if there is not None:
        said = ("digest", "title", "in_force_from", "in_force_to", "source", "confidence")
        if any(getattr(there, name) != getattr(row, name) for name in said):
            raise RuleError(
                "pack-changed",
                N_("业务包中的“{title}”（{label}）与已载入的同名版本内容不同。请给修改后的版本另起版本名。"),
                title=pack.title,
                label=pack.edition,
            )
        return None
    if pack.load_as == "published":
        row = _publish(row, by=by, at=at)
    else:
        row.save()
    _record("edition.load", row, by=by, at=at)
    return row


# --- shared steps --------------------------------------------------------------------------------


def require_keeper(by: Actor, owner: str) -> None:
    """Refuse who does not keep the standards of exactly this area: ForbiddenError("not-keeper")."""
    if not (by.powers.keeps_standards and owner and owner == by.area):
        raise ForbiddenError(
            "not-keeper", N_("您当前的岗位不能修改或发布这一级的标准。请先复制为本级草稿，或切换岗位。")
        )


def _locked_draft(edition: Edition, by: Actor) -> Edition:
    row = Edition.objects.select_for_update().get(pk=edition.pk)
    require_keeper(by, row.owner)
    if row.is_published:
        raise RuleError(
            "already-published",
            N_("“{title}”（{label}）已发布，不能再改。如需更正，请复制为新草稿。"),
            title=row.title,
            label=row.edition,
        )
    if row.state == Edition.State.DISCARDED:
        raise RuleError(
            "already-discarded",
            N_("草稿“{title}”（{label}）已放弃，不能再改。请从列表中另选，或复制为新草稿。"),
            title=row.title,
            label=row.edition,
        )
    return row


def _place(row: Edition, owner: str) -> Edition:
    if owner:
        area_of(owner)
        if len(owner) not in (2, 4, 6):
            raise RuleError(
                "edition-owner", N_("标准由省、市或区县拥有，“{owner}”不是这样的区划。请改选。"), owner=owner
            )
    row.owner = owner
    row.city = owner[:4] if len(owner) >= 4 else ""
    row.district = owner[:6] if len(owner) >= 6 else ""
    return row


def _fill(row: Edition, head: Head, body: kinds.Part, *, there: Edition | None = None) -> None:
    """Put head and body on the row; there: the row that has this label already, where that is no mistake."""
    kind = kinds.kind_of(row.kind)
    head = replace(head, key=head.key or kind.key)
    if not head.key or (kind.key and head.key != kind.key):
        raise RuleError(
            "edition-key",
            N_("“{kind}”的标识应为“{key}”。请改正。"),
            kind=kind.title,
            key=kind.key or N_("小写字母、数字和连字符"),
        )
    if head.in_force_to and head.in_force_to < head.in_force_from:
        raise RuleError(
            "edition-dates",
            N_("失效日 {end} 早于生效日 {begin}。请改为生效日当日或之后。"),
            begin=head.in_force_from,
            end=head.in_force_to,
        )
    same_label = _labelled(row.owner, row.kind, head.key, head.edition)
    if there is None and same_label.exclude(pk=row.pk).exists():
        raise RuleError(
            "edition-label",
            N_("已有名为“{label}”的版本。请另起版本名，例如加上年份或修订次数。"),
            label=head.edition,
        )
    row.key, row.title, row.edition = head.key, head.title, head.edition
    row.in_force_from, row.in_force_to = head.in_force_from, head.in_force_to
    row.source, row.confidence = head.source, head.confidence.value
    row.body = kinds.body_bytes(body)
    row.digest = digest(row.body)


def _labelled(owner: str, kind: str, key: str, label: str) -> QuerySet:
    rows = Edition.objects.exclude(state=Edition.State.DISCARDED)
    return rows.filter(owner=owner, kind=kind, key=key, edition=label)


def _publish(row: Edition, *, by: Who, at: datetime) -> Edition:
    body = kinds.read_bytes(row.kind, bytes(row.body))
    _require_known_categories(row, body)
    _require_known_clauses(row, body)
    mine = Edition.objects.published().filter(owner=row.owner, kind=row.kind, key=row.key)
    taken = mine.filter(in_force_from=row.in_force_from).first()
    if taken is not None:
        raise RuleError(
            "edition-day-taken",
            N_("“{label}”已从 {day} 起生效，同一天不能有两个版本。请改生效日期后再发布。"),
            label=taken.edition,
            day=row.in_force_from,
        )
    row.supersedes = mine.filter(in_force_from__lt=row.in_force_from).order_by("-in_force_from").first()
    row.state = Edition.State.PUBLISHED.value
    row.published_at, row.published_by, row.published_by_name = at, by.key, by.name
    row.save()
    return row


def _require_known_categories(row: Edition, body: kinds.Part) -> None:
    """Refuse a list or table that names categories which the catalogue in force does not have."""
    if isinstance(body, kinds.CheckListBody):
        named = {item.category for item in body.items if item.category}
    elif isinstance(body, kinds.TimeLimits):
        named = set(body.by_category)
    elif isinstance(body, kinds.SchemeBody):
        named = set(body.categories)
    else:
        return
    catalogue = find_in_force("case-categories", "categories", row.owner, row.in_force_from)
    unknown = sorted(named - set(cast(Categories, catalogue).body.by_code if catalogue else ()))
    if unknown:
        raise RuleError(
            "unknown-category",
            N_("{day} 生效的问题分类中没有 {codes}。请改正分类代码，或先发布含有它们的分类。"),
            day=row.in_force_from,
            codes="、".join(unknown[:5]),
        )


def _require_known_clauses(row: Edition, body: kinds.Part) -> None:
    """Refuse a check list that is cut from clauses which no published standard of its place has."""
    if not isinstance(body, kinds.CheckListBody):
        return
    named = {clause for item in body.items for clause in item.clauses or ()}
    unknown = sorted(named - set(read_clause_homes(row.owner))) if named else []
    if unknown:
        raise RuleError(
            "unknown-clause-id",
            N_("已发布的标准中没有条款 {clauses}。请改正条款编号，或先发布含有它们的标准。"),
            clauses="、".join(unknown[:5]),
        )


def _record(verb: str, row: Edition, *, by: Who, at: datetime) -> None:
    detail = {
        "kind": row.kind,
        "key": row.key,
        "edition": row.edition,
        "in_force_from": row.in_force_from,
        "digest": row.digest,
    }
    record(Note(verb, "edition", str(row.uid), row.owner, detail), by=by, at=at)
