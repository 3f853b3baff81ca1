"""The calls that the description of the API shows: each of them works."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kkcv.serve.docs.samples import ADDRESS, SAMPLES, samples
from kkcv.serve.routes import ROUTES, Route

from .conftest import Running, running

LAST = ("replace", "describe", "remove")  # they change picture 1


@pytest.fixture(scope="module")
def own(
    made_gallery: Path, album: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Path]]:
    """A service that the calls may change, and a folder with their pictures."""
    folder = tmp_path_factory.mktemp("samples")
    shutil.copytree(made_gallery, folder / "gallery")
    shutil.copy(album[0], folder / "cat.jpg")
    shutil.copy(album[7], folder / "dog.jpg")
    with running(folder / "gallery") as service:
        yield service, folder


def test_every_route_has_one() -> None:
    assert set(SAMPLES) == {route.name for route in ROUTES}


@pytest.mark.parametrize(
    "route", sorted(ROUTES, key=lambda r: r.name in LAST), ids=lambda r: r.name
)
def test_the_call_with_curl_is_answered(own: tuple[Running, Path], route: Route) -> None:
    service, folder = own
    curl = samples(route, needs_key=False)[0]["source"].replace(ADDRESS, service.address)

    said = subprocess.run(
        ["bash", "-c", f"{curl} -w '\\n%{{http_code}}'"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    # The default network reads no text, and another picture of the gallery may be the same.
    expected = {"search_text": {422}, "replace": {200, 409}}.get(route.name, set(route.answers))
    assert int(said.splitlines()[-1]) in expected, said


def test_the_calls_with_python_are_answered(own: tuple[Running, Path]) -> None:
    service, folder = own
    skipped = ("search_text", *LAST)
    shown = [samples(route, needs_key=False) for route in ROUTES if route.name not in skipped]
    sources = [each["source"] for two in shown for each in two if each["lang"] == "Python"]
    script = (
        "\n".join(sources)
        .replace(ADDRESS, service.address)
        .replace("(1", "(2")
        .replace("[1,", "[3,")
    )

    subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder, check=True, timeout=600,
    )  # fmt: skip

    assert len(sources) > 15
