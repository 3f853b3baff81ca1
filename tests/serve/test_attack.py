"""Small requests that were expensive once: each is answered in little memory and processor time.

``make attack`` prints what each of them costs.
"""

import base64
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from PIL import Image

from .conftest import Running, running

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
TICK = os.sysconf("SC_CLK_TCK")
MEGABYTES = 300  # that a request may take beside its pictures
A_PICTURE = 6  # bytes for each pixel: what the decoder has, and the pixels made of it
SECONDS = 8.0  # of a processor, also on a slow machine; each took 15 to 80 once


class Attack(NamedTuple):
    """A request, the statuses that it may have, and the pixels that it makes the service decode."""

    method: str
    path: str
    kind: str
    body: Callable[[], bytes]
    statuses: set[int]
    pixels: int = 0


def one_color(width: int, height: int) -> str:
    """A PNG of many pixels in few bytes, as base64."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def two_large_pictures() -> bytes:
    image = {"image": one_color(8000, 8000)}
    return json.dumps({"query": image, "hit": image}).encode()


def strips() -> bytes:
    return json.dumps({"queries": [{"image": one_color(1, 64_000_000)}] * 16}).encode()


def a_slow_format() -> bytes:
    """A QOI of 16 megapixels, which Pillow decodes in Python."""
    head = b"qoif" + (3990).to_bytes(4, "big") * 2 + b"\3\0"
    data = head + b"\xfd" * (3990 * 3990 // 62 + 1) + bytes(7) + b"\1"
    return json.dumps({"image": base64.b64encode(data).decode()}).encode()


def a_name_twice() -> bytes:
    return ("&".join(f"f{n}=" for n in range(64_000)) + "&f0=").encode()


def an_address_of_names() -> str:
    return "/v1/images/1/similar?" + "&".join(f"f{n}" for n in range(9_000)) + "&f0"


def a_list_without_end() -> bytes:
    return json.dumps({"image": "", "fields": ["x"] * 2_000_000}).encode()


def names_without_end() -> bytes:
    return json.dumps({f"name {n}": 0 for n in range(700_000)}).encode()


ATTACKS = {
    "two pictures of 64 megapixels": Attack(
        "POST", "/v1/explain/picture", JSON, two_large_pictures, {200}, 2 * 64_000_000
    ),
    "sixteen strips of 64 megapixels": Attack("POST", "/v1/batch/search", JSON, strips, {413}),
    "a picture that is slow to decode": Attack("POST", "/v1/search", JSON, a_slow_format, {413}),
    "a form of 64,000 fields": Attack("POST", "/search", FORM, a_name_twice, {422}),
    "an address of 9,000 fields": Attack("GET", an_address_of_names(), JSON, bytes, {422}),
    "a list of two million items": Attack("POST", "/v1/search", JSON, a_list_without_end, {422}),
    "700,000 unknown fields": Attack("POST", "/v1/search", JSON, names_without_end, {422}),
}


class Cost(NamedTuple):
    """What a request took of the service and its child processes."""

    seconds: float  # of a processor
    megabytes: int  # at the peak, beyond what was resident before


class Meter:
    """Measures a running service by what the kernel counts of its processes."""

    def __init__(self, service: Running) -> None:
        self._root = service.process.pid
        self._before = {id: self._seconds(id) for id in self._processes()}
        for id in self._before:
            Path(f"/proc/{id}/clear_refs").write_text("5")  # the peak begins anew
        self._resident = {id: self._status(id, "VmRSS") for id in self._before}

    def cost(self) -> Cost:
        """Since it was made."""
        ids = self._processes()
        seconds = sum(self._seconds(id) - self._before.get(id, 0.0) for id in ids)
        peaks = sum(self._status(id, "VmHWM") - self._resident.get(id, 0) for id in ids)
        return Cost(seconds, peaks // 1024)

    def _processes(self) -> list[int]:
        found = [self._root]
        for id in found:
            for task in Path(f"/proc/{id}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def _seconds(self, id: int) -> float:
        fields = Path(f"/proc/{id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def _status(self, id: int, name: str) -> int:
        """In kilobytes."""
        lines = Path(f"/proc/{id}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.fixture(scope="module")
def attacked(made_gallery: Path) -> Iterator[Running]:
    """A service that has loaded all it needs."""
    with running(made_gallery, "--quiet") as service:
        explain = {"query": {"id": 1}, "hit": {"id": 2}}
        httpx.post(f"{service.address}/v1/explain/picture", json=explain, timeout=60)
        yield service


@pytest.mark.parametrize("name", ATTACKS)
def test_no_small_request_is_expensive(attacked: Running, name: str) -> None:
    attack = ATTACKS[name]
    body = attack.body()
    meter = Meter(attacked)

    answer = httpx.request(
        attack.method,
        f"{attacked.address}{attack.path}",
        content=body,
        headers={"Content-Type": attack.kind},
        timeout=120,
    )

    cost = meter.cost()
    print(
        f"\n| {name} | {attack.method} {attack.path.partition('?')[0]} | {len(body):,} "
        f"| {answer.status_code} | {cost.seconds:.2f} | {cost.megabytes} |",
        end="",
    )
    assert answer.status_code in attack.statuses, answer.text[:500]
    assert cost.megabytes < MEGABYTES + attack.pixels * A_PICTURE // 1_000_000
    assert cost.seconds < SECONDS
