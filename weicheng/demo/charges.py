"""Who is in charge of which sub-district in the invented district (包抓联络): a leader and a liaison for each."""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from weicheng.demo import words
from weicheng.places.charges import ChargeIn, hand_over, set_charge
from weicheng.places.models import User
from weicheng.places.roles import Role
from weicheng.rules.charges import ChargeKind

if TYPE_CHECKING:
    from weicheng.demo.load import Loader

_LEADERS = ("区委常委", "副区长", "区人大常委会副主任", "区政协副主席", "副区长")
_LIAISONS = ("区创卫办联络员", "区住建局联络员", "区卫健委联络员", "区市场监管局联络员", "区教育局联络员")
_TARGETS = "每月到点督导一次；背街小巷、农贸市场和老旧小区达标；群众反映的问题按期办结。"


def put_in_charge(loader: "Loader") -> None:
    """Put a leader and one liaison in charge of each sub-district, from the first day; one liaison is handed over.

    A leader of the city is in charge of the district itself.
    """
    cast, officer = loader.cast, loader.actors["demo-qu"]
    at, rng = cast.begins_at, Random(f"{loader.seed}:{loader.area}:charges")  # noqa: S311 - a story, not a secret
    leader = next(one for one in cast.people if one.role is Role.LEADER)
    user = User.objects.get(login=leader.login)
    given = ChargeIn(
        kind=ChargeKind.LEADER.value, area=loader.area, name=cast.new_name(rng), title="副市长", from_on=at.date(),
        targets=_TARGETS,
    )  # fmt: skip
    set_charge(
        given=given, by=loader.actors["demo-shi"], at=at, uid=UUID(int=rng.getrandbits(128), version=4)
    )
    invented = [cast.new_name(rng) for _n in range(len(_LEADERS) - 1)]
    for number, street in enumerate(cast.district.streets):
        own = number % len(_LEADERS) == 0
        who = leader.name if own else invented[number % len(_LEADERS) - 1]
        set_charge(
            given=ChargeIn(
                kind=ChargeKind.LEADER.value, area=street.code, name=who, title=_LEADERS[number % len(_LEADERS)],
                targets=_TARGETS, from_on=at.date(), user=user if own else None,
            ),
            by=officer, at=at, uid=UUID(int=rng.getrandbits(128), version=4),
        )  # fmt: skip
        liaison = set_charge(
            given=ChargeIn(
                kind=ChargeKind.LIAISON.value, area=street.code, name=cast.new_name(rng),
                title=_LIAISONS[number % len(_LIAISONS)], targets=rng.choice(words.REMARKS), from_on=at.date(),
            ),
            by=officer, at=at, uid=UUID(int=rng.getrandbits(128), version=4),
        )  # fmt: skip
        if number == 1 and loader.months > 6:
            changed = at + timedelta(days=160)
            hand_over(
                charge=liaison,
                on=changed.date(),
                name=cast.new_name(rng),
                title=liaison.title,
                by=officer,
                at=changed,
            )
