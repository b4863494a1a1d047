"""What is measured, one function for each; every call is one run and returns its figures by name."""

import io
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from bench.client import Connection, Took, drive, request_bytes
from bench.rows import COMMON, RARE
from bench.sites import Site

CLIENTS = 8
BATCH = 50
PHOTO_BYTES = 300_000
READERS = {"officer": "district officer", "community": "community, 0.01 % of rows", "liaison": "unit liaison"}
STATES = {COMMON: "common", RARE: "rare"}


@dataclass(frozen=True)
class Effort:
    """How long a run is: seconds of a stream, and how often a page is asked for."""

    seconds: float
    pages: int
    photos: int


Figures = dict[str, float]


def writing(site: Site, effort: Effort) -> Figures:
    """Create findings with one and with eight clients, singly and in batches, beside the bare insert."""
    found: Figures = {}
    single, bare, batch = _single(site), _bare(site), _batch(site)
    for clients in (1, CLIENTS):
        # Bare and ours take turns within seconds of each other, so that a ratio compares like with like.
        for name, send in (("bare", bare), ("create", single)):
            took, cpu = _timed(site, send, clients=clients, seconds=effort.seconds, status=201)
            found |= _stream(f"{name}-{clients}", took, cpu)
        found[f"ratio-{clients}"] = found[f"create-{clients}-rate"] / found[f"bare-{clients}-rate"]
        took, cpu = _timed(site, batch, clients=clients, seconds=effort.seconds, status=200)
        found |= _stream(f"batch-{clients}", took, cpu)
        found[f"batch-{clients}-rate"] *= BATCH
        found[f"batch-{clients}-cpu"] /= BATCH
    return found


def _stream(name: str, took: Took, cpu: float) -> Figures:
    return {
        f"{name}-rate": took.per_second,
        f"{name}-p50": took.p50,
        f"{name}-p95": took.p95,
        f"{name}-cpu": cpu,
        f"{name}-client": took.client_core,
    }


def photos(site: Site, effort: Effort) -> Figures:
    """Attach a photo of 300 kB, no two alike, each to a finding of its own."""
    connection = Connection(site.port)
    uids = []
    for _ in range(effort.photos):
        request = _single(site)()
        status, body = connection.ask(request)
        assert status == 201, body
        uids.append(json.loads(body)["uid"])
    connection.close()
    requests = (_photo(site, uid) for uid in uids)
    ready = iter(list(requests))  # made before the clock starts: a request is 300 kB
    took, cpu = _timed(site, lambda: next(ready), times=effort.photos, status=201)
    return {"photo-p50": took.p50, "photo-p95": took.p95, "photo-cpu": cpu}


def lists(site: Site, effort: Effort) -> Figures:
    """Read the first page of the list of cases, by API and as a page, as each reader, in each state."""
    found: Figures = {}
    for door, who, state in itertools.product(("api", "page"), READERS, ("", *STATES)):
        request = _list(site, door, who, state)
        connection = Connection(site.port)
        for _ in range(3):
            status, body = connection.ask(request)
        assert status == 200, body[:300]
        connection.close()
        name = f"{door}-{who}-{state or 'open'}"
        found[f"{name}-rows"] = (
            float(len(json.loads(body)["cases"]))
            if door == "api"
            else found[f"api-{who}-{state or 'open'}-rows"]
        )
        took, cpu = _timed(site, lambda: request, times=effort.pages)  # noqa: B023 - used at once
        found |= {f"{name}-p50": took.p50, f"{name}-cpu": cpu}
    return found


def starting(site: Site, _effort: Effort) -> Figures:
    """Start the installation from nothing; look at its memory when it has come to rest."""
    took, memory = site.cold_start()
    return {"start": took, "memory": sum(memory.values())} | {
        f"memory-{name}": size for name, size in memory.items()
    }


def _timed(site: Site, send: Callable[[], bytes], **how: Any) -> tuple[Took, float]:
    """Return what a run took, and the milliseconds of processor time the server spent on each request."""
    before = site.cpu_seconds()
    took = drive(site.port, send, **how)
    return took, (site.cpu_seconds() - before) * 1000 / len(took.each_ms)


# --- requests ----------------------------------------------------------------------------------------


def _json(site: Site, path: str, who: str, payload: Any) -> bytes:
    headers = {"Authorization": f"Bearer {site.cast[who]['token']}", "Content-Type": "application/json"}
    return request_bytes("POST", path, headers, json.dumps(payload, ensure_ascii=False).encode())


