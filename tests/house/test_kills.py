"""Twenty kills at random points: what was acknowledged is there once and whole, and each effect happened once.

Two clients send findings with photos by API, each with an identity of its own, and send again what was not
acknowledged, as a phone does. Meanwhile the web process with its server, or the worker, is killed with SIGKILL
at a random moment and started again. The seed is printed, so that a failure can be run once more.

Three kills are aimed: a process that attaches a photo strikes itself when the file is written and synced, in the
place of the commit, and right after the commit.
"""

import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from io import BytesIO

import pytest
from PIL import Image

from tests.house.conftest import ROOT, Installation
from tests.house.test_serve import answers, free_port, until

KILLS = 20
STREET = "320311001"

CAST = """
from datetime import date
from django.utils import timezone
from weicheng.journal.actions import SYSTEM
from weicheng.places.actions import create_user, give_post, issue_token
from weicheng.places.actors import actor_of
from weicheng.places.models import Post
now = timezone.now()
user, _ = create_user(login="lin", name="林甲", by=SYSTEM, at=now)
post = give_post(user=user, role="inspector", area="320311", from_on=date(2020, 1, 1), by=SYSTEM, at=now)
post = Post.objects.select_related("user", "unit").get(pk=post.pk)
print(issue_token(post=post, by=actor_of(post), at=now)[1])
"""

# Run inside the installation at the end: every table is read past the pages, by its rows alone.
ACCOUNT = """
import hashlib, json, sys
from collections import Counter
from pathlib import Path
from django.conf import settings
from weicheng.cases.models import Case, Event
from weicheng.evidence.models import Attachment
from weicheng.inspections.models import Finding, FindingVersion
from weicheng.journal.models import Entry
from weicheng.notices.models import Notice
by_finding = Counter(FindingVersion.objects.values_list("finding__uid", flat=True))
steps = Counter(Event.objects.filter(move="file").values_list("case__finding__uid", flat=True))
written = Counter(Entry.objects.filter(verb="finding.record").values_list("object_key", flat=True))
told = Counter(Notice.objects.filter(kind="case.file").values_list("url", flat=True))
findings = {
    str(finding.uid): [
        by_finding[finding.uid], steps[finding.uid], written[str(finding.uid)], told[finding.case.url]
    ]
    for finding in Finding.objects.select_related("case")
}
photos = {}
for row in Attachment.objects.select_related("stored"):
    photos[str(row.uid)] = [row.stored.sha256, str(row.owner_uid)]
print(json.dumps({
    "findings": findings,
    "photos": photos,
    "cases": Case.objects.count(),
    "waiting": Event.objects.filter(delivered=False).count(),
    "files": [hashlib.sha256(p.read_bytes()).hexdigest() for p in Path(settings.FILES).rglob("*") if p.is_file()],
}))
"""


@dataclass
class Client:
    """A phone: makes findings, keeps them until they are acknowledged, sends again what was not."""

    port: int
    token: str
    seed: int
    stop: threading.Event
    acknowledged: dict[str, str] = field(default_factory=dict)  # finding -> digest of its photo
    sent_again: int = 0
    refused: list[str] = field(default_factory=list)

    def run(self) -> None:
        while not self.stop.is_set():
            uid, photo = str(uuid.uuid4()), _photo(f"{self.seed}-{len(self.acknowledged)}")
            finding = {"uid": uid, "area": STREET, "category": "06010", "note": f"路边堆有垃圾 {uid[:8]}"}
            self._until_acknowledged("/api/findings", json.dumps(finding).encode(), "application/json")
            body, kind = _form({"uid": uid}, photo)
            self._until_acknowledged(f"/api/findings/{uid}/photos", body, kind)
            self.acknowledged[uid] = hashlib.sha256(photo).hexdigest()

    def _until_acknowledged(self, path: str, body: bytes, kind: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request("POST", path, body, headers)
                reply = connection.getresponse()
                text = reply.read().decode()
                if reply.status in (200, 201):
                    return
                self.refused.append(f"{path} {reply.status} {text[:300]}")
                return
            except (OSError, http.client.HTTPException):
                self.sent_again += 1
                time.sleep(0.05)
            finally:
                connection.close()


def _photo(text: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), (20, 120, 110)).save(out, "JPEG", comment=text.encode())
    return out.getvalue()


def _form(fields: dict[str, str], photo: bytes) -> tuple[bytes, str]:
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n'
    parts += [head.encode(), b"Content-Type: image/jpeg\r\n\r\n", photo, f"\r\n--{edge}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={edge}"


class Process:
    """The web process or the worker, started as the supervisor starts it, without the supervisor's patience."""

    def __init__(self, kind: str, house: Installation, **settings: str) -> None:
        self.kind, self.environment = kind, house.environment | settings
        self.log = (house.data / f"{kind}.log").open("a")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "weicheng.serve", self.kind, str(os.getpid())],
            env=self.environment, cwd=ROOT, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def house(new_installation):
    made = new_installation("house")
    ran = made.weicheng("init", "--area", STREET)
    assert ran.returncode == 0, ran.stderr
    return made


