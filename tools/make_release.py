"""Leave the database of this version in tests/releases, for every later version to migrate.

usage: python tools/make_release.py

One street with its communities, one person of each part, twelve findings whose cases stand at every place of the
loop, a drawn round with an answered visit, a confirmed assessment and an issued bulletin; made by the verbs themselves, so the rows are what this version writes. Only the database is kept: a
migration never opens a photo. An existing release is never written again.
"""

import lzma
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RELEASES = ROOT / "tests" / "releases"


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from weicheng import __version__

    target = RELEASES / f"{__version__}.sqlite3.xz"
    if target.exists():
        print(f"{target.relative_to(ROOT)} exists. A release is made once: raise the version first.")
        return 1
    with tempfile.TemporaryDirectory(prefix="weicheng-release-") as scratch:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
        environment = kept | {"WEICHENG_DATA": scratch, "DJANGO_SETTINGS_MODULE": "weicheng.settings"}
        for command in (["-m", "weicheng", "init", "--area", "320311001"], [__file__, "fill"]):
            subprocess.run([sys.executable, *command], env=environment, cwd=ROOT, check=True)
        plain = Path(scratch) / "weicheng.sqlite3"
        with closing(sqlite3.connect(plain)) as link:
            link.execute("PRAGMA journal_mode=DELETE")
            link.execute("VACUUM")
        RELEASES.mkdir(exist_ok=True)
        target.write_bytes(lzma.compress(plain.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KiB")
    return 0


def fill() -> None:
    """Write the people, the units and the findings; runs inside the new installation."""
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from datetime import date, timedelta
    from io import BytesIO
    from uuid import uuid4

    from django.utils import timezone
    from PIL import Image

    from weicheng.cases.actions import Step, take_step
    from weicheng.evidence.actions import attach
    from weicheng.inspections.actions import record_finding
    from weicheng.inspections.drafts import FindingIn
    from weicheng.journal.actions import SYSTEM
    from weicheng.places.actions import UnitFields, create_unit, create_user, give_post
    from weicheng.places.actors import actor_of
    from weicheng.places.models import Area, Post
    from weicheng.rules.cases import Move

    now = timezone.now()
    street = "320311001"
    community = Area.objects.filter(parent=street).order_by("code")[0].code
    market = create_unit(fields=UnitFields("解放农贸市场", "market", community), by=SYSTEM, at=now)

    def person(login: str, name: str, role: str, **where: object):
        user, _password = create_user(login=login, name=name, by=SYSTEM, at=now)
        post = give_post(user=user, role=role, from_on=date(2020, 1, 1), by=SYSTEM, at=now, **where)
        return actor_of(Post.objects.select_related("user", "unit").get(pk=post.pk))

    officer = person("zhou", "周一", "district_officer", area="320311")
    deputy = person("chen", "陈九", "district_officer", area="320311")
    inspector = person("wuer", "吴二", "inspector", area="320311")
    chief = person("zheng", "郑三", "street", area=street)
    person("wang", "王四", "community", area=community)
    liaison = person("feng", "冯五", "liaison", unit=market)
    person("chu", "褚六", "leader", area="320311")
    person("wei", "卫七", "security_admin", area="320311")
    person("jiang", "蒋八", "audit_admin", area="320311")

    hand_in = [Move.DISPATCH, Move.ACCEPT, Move.HAND_IN]
    ways = [
        [],
        [Move.DISPATCH],
        [Move.DISPATCH, Move.DECLINE],
        [Move.DISPATCH, Move.ACCEPT],
        [Move.DISPATCH, Move.ACCEPT, Move.ASK_EXTENSION],
        [Move.DISPATCH, Move.ACCEPT, Move.ASK_EXTENSION, Move.GRANT_EXTENSION],
        hand_in,
        [*hand_in, Move.FAIL],
        [*hand_in, Move.PASS],
        [*hand_in, Move.PASS, Move.REOPEN],
        [Move.CANCEL],
        [Move.DISPATCH, Move.SUPERVISE],
    ]
    who = {
        Move.DISPATCH: chief, Move.CANCEL: chief, Move.GRANT_EXTENSION: chief, Move.SUPERVISE: officer,
        Move.PASS: inspector, Move.FAIL: inspector, Move.REOPEN: inspector,
    }  # fmt: skip
    for number, way in enumerate(ways):
        draft = FindingIn(uid=uuid4(), area=community, category="06010", note=f"路边堆有垃圾 {number}")
        case = record_finding(draft, by=inspector, at=now).case
        assert case is not None
        for minute, move in enumerate(way, start=1):
            at = now + timedelta(minutes=minute)
            if move is Move.HAND_IN:
                picture = BytesIO()
                Image.new("RGB", (32, 24), (number, 120, 110)).save(picture, "JPEG")
                attach(
                    uid=uuid4(), owner_kind="case", owner_uid=case.uid, purpose="after", by=liaison, at=at,
                    data=picture.getvalue(), filename="after.jpg",
                )  # fmt: skip
            take_step(
                Step(
                    case.uid,
                    move,
                    who.get(move, liaison),
                    note="已办理",
                    unit_uid=market.uid if move is Move.DISPATCH else None,
                    until=at + timedelta(days=9) if move is Move.ASK_EXTENSION else None,
                ),
                at=at,
            )
    _inspect_score_and_tell(officer, deputy, inspector, market)


def _inspect_score_and_tell(officer: Any, deputy: Any, inspector: Any, market: Any) -> None:
    """Write a round with its draw and a visit, a board with its sheets, a bulletin; each brought to its end."""
    from datetime import timedelta
    from uuid import uuid4

    from django.utils import timezone

    from weicheng.assessments.actions import confirm_board
    from weicheng.assessments.boards import make_board
    from weicheng.assessments.compute import compute_board
    from weicheng.documents.actions import draft_bulletin, take
    from weicheng.inspections.actions import record_visit
    from weicheng.inspections.answers import record_answers
    from weicheng.inspections.drafts import AnswerIn, VisitIn
    from weicheng.inspections.draws import DrawIn, draw_round
    from weicheng.inspections.rounds import RoundIn, plan_round
    from weicheng.rules.figures import Period
    from weicheng.rules.issuing import Act
    from weicheng.standards import editions

    now = timezone.now() + timedelta(hours=1)
    on = timezone.localdate()
    plan = RoundIn(uid=uuid4(), kind="monthly", title="月评", starts_on=on, ends_on=on + timedelta(days=5))
    made = plan_round(plan, by=officer, at=now)
    draw_round(made, DrawIn(total=1, inspectors=(inspector.key,)), version=made.version, by=officer, at=now)

    begin = VisitIn(uid=uuid4(), area=market.area, unit=market.uid, checklist="community-environment")
    visit, _new = record_visit(begin, by=inspector, at=now)
    items = editions.checklist_by_id(visit.checklist_edition).body.items
    said = [AnswerIn(uid=uuid4(), item=items[0].number, result="pass"),
            AnswerIn(uid=uuid4(), item=items[1].number, result="fail", count=1, note="有积尘", category="06010")]  # fmt: skip
    assert all(told.error is None for told in record_answers(visit.uid, said, by=inspector, at=now))

    month = Period.month(f"{on:%Y-%m}")
    board = make_board(
        area="320311", level="community", period=month, period_text=f"{on:%Y-%m}", by=officer, at=now
    )
    confirm_board(compute_board(board, at=now, by=officer), base=None, by=officer, at=now)

    bulletin = draft_bulletin(period=month, by=officer, at=now)
    assert take(document=bulletin, act=Act.CHECK, by=deputy, at=now)


if __name__ == "__main__":
    if sys.argv[1:] == ["fill"]:
        fill()
    else:
        sys.exit(main())