def _draft(site: Site, dice: random.Random) -> dict[str, Any]:
    """Return a finding as a phone sends it: where, what, whom it concerns, with a point and the device's time."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return {
        "uid": "%s",
        "area": dice.choice(site.cast["communities"]),
        "category": "06010",
        "note": "路边堆有垃圾，请尽快清理。",
        "address": "市场东门外",
        "unit": dice.choice(site.cast["units"])[1],
        "device_at": f"{yesterday:%Y-%m-%dT%H:%M:%SZ}",
        "occurred_on": f"{yesterday:%Y-%m-%d}",
        "point": {"lon": "117.1846", "lat": "34.2610", "accuracy_m": "12"},
    }


def _filled(requests: list[bytes], uids: int) -> Callable[[], bytes]:
    """Return what gives the requests in turn, with fresh identities of 36 characters where "%s" stood."""
    parts = itertools.cycle([request.split(b"%s" + b" " * 34) for request in requests])

    def send() -> bytes:
        pieces = next(parts)
        fresh = [str(uuid4()).encode() for _ in range(uids)]
        return b"".join(itertools.chain.from_iterable(zip(pieces, [*fresh, b""], strict=True)))

    return send


def _single(site: Site) -> Callable[[], bytes]:
    dice = random.Random(1)
    drafts = [_spaced(_draft(site, dice)) for _ in range(200)]
    return _filled([_json(site, "/api/findings", "inspector", draft) for draft in drafts], 1)


def _batch(site: Site) -> Callable[[], bytes]:
    dice = random.Random(2)
    batches = [{"findings": [_spaced(_draft(site, dice)) for _ in range(BATCH)]} for _ in range(20)]
    return _filled([_json(site, "/api/findings/batch", "inspector", batch) for batch in batches], BATCH)


def _spaced(draft: dict[str, Any]) -> dict[str, Any]:
    # Padded to the length of a UUID, so that Content-Length is right before the identity is known.
    return draft | {"uid": "%s" + " " * 34}


def _bare(site: Site) -> Callable[[], bytes]:
    row = {"uid": "%s" + " " * 34, "area": site.cast["communities"][0], "note": "路边堆有垃圾，请尽快清理。"}
    body = json.dumps(row, ensure_ascii=False).encode()
    return _filled([request_bytes("POST", "/bare", {"Content-Type": "application/json"}, body)], 1)


def _list(site: Site, door: str, who: str, state: str) -> bytes:
    query = f"?state={state}" if state else ""
    if door == "api":
        return request_bytes(
            "GET", f"/api/cases{query}", {"Authorization": f"Bearer {site.cast[who]['token']}"}
        )
    return request_bytes("GET", f"/cases/{query}", {"Cookie": site.cast[who]["cookie"]})


_PICTURE: list[bytes] = []


def _photo(site: Site, uid: str) -> bytes:
    """Return the upload of a JPEG of about 300 kB; a comment in it makes each another file."""
    boundary = uuid4().hex.encode()
    if not _PICTURE:
        _PICTURE.append(_picture())
    comment = uuid4().hex.encode()
    # A comment segment behind the first two bytes; the picture itself is compressed once.
    picture = (
        _PICTURE[0][:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + _PICTURE[0][2:]
    )
    body = b"".join(
        [
            b'--%b\r\nContent-Disposition: form-data; name="uid"\r\n\r\n%b\r\n'
            % (boundary, str(uuid4()).encode()),
            b'--%b\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n' % boundary,
            b"Content-Type: image/jpeg\r\n\r\n%b\r\n--%b--\r\n" % (picture, boundary),
        ]
    )
    headers = {
        "Authorization": f"Bearer {site.cast['inspector']['token']}",
        "Content-Type": f"multipart/form-data; boundary={boundary.decode()}",
    }
    return request_bytes("POST", f"/api/findings/{uid}/photos", headers, body)


def _picture() -> bytes:
    """Return a JPEG of a phone's usual size after its app made it smaller: 1600 by 1200, about 300 kB."""
    from PIL import Image

    dice = random.Random(3)
    noise = Image.frombytes("RGB", (400, 300), dice.randbytes(400 * 300 * 3)).resize((1600, 1200))
    for quality in range(95, 4, -2):
        file = io.BytesIO()
        noise.save(file, "JPEG", quality=quality)
        if file.tell() <= PHOTO_BYTES:
            break
    return file.getvalue()