@pytest.mark.slow
def test_twenty_kills_lose_nothing_acknowledged_leave_nothing_half_and_double_nothing(house):
    seed = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    sys.stdout.write(f"KILL_SEED={seed}\n")
    dice, port, stop = random.Random(seed), free_port(), threading.Event()
    token = house.python(CAST)
    processes = {
        "web": Process("web", house, WEICHENG_PORT=str(port)),
        "worker": Process("worker", house, WEICHENG_WORKER_LEASE_S="5"),
    }
    clients = [Client(port, token, number, stop) for number in range(2)]
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    try:
        until(lambda: answers(port), "the site answers")
        for thread in threads:
            thread.start()
        for kill in range(KILLS):
            # A kill tells something only while findings come in: wait for the next one, then strike.
            before = sum(len(client.acknowledged) for client in clients)
            until(
                lambda n=before: sum(len(client.acknowledged) for client in clients) > n, "findings come in"
            )
            time.sleep(dice.uniform(0, 0.4))
            struck = processes["web" if kill % 3 else "worker"]
            struck.kill()
            time.sleep(dice.uniform(0, 0.2))
            struck.start()
        stop.set()
        for thread in threads:
            thread.join(timeout=90)
            assert not thread.is_alive(), "a client still waits for an answer"
        until(
            lambda: house.query("SELECT count(*) FROM cases_event WHERE NOT delivered") == "0",
            "the worker has told everybody",
        )
    finally:
        stop.set()
        for process in processes.values():
            process.kill()

    account = json.loads(house.python(ACCOUNT))
    acknowledged = {uid: digest for client in clients for uid, digest in client.acknowledged.items()}
    assert not [line for client in clients for line in client.refused]
    assert len(acknowledged) >= KILLS
    assert sum(client.sent_again for client in clients) > 0, "no kill fell into a request"
    # Every acknowledged one is there; nothing is there that was not: all were sent until acknowledged.
    assert set(account["findings"]) == set(acknowledged)
    # One version, one step that opened the case, one journal entry, one notice: whole, and nothing twice.
    assert {uid: counts for uid, counts in account["findings"].items() if counts != [1, 1, 1, 1]} == {}
    assert account["cases"] == len(acknowledged)
    assert account["waiting"] == 0
    # Every acknowledged photo stands at its finding, and its file has the bytes that were sent.
    assert account["photos"] == {uid: [digest, uid] for uid, digest in acknowledged.items()}
    assert set(acknowledged.values()) <= set(account["files"])


# A process that records a finding and hangs a photo on it; it strikes itself at one point of the second.
AIMED = """
import os, signal, sys
from django.db import connection
from django.utils import timezone
from weicheng.evidence import actions, storage
from weicheng.inspections.actions import record_finding
from weicheng.inspections.drafts import FindingIn
from weicheng.places.actors import actor_of
from weicheng.places.models import Post
strike = lambda: os.kill(os.getpid(), signal.SIGKILL)
by = actor_of(Post.objects.select_related("user", "unit").get(role="inspector"))
finding = FindingIn(uid=FINDING, area="320311001", category="06010", note="路边堆有垃圾")
record_finding(finding, by=by, at=timezone.now())
put, commit = storage.put, connection.commit
if POINT == "file-written":
    storage.put = lambda *given, **named: (put(*given, **named), strike())
elif POINT == "before-commit":
    connection.commit = strike
elif POINT == "after-commit":
    connection.commit = lambda: (commit(), strike())
told = actions.attach(
    uid=finding.uid, owner_kind="finding", owner_uid=finding.uid, purpose="before", data=PHOTO, filename="a.jpg",
    by=by, at=timezone.now(),
)
print("created" if told.created else "exists")
"""


@pytest.mark.slow
def test_a_kill_aimed_between_file_and_commit_leaves_nothing_half_and_the_next_try_is_whole(house):
    house.python(CAST)
    for number, (point, stands, then) in enumerate(
        [
            ("file-written", False, "created"),
            ("before-commit", False, "created"),
            ("after-commit", True, "exists"),
        ]
    ):
        uid, photo = str(uuid.uuid4()), _photo(f"aimed-{number}")
        given = f"FINDING, PHOTO = {uid!r}, {photo!r}\n"
        struck = house.start_python(f"POINT = {point!r}\n{given}{AIMED}")
        assert struck.wait(60) == -signal.SIGKILL, f"{point}: {struck.printed()}"
        account = json.loads(house.python(ACCOUNT))
        digest = hashlib.sha256(photo).hexdigest()
        assert (uid in account["photos"]) is stands, point
        assert digest in account["files"], point  # written before the row that names it, always
        assert house.python(f"POINT = None\n{given}{AIMED}") == then
        account = json.loads(house.python(ACCOUNT))
        assert account["photos"][uid] == [digest, uid], point
        assert account["files"].count(digest) == 1
        written = f"SELECT count(*) FROM journal_entry WHERE verb = 'attachment.add' AND object_key = '{uid}'"
        assert house.query(written) == "1", point
