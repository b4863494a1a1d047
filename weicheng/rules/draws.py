"""Draws (双随机): which places are looked at, and by whom, so that anybody can compute it again.

The lot of a thing is the SHA-256, in hex, of the UTF-8 text seed + "|" + the thing's text: `printf %s … | sha256sum`.

1. The places named beforehand come first, in the order of their ids; they are not drawn again.
2. Of each stratum, in the order of their names, the other places stand in the order of the lots of
   "place|" + id; the first ones are drawn, as many as the stratum's quota says.
3. Each place in turn gets, of the inspectors it is not their own, the one with the fewest places so far; among
   equals the one with the smallest lot of "inspector|" + place id + "|" + inspector key.

Nothing depends on the order in which places or inspectors are given. The seed's digest is made known when the
draw is made, the seed with the result, so that neither can be chosen to fit the other.

Source: random objects and random inspectors (双随机), own unit excluded (回避), recommended places beside drawn
ones (STD-5); SHA-256 (FIPS 180-4); quotas by the method of largest remainders.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from weicheng.rules.digests import digest
from weicheng.rules.errors import N_, RuleError

ALGORITHM = "sha256-1"
NAMED_IN_SENTENCE = 5  # how many things a sentence names before it says how many more there are


@dataclass(frozen=True)
class Place:
    """A place that may be drawn.

    id: its text in lots and results, e.g. "unit:…" or "area:320311001005"
    stratum: the group it is drawn within, e.g. kind and street
    area: code of the area it lies in, for what is an inspector's own; "" where it does not matter
    """

    id: str
    stratum: str = ""
    area: str = ""


@dataclass(frozen=True)
class Inspector:
    """Somebody who may be sent. own: ids of own places and codes of own areas, where they are not sent (回避)."""

    key: str
    name: str
    own: tuple[str, ...] = ()

    @cached_property
    def _areas(self) -> tuple[str, ...]:
        return tuple(code for code in self.own if code.isdigit())

    def is_own(self, place: Place) -> bool:
        return place.id in self.own or place.area.startswith(self._areas)


@dataclass(frozen=True)
class Pick:
    """One place of the result. inspector: key, "" where nobody is drawn."""

    place: str
    recommended: bool
    inspector: str = ""


def lot(seed: str, text: str) -> str:
    """Return the lot of a text under a seed: 64 hexadecimal digits."""
    return hashlib.sha256(f"{seed}|{text}".encode()).hexdigest()


def seed_digest(seed: str) -> str:
    """Return what is made known of a seed before the seed itself."""
    return digest(seed.encode())


def frame_digest(frame: Iterable[Place]) -> str:
    """Return the digest of what could be drawn: SHA-256 over the sorted lines "id TAB stratum TAB area"."""
    lines = sorted(f"{place.id}\t{place.stratum}\t{place.area}" for place in frame)
    return digest("\n".join(lines).encode())


def sizes(frame: Iterable[Place], recommended: Sequence[str] = ()) -> dict[str, int]:
    """Return stratum → how many of its places can be drawn, those named beforehand left out."""
    places = list(frame)
    counts = Counter(place.stratum for place in places)
    named = set(recommended)
    if named:
        counts.subtract(place.stratum for place in places if place.id in named)
    return dict(sorted(counts.items()))


def proportional(room: Mapping[str, int], total: int) -> dict[str, int]:
    """Return stratum → quota, `total` shared out by size: whole parts first, then the largest remainders.

    Equal remainders: the larger stratum first, then the name. RuleError("draw-too-large") with the counts,
    "frame-empty" without any stratum.
    """
    if not room:
        raise _empty()
    everything = sum(room.values())
    if total > everything:
        raise RuleError(
            "draw-too-large",
            N_("要抽取 {total} 处，可抽范围只有 {have} 处（{strata}）。请减少数量，或扩大范围。"),
            total=total, have=everything, strata=_listed(f"{name or '—'} {size}" for name, size in room.items()),
        )  # fmt: skip
    if total < 0:
        raise RuleError("draw-negative", N_("抽取数量 {total} 小于零。请填写零或正数。"), total=total)
    if not everything:
        return dict.fromkeys(room, 0)
    quotas = {name: size * total // everything for name, size in room.items()}
    rest = total - sum(quotas.values())
    by_remainder = sorted(room, key=lambda name: (-(room[name] * total % everything), -room[name], name))
    for name in by_remainder[:rest]:
        quotas[name] += 1
    return quotas


def draw(
    frame: Sequence[Place],
    quotas: Mapping[str, int],
    *,
    seed: str,
    recommended: Sequence[str] = (),
    inspectors: Sequence[Inspector] = (),
) -> list[Pick]:
    """Return the places to look at, with who looks; see the module for the procedure.

    quotas: stratum → how many are drawn, beside those named beforehand; a stratum that is absent gets none
    RuleError: "draw-seed", "frame-empty", "frame-twice", "recommended-unknown", "quota-stratum",
    "draw-too-large", "draw-nothing", "inspector-twice", "inspector-own", "place-without-inspector".
    """
    places = _judge(frame, quotas, seed, recommended)
    _judge_inspectors(frame, inspectors)
    named = set(recommended)
    picked = [(place_id, True) for place_id in sorted(named)]
    strata: dict[str, list[tuple[str, str]]] = {}
    for place in frame:
        if place.id not in named and quotas.get(place.stratum):
            strata.setdefault(place.stratum, []).append((lot(seed, f"place|{place.id}"), place.id))
    for stratum in sorted(strata):
        picked += [(place_id, False) for _lot, place_id in sorted(strata[stratum])[: quotas[stratum]]]
    load: Counter[str] = Counter()
    result = []
    for place_id, was_named in picked:
        sent = _sent(places[place_id], inspectors, load, seed) if inspectors else ""
        load[sent] += 1
        result.append(Pick(place_id, was_named, sent))
    return result


def _empty() -> RuleError:
    return RuleError("frame-empty", N_("抽取范围里没有地点。请先登记单位，或改选范围。"))


def _judge(
    frame: Sequence[Place], quotas: Mapping[str, int], seed: str, recommended: Sequence[str]
) -> dict[str, Place]:
    if not seed:
        raise RuleError("draw-seed", N_("抽取没有种子。请给出一段随机文字。"))
    if not frame:
        raise _empty()
    places = {place.id: place for place in frame}
    if len(places) != len(frame):
        twice = [place_id for place_id, count in Counter(p.id for p in frame).items() if count > 1]
        raise RuleError(
            "frame-twice", N_("抽取范围里有重复的地点：{places}。请去掉重复的行。"), places=_listed(twice)
        )
    unknown = [place_id for place_id in recommended if place_id not in places]
    if unknown or len(set(recommended)) != len(recommended):
        raise RuleError(
            "recommended-unknown", N_("推荐的地点不在范围内或重复：{places}。请从范围内选择，各选一次。"),
            places=_listed(unknown or [p for p, count in Counter(recommended).items() if count > 1]),
        )  # fmt: skip
    room = sizes(frame, recommended)
    strange = sorted(set(quotas) - set(room))
    if strange:
        raise RuleError(
            "quota-stratum", N_("范围里没有这些分组：{strata}。请核对配额。"), strata=_listed(strange)
        )
    negative = [name for name, quota in quotas.items() if quota < 0]
    if negative:
        raise RuleError(
            "draw-negative", N_("抽取数量 {total} 小于零。请填写零或正数。"), total=quotas[negative[0]]
        )
    short = [(name, quota, room[name]) for name, quota in sorted(quotas.items()) if quota > room[name]]
    if short:
        raise RuleError(
            "draw-too-large",
            N_("要抽取 {total} 处，可抽范围只有 {have} 处（{strata}）。请减少数量，或扩大范围。"),
            total=sum(quota for _n, quota, _s in short), have=sum(size for _n, _q, size in short),
            strata=_listed(f"{name or '—'} {quota}/{size}" for name, quota, size in short),
        )  # fmt: skip
    if not recommended and not any(quotas.values()):
        raise RuleError("draw-nothing", N_("没有要抽取的数量，也没有推荐的地点。请填写其一。"))
    return places


def _judge_inspectors(frame: Sequence[Place], inspectors: Sequence[Inspector]) -> None:
    """Refuse before any lot is drawn: a refusal that depended on the lots would make the draw one of several."""
    if len({one.key for one in inspectors}) != len(inspectors):
        twice = [key for key, count in Counter(one.key for one in inspectors).items() if count > 1]
        raise RuleError("inspector-twice", N_("检查人重复：{people}。请各选一次。"), people=_listed(twice))
    idle = [one.name for one in inspectors if one.own and all(one.is_own(place) for place in frame)]
    if idle:
        raise RuleError(
            "inspector-own",
            N_("{people}只能抽到本人所在的单位或辖区，按回避规定不能参加。请去掉此人，或扩大范围。"),
            people=_listed(idle),
        )
    if inspectors and all(one.own for one in inspectors):
        left = list(frame)
        for one in inspectors:
            left = [place for place in left if one.is_own(place)]
        nobody = [place.id for place in left]
        if nobody:
            raise RuleError(
                "place-without-inspector",
                N_("{count}处地点对所有检查人都须回避：{places}。请增加检查人，或缩小范围。"),
                count=len(nobody), places=_listed(nobody),
            )  # fmt: skip


def _sent(place: Place, inspectors: Sequence[Inspector], load: Mapping[str, int], seed: str) -> str:
    able = [one.key for one in inspectors if not one.is_own(place)]
    fewest = min(load[key] for key in able)
    equals = [key for key in able if load[key] == fewest]
    if len(equals) == 1:
        return equals[0]
    return min(equals, key=lambda key: (lot(seed, f"inspector|{place.id}|{key}"), key))


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    text = "、".join(every[:NAMED_IN_SENTENCE])
    return f"{text}…（共 {len(every)}）" if len(every) > NAMED_IN_SENTENCE else text


# --- the document that anybody can compute again --------------------------------------------------


def document(
    frame: Sequence[Place],
    quotas: Mapping[str, int],
    *,
    seed: str,
    recommended: Sequence[str] = (),
    inspectors: Sequence[Inspector] = (),
    about: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Draw, and return everything the result follows from, with the result, as JSON's own types.

    about: what the reader may want to know beside it (title, who drew); no part of the computation
    """
    picks = draw(frame, quotas, seed=seed, recommended=recommended, inspectors=inspectors)
    return {
        "weicheng_draw": 1,
        "algorithm": ALGORITHM,
        "about": dict(about or {}),
        "seed": seed,
        "seed_digest": seed_digest(seed),
        "frame": [[place.id, place.stratum, place.area] for place in sorted(frame, key=lambda p: p.id)],
        "frame_digest": frame_digest(frame),
        "quotas": {name: quota for name, quota in sorted(quotas.items()) if quota},
        "recommended": sorted(recommended),
        "inspectors": [
            {"key": one.key, "name": one.name, "own": sorted(one.own)}
            for one in sorted(inspectors, key=lambda one: one.key)
        ],
        "result": [
            {"place": pick.place, "recommended": pick.recommended, "inspector": pick.inspector}
            for pick in picks
        ],
    }


