"""Fixtures of many tests: the shared pictures and facts."""

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from .milvus_server import CHOSEN, lite

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from kkcv.embedding.embedder import Embedder


os.environ["KKCV_LANG"] = "en"  # whatever the locale of the machine
settings.register_profile("kkcv", deadline=None)  # a busy machine is no failure
settings.load_profile("kkcv")


def pytest_configure(config: pytest.Config) -> None:
    """A run has a cache of its own, which its workers share; it leaves the user's alone."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        cache = tempfile.mkdtemp(prefix="kkcv-tests-")
        config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))
        os.environ["KKCV_CACHE"] = cache


# A camera that shows a test picture, and nobody who is asked whether it may be used.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """AppTest of Streamlit leaves its script as ``__main__``, which a spawned process would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pictures and reference facts beside the checkout.

    A checkout elsewhere does not have it, and the tests that need it are skipped there; in CI
    its absence is a failure.
    """
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("CI=true, but there is no folder ../shared beside the checkout")
        pytest.skip("needs the folder ../shared beside the checkout")
    return folder


@pytest.fixture(scope="session")
def pictures(shared: Path) -> Path:
    """The real pictures: ``cats_dogs``, ``imagenette``, ``nasty``, …"""
    return shared / "data"


@pytest.fixture(scope="session")
def embedder() -> "Embedder":
    """The default network, with its real weights."""
    from kkcv.embedding.embedder import Embedder

    return Embedder.load()


@pytest.fixture(scope="session")
def album(pictures: Path) -> list[Path]:
    """Twelve photographs: three sizes of each of four motifs."""
    groups = sorted(p for p in (pictures / "near_dup_caltech").iterdir() if p.is_dir())
    return [path for group in groups[:4] for path in sorted(group.iterdir())[:3]]


@pytest.fixture(scope="session")
def stranger(pictures: Path) -> Path:
    """A photograph that is like none of the album."""
    return sorted((pictures / "cats_dogs" / "val" / "cats").iterdir())[0]


@pytest.fixture(scope="session")
def made_gallery(
    tmp_path_factory: pytest.TempPathFactory, album: list[Path], embedder: "Embedder"
) -> Path:
    """A gallery of the album, its files where they are. Copy it to change it."""
    from kkcv.search.gallery import Gallery
    from kkcv.search.importing import import_pictures

    folder = tmp_path_factory.mktemp("made") / "gallery"
    with Gallery.create(folder, embedder) as gallery:
        import_pictures(gallery, album)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A headless browser, the system's own. In CI its absence is a failure."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI=true, but there is no chromium")
        pytest.skip("needs chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", *CAMERA]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus server."""
    if chosen := os.environ.get(CHOSEN):
        yield chosen
        return
    with lite(tmp_path_factory.mktemp("milvus")) as address:
        yield address


@pytest.fixture
def unused() -> str:
    """A name for a gallery on Milvus."""
    return f"g{uuid.uuid4().hex}"
