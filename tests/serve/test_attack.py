"""No small request costs the service much memory or processor time, whatever its route.

``make attack`` sends them all, and prints the most expensive request of each route.
"""

import os
import re
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kkcv.serve.routes import ROUTES

from .attacks import ATTACKS, MEASURED, Attack
from .conftest import Running, running
from .metering import Cost, Meter

MEMORY = 6 * 1024**3  # bytes that each process of the service may have, threads included
MEGABYTES = 300  # that a request may take beside its pictures
A_PICTURE = 6  # bytes for each pixel: what the decoder has, and the pixels made of it
KEPT = 150  # megabytes that may stay, for allocators keep some of what they had
SECONDS = 8.0  # of a processor, also on a slow machine; the first of them took 15 to 80 once


@pytest.fixture(scope="module")
def attacked(made_gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that has loaded all it needs, under a limit of memory."""
    folder = shutil.copytree(made_gallery, tmp_path_factory.mktemp("attacked") / "gallery")
    with running(folder, "--quiet") as service:
        resource.prlimit(service.process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        explain = {"query": {"id": 1}, "hit": {"id": 2}}
        httpx.post(f"{service.address}/v1/explain/picture", json=explain, timeout=60)
        yield service


@pytest.fixture(scope="module")
def table(attacked: Running) -> Iterator[dict[str, tuple[str, int, int, Cost]]]:
    """Requests and their costs, of which the dearest of each route are printed at the end."""
    costs: dict[str, tuple[str, int, int, Cost]] = {}
    yield costs
    dearest: dict[str, tuple[str, int, int, Cost]] = {}
    for name, found in costs.items():
        route = route_of(ATTACKS[name])
        if route not in dearest or found[3].seconds > dearest[route][3].seconds:
            dearest[route] = found
    print("\n\n| route | request | bytes | status | seconds | megabytes |")
    print("|---|---|--:|--:|--:|--:|")
    for route, (name, size, status, cost) in dearest.items():
        figures = f"{size:,} | {status} | {cost.seconds:.2f} | {cost.megabytes}"
        print(f"| `{route}` | {name} | {figures} |")


def route_of(attack: Attack) -> str:
    path = re.sub(r"/images/\d+", "/images/{id}", attack.path.partition("?")[0])
    return f"{attack.method} {path}"


def test_every_route_is_attacked() -> None:
    routes = {f"{route.method} {route.path}" for route in ROUTES}

    assert {route_of(attack) for attack in ATTACKS.values()} == routes


def named(names: dict[str, Attack]) -> list[object]:
    """The measured ones are quick enough for every run of the tests."""
    slow = [pytest.mark.slow]
    return [pytest.param(name, marks=[] if name in MEASURED else slow) for name in names]


@pytest.mark.parametrize("name", named(ATTACKS))
def test_no_small_request_is_expensive(
    attacked: Running, name: str, table: dict[str, tuple[str, int, int, Cost]]
) -> None:
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
    table[name] = name, len(body) or len(attack.path), answer.status_code, cost
    if os.environ.get("KKCV_ATTACK"):
        print(f"\n{name}: {answer.status_code}, {cost}", end="")
    assert answer.status_code in attack.statuses, answer.text[:500]
    assert cost.megabytes < MEGABYTES + attack.pixels * A_PICTURE // 1_000_000
    assert cost.seconds < SECONDS
    assert cost.kept < KEPT