def differences(given: Any) -> list[RuleError]:
    """Compute a document's draw again; return what does not agree, said one by one; none means it is the same.

    RuleError("draw-file"): what is given is no such document. A draw that the rules refuse is a difference.
    """
    read = _Reader(given)
    found: list[RuleError] = []
    if read.text(given, "algorithm") != ALGORITHM:
        raise RuleError(
            "draw-file", N_("抽取文件的“{where}”无法识别。请使用页面下载的原文件。"), where="algorithm"
        )
    frame = [Place(*read.triple(line)) for line in read.rows(given, "frame")]
    seed = read.text(given, "seed")
    for name, value in (("seed_digest", seed_digest(seed)), ("frame_digest", frame_digest(frame))):
        if read.text(given, name) != value:
            found.append(
                RuleError(
                    "draw-digest", N_("{name} 不一致：文件为 {said}，重算为 {value}。"),
                    name=name, said=read.text(given, name), value=value,
                )
            )  # fmt: skip
    inspectors = [
        Inspector(read.text(one, "key"), read.text(one, "name"), tuple(read.texts(one, "own")))
        for one in read.rows(given, "inspectors")
    ]
    said = [
        Pick(read.text(one, "place"), one.get("recommended") is True, read.text(one, "inspector"))
        for one in read.rows(given, "result")
    ]
    quotas, recommended = read.counts(given, "quotas"), read.texts(given, "recommended")
    try:
        again = draw(frame, quotas, seed=seed, recommended=recommended, inspectors=inspectors)
    except RuleError as error:
        return [*found, error]
    return [*found, *_compare(said, again)]


