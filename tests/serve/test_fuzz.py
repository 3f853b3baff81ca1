"""Broken bodies: each gets an answer below 500 and costs little, and memory does not grow.

``KKCV_FUZZ=10000`` (``make fuzz``) sends so many.
"""

import base64
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from .conftest import Running, running
from .metering import Cost, Meter

COUNT = int(os.environ.get("KKCV_FUZZ", "400"))
GROWTH = 150  # megabytes, for allocators keep what they once had
SECONDS = 4.0  # of a processor for one body, also on a slow machine
MEGABYTES = 700  # at the peak: 300, and a picture of 64 megapixels
ROUTES = (
    "POST /v1/search",
    "POST /v1/images",
    "POST /v1/search/like",
    "POST /v1/batch/search",
    "POST /v1/batch/images",
    "PUT /v1/images/1",
    "PATCH /v1/images/1",
)
Body = tuple[bytes, str]


@pytest.fixture(scope="module")
def seeds(pictures: Path) -> list[bytes]:
    """Small files, good and nasty."""
    files = [path for path in sorted((pictures / "nasty").rglob("*")) if path.is_file()]
    return [path.read_bytes() for path in files if path.stat().st_size < 30_000]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut off, with bytes flipped, doubled, or left out."""
    changed = bytearray(data)
    for _ in range(rng.randrange(4)):
        if not changed:
            break
        at = rng.randrange(len(changed))
        kind = rng.randrange(5)
        if kind == 0:
            changed[at] = rng.randrange(256)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            del changed[at : at + rng.randrange(64)]
        elif kind == 3:
            changed[at:at] = changed[at : at + rng.randrange(64)]
        else:
            changed[at:at] = rng.randbytes(rng.randrange(16))
    return bytes(changed)


def as_json(picture: bytes, rng: random.Random) -> Body:
    """A question that fits, or one with a strange value in it, or no JSON any more."""
    text = base64.b64encode(picture).decode()
    strange = [None, True, -1, 0.5, 1e308, "x", "", [], {}, [[]], {"a": 1}, "\ud800", 2**70, text]
    names = ["k", "where", "region", "fields", "liked", "ranking", "verify", "fold", "x"]
    question = {"image": text, rng.choice(names): 1, "metadata": {"a": [1]}}
    question |= {name: [{"image": text}] for name in ("like", "queries", "pictures")}
    for _ in range(rng.randrange(4)):
        question[rng.choice(list(question))] = rng.choice(strange)
    if rng.random() < 0.7:
        wanted = ["image", rng.choice([*names, "like", "queries", "pictures", "metadata"])]
        question = {name: value for name, value in question.items() if name in wanted}
    body = json.dumps(question).encode()
    return (damaged(body, rng) if rng.random() < 0.4 else body), "application/json"


def as_form(picture: bytes, rng: random.Random) -> Body:
    """A multipart body, whole or damaged."""
    mark = b"--mark\r\nContent-Disposition: form-data; name="
    k = rng.choice([b"5", b"ten", b"\xff", b"[" * 2000, b""])
    body = mark + b'"k"\r\n\r\n' + k + b"\r\n" + mark + b'"image"; filename="x"\r\n\r\n'
    body += picture + b"\r\n--mark--\r\n"
    return (
        damaged(body, rng) if rng.random() < 0.5 else body
    ), "multipart/form-data; boundary=mark"


def as_plain_form(picture: bytes, rng: random.Random) -> Body:
    text = base64.b64encode(picture)
    if rng.random() < 0.5:
        text = text.replace(b"+", b"%2B")
    return damaged(b"image=" + text, rng), "application/x-www-form-urlencoded"


def memory(service: Running) -> int:
    """Megabytes that the service has in memory."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) // 1024


def test_no_body_breaks_the_service(folder: Path, seeds: list[bytes]) -> None:
    rng = random.Random(0)
    forms: list[Callable[[bytes, random.Random], Body]] = [as_json, as_form, as_plain_form]
    failed, statuses, warm = [], set(), 0
    costs: list[tuple[Cost, int, str]] = []

    with (
        running(folder, "--quiet") as service,
        httpx.Client(base_url=service.address, timeout=60, trust_env=False) as http,
    ):
        for number in range(COUNT):
            picture = damaged(rng.choice(seeds), rng)
            body, kind = rng.choice(forms)(picture, rng)
            plain = kind.startswith("application/x-")
            method, path = ("POST /search" if plain else rng.choice(ROUTES)).split()
            meter = Meter(service)
            answer = http.request(method, path, content=body, headers={"Content-Type": kind})
            costs.append((meter.cost(), number, f"{method} {path}"))
            statuses.add(answer.status_code)
            if answer.status_code >= 500:
                failed.append((number, method, path, answer.text))
            if number == COUNT // 3:
                warm = memory(service)
        grown = memory(service) - warm
        listed = http.get("/v1/images?limit=500").json()
        stopped = service.stop()

    print(f"\n{COUNT} bodies, {sorted(statuses)}, memory {warm} MB, then {grown:+d} MB", end="")
    dearest, largest = max(costs), max(costs, key=lambda each: each[0].megabytes)
    print(f"\nthe dearest: {dearest}; the largest: {largest}", end="")
    assert failed == []
    assert dearest[0].seconds < SECONDS
    assert largest[0].megabytes < MEGABYTES
    assert {200, 400, 413, 415, 422} <= statuses
    assert len({picture["sha256"] for picture in listed["pictures"]}) == len(listed["pictures"])
    assert grown < GROWTH
    assert stopped == 0
