"""Thousands of broken bodies: each gets an answer below 500, and memory does not grow.

``KKCV_FUZZ=10000`` sends so many.
"""

import base64
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from .conftest import Running

COUNT = int(os.environ.get("KKCV_FUZZ", "1500"))
PATHS = ("/v1/search", "/v1/images", "/v1/search/like", "/v1/batch/search", "/search")
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
    question = {"image": text, rng.choice(["k", "where", "region", "like", "x"]): 1}
    question |= {"like": [{"image": text}], "queries": [{"image": text}]}
    for _ in range(rng.randrange(4)):
        question[rng.choice(list(question))] = rng.choice(strange)
    if rng.random() < 0.7:
        for name in rng.sample(["like", "queries", "where", "region", "x"], 4):
            question.pop(name, None)
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


@pytest.mark.slow
def test_no_body_breaks_the_service(
    service: Running, http: httpx.Client, seeds: list[bytes]
) -> None:
    rng = random.Random(0)
    forms: list[Callable[[bytes, random.Random], Body]] = [as_json, as_form, as_plain_form]
    before = {picture["id"] for picture in http.get("/v1/images?limit=500").json()["pictures"]}
    failed, statuses, warm = [], set(), 0

    for number in range(COUNT):
        picture = damaged(rng.choice(seeds), rng)
        body, kind = rng.choice(forms)(picture, rng)
        path = "/search" if kind.startswith("application/x-") else rng.choice(PATHS)
        answer = http.post(path, content=body, headers={"Content-Type": kind})
        statuses.add(answer.status_code)
        if answer.status_code >= 500:
            failed.append((number, path, answer.text))
        if answer.status_code == 201:
            http.delete(f"/v1/images/{answer.json()['id']}")
        if number == COUNT // 3:
            warm = memory(service)

    after = {picture["id"] for picture in http.get("/v1/images?limit=500").json()["pictures"]}
    assert failed == []
    assert {200, 400, 413, 415, 422} <= statuses
    assert after == before
    assert memory(service) < warm + 150
