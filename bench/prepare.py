"""Fill an initialised site with the people and units of the measurements; run inside the site's settings.

Prints JSON: tokens and session cookies of four people, the units, the communities, and the rows of one
finding recorded by the real verb, which `rows.py` multiplies.
"""

import json
import sys
import uuid
from datetime import date, timedelta
from typing import Any

UNITS = 200
NAMES = {
    "inspector": ("inspector", ""),
    "officer": ("district_officer", ""),
    "community": ("community", ""),
    "liaison": ("liaison", "unit"),
}


def main(district: str) -> None:
    """Make the cast and print what the measuring process needs to know."""
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from bench.bare import make_table
    from weicheng.inspections.actions import record_finding
    from weicheng.inspections.drafts import FindingIn
    from weicheng.journal.site import raise_generation
    from weicheng.places.actions import issue_token
    from weicheng.places.actors import actor_of
    from weicheng.places.models import Area, Post, Unit, User
    from weicheng.places.roles import Role

    now = timezone.now()
    make_table()
    communities = sorted(
        code for code in Area.objects.values_list("code", flat=True)
        if len(code) == 12 and code.startswith(district)
    )  # fmt: skip
    small, rest = communities[0], communities[1:]
    units = []
    for number in range(UNITS):
        unit = Unit(name=f"第{number + 1}农贸市场", kind="market", opened_on=date(2020, 1, 1))
        unit.place_at(rest[number % len(rest)]).save()
        units.append(unit)
    told: dict[str, Any] = {"district": district, "small": small, "communities": rest}
    told["units"] = [[unit.pk, str(unit.uid), unit.area] for unit in units]
    settings.ALLOWED_HOSTS.append("testserver")
    actors = {}
    for login, (role, at_unit) in NAMES.items():
        user = User.objects.create(
            login=login, name=login, password="!", must_change_password=False, created_at=now
        )
        unit = units[0] if at_unit else None
        area = unit.area if unit else small if login == "community" else district
        post = Post(user=user, role=Role(role).value, unit=unit, from_on=date(2020, 1, 1))
        post.place_at(area).save()
        raise_generation()
        actors[login] = actor_of(post)
        _token, secret = issue_token(post=post, by=actors[login], at=now)
        browser = Client()
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        browser.get("/cases/")  # the first page enters the session among the user's
        cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
        told[login] = {"token": secret, "cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    draft = FindingIn(
        uid=uuid.uuid4(), area=rest[0], category="06010", note="路边堆有垃圾，请尽快清理。",
        address="市场东门外", unit=units[0].uid, device_at=now - timedelta(minutes=1),
        point={"lon": "117.1846000", "lat": "34.2610000", "accuracy_m": "12.0"},
    )  # fmt: skip
    made = record_finding(draft, by=actors["inspector"], at=now)
    assert made.finding is not None
    told["template"] = {"finding": made.finding.pk, "case": made.case.pk, "uid": str(draft.uid)}
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
