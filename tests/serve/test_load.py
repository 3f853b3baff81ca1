"""32 clients search and add at the same time: no error, and no acknowledged add is lost.

``KKCV_LOAD_SECONDS=60`` keeps them at it for so long; ``-s`` shows the figures.
"""

import base64
import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from .conftest import running

SECONDS = float(os.environ.get("KKCV_LOAD_SECONDS", "5"))
CLIENTS = 32
ADDS = 0.25  # of the requests


def unlike_any(photo: bytes, number: int) -> str:
    """The photograph with a tail behind its end, which decoders ignore: another file, in base64."""
    return base64.b64encode(photo + number.to_bytes(8, "big")).decode()


class Clients:
    """The requests that they sent, and the answers."""

    def __init__(self, address: str, photos: list[bytes]) -> None:
        self.address = address
        self.photos = photos
        self.numbers: Iterator[int] = itertools.count()
        self.until = time.monotonic() + SECONDS
        self.took: dict[str, list[float]] = {"search": [], "add": []}
        self.added: dict[int, str] = {}
        self.failures: list[str] = []

    def run(self) -> None:
        threads = [threading.Thread(target=self.client, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def client(self, seed: int) -> None:
        rng = random.Random(seed)
        with httpx.Client(base_url=self.address, timeout=60, trust_env=False) as http:
            while time.monotonic() < self.until:
                photo = rng.choice(self.photos)
                if rng.random() < ADDS:
                    self.add(http, unlike_any(photo, next(self.numbers)))
                else:
                    image = base64.b64encode(photo).decode()
                    self.send(http, "search", "/v1/search", {"image": image, "k": 10}, 200)

    def add(self, http: httpx.Client, image: str) -> None:
        answer = self.send(http, "add", "/v1/images", {"image": image}, 201)
        if answer is not None:
            self.added[answer["id"]] = image

    def send(
        self, http: httpx.Client, what: str, path: str, body: dict, status: int
    ) -> dict | None:
        began = time.perf_counter()
        try:
            answer = http.post(path, json=body)
        except httpx.HTTPError as error:
            self.failures.append(f"{what}: {error!r}")
            return None
        self.took[what].append(time.perf_counter() - began)
        if answer.status_code != status:
            self.failures.append(f"{what}: {answer.status_code} {answer.text}")
            return None
        return answer.json()


def lost(http: httpx.Client, added: dict[int, str]) -> list[int]:
    """The ids that a search for exactly this picture does not find, 16 at a time."""
    missing = []
    every = list(added.items())
    for start in range(0, len(every), 16):
        some = every[start : start + 16]
        queries = [{"image": image, "k": 1, "where": f"id == {id}"} for id, image in some]
        results = http.post("/v1/batch/search", json={"queries": queries}).json()["results"]
        for (id, _), found in zip(some, results, strict=True):
            if not found["hits"] or found["hits"][0]["score"] < 0.99:
                missing.append(id)
    return missing


@pytest.mark.slow
def test_under_load_nothing_fails_and_no_add_is_lost(folder: Path, pictures: Path) -> None:
    photos = [p.read_bytes() for p in sorted((pictures / "imagenette").glob("*/*"))[::10]]
    with running(folder, "--quiet") as service:
        clients = Clients(service.address, photos)
        clients.run()
        with httpx.Client(base_url=service.address, timeout=120, trust_env=False) as http:
            missing = lost(http, clients.added)
            pictures_there = http.get("/v1/stats").json()["pictures"]
        stopped = service.stop()

    for what, seconds in clients.took.items():
        p50, p99 = 1000 * np.percentile(seconds, [50, 99])
        rate = len(seconds) / SECONDS
        print(f"\n{what}: {len(seconds)}, {rate:.1f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms", end="")
    assert clients.failures == []
    assert missing == []
    assert pictures_there == 12 + len(clients.added)
    assert len(clients.added) > SECONDS
    assert stopped == 0