def _compare(said: Sequence[Pick], again: Sequence[Pick]) -> list[RuleError]:
    found = []
    told = {pick.place: pick for pick in said}
    computed = {pick.place: pick for pick in again}
    for place in [pick.place for pick in said if pick.place not in computed]:
        found.append(RuleError("draw-extra", N_("{place} 在文件结果中，重算没有抽到。"), place=place))
    for pick in again:
        before = told.get(pick.place)
        if before is None:
            found.append(
                RuleError("draw-missing", N_("{place} 重算应抽到，文件结果中没有。"), place=pick.place)
            )
        elif before != pick:
            found.append(
                RuleError(
                    "draw-changed", N_("{place} 的方式或检查人不一致：文件为 {said}，重算为 {value}。"),
                    place=pick.place, said=_manner(before), value=_manner(pick),
                )
            )  # fmt: skip
    if not found and list(said) != list(again):
        found.append(RuleError("draw-order", N_("抽中的地点相同，但先后或数量不一致。")))
    return found


def _manner(pick: Pick) -> str:
    return f"{'推荐' if pick.recommended else '随机'} {pick.inspector or '—'}"


class _Reader:
    """Reads a document from outside; whatever is of another shape is refused by the name of its part."""

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict) or given.get("weicheng_draw") != 1:
            raise self.refusal("weicheng_draw")

    @staticmethod
    def refusal(where: str) -> RuleError:
        return RuleError(
            "draw-file", N_("抽取文件的“{where}”无法识别。请使用页面下载的原文件。"), where=where
        )

    def text(self, given: Any, name: str) -> str:
        value = given.get(name) if isinstance(given, dict) else None
        if not isinstance(value, str):
            raise self.refusal(name)
        return value

    def rows(self, given: Any, name: str) -> list[Any]:
        value = given.get(name)
        if not isinstance(value, list) or any(not isinstance(row, (dict, list)) for row in value):
            raise self.refusal(name)
        return value

    def triple(self, line: Any) -> tuple[str, str, str]:
        if not isinstance(line, list) or len(line) != 3 or any(not isinstance(part, str) for part in line):
            raise self.refusal("frame")
        return line[0], line[1], line[2]

    def texts(self, given: Any, name: str) -> list[str]:
        value = given.get(name) if isinstance(given, dict) else None
        if not isinstance(value, list) or any(not isinstance(part, str) for part in value):
            raise self.refusal(name)
        return value

    def counts(self, given: Any, name: str) -> dict[str, int]:
        value = given.get(name)
        if not isinstance(value, dict) or any(type(count) is not int for count in value.values()):
            raise self.refusal(name)
        return value
