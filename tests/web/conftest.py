"""The real page as a process of its own, over a small gallery of real photographs."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.web.strings import Strings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from kkcv.embedding.embedder import Embedder

expect.set_options(timeout=60_000)
ENGLISH, CHINESE = Strings("en"), Strings("zh")


@contextmanager
def running(gallery: Path | str, *options: str) -> Iterator[str]:
    """The address of ``kkcv web`` at a free port of loopback."""
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            [
                *(sys.executable, "-m", "kkcv", "web", str(gallery)),
                *("--port", "0", "--no-browser", *options),
            ],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r"(?<=is at )http://\S+:\d+", line)
            said.seek(0)
            assert address, f"it did not say where it is, but: {line}{said.read()}"
            wait_for(address[0] + line.rstrip().partition(address[0])[2])
            yield address[0]
        finally:
            process.terminate()
            ended = process.wait(30)
    assert ended == 0


def wait_for(address: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{address}/_stcore/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture(scope="session")
def other_gallery(
    tmp_path_factory: pytest.TempPathFactory, album: list[Path], embedder: "Embedder"
) -> Path:
    """A second gallery, whose answers are compared: of the first eight of the album."""
    folder = tmp_path_factory.mktemp("other") / "gallery"
    with Gallery.create(folder, embedder) as gallery:
        import_pictures(gallery, album[:8])
    return folder


class Site:
    """One page for all tests. After one that changed pictures, the next has a new one."""

    def __init__(self, gallery: Path, other: Path, tmp_path_factory: pytest.TempPathFactory):
        self.made, self.other, self.tmp_path_factory = gallery, other, tmp_path_factory
        self.process = ExitStack()
        self.start()

    def start(self) -> None:
        self.process.close()
        folder = self.tmp_path_factory.mktemp("page")
        self.gallery = Path(shutil.copytree(self.made, folder / "gallery"))
        self.before = self.pictures()
        options = ("--compare", str(self.other), "--runs", str(folder / "runs"))
        self.address = self.process.enter_context(running(self.gallery, *options))

    def check(self) -> None:
        """Fails if the page that a test had does not answer or ends with an error."""
        fine = False
        try:
            httpx.get(f"{self.address}/_stcore/health", trust_env=False).raise_for_status()
            fine = self.pictures() == self.before
        finally:
            if not fine:
                self.start()

    def pictures(self) -> list[tuple[int, Any]]:
        with Gallery.open(self.gallery) as gallery:
            return [(picture.id, picture.metadata) for picture in gallery.page(100)]


@pytest.fixture(scope="session")
def site(
    made_gallery: Path, other_gallery: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    site = Site(made_gallery, other_gallery, tmp_path_factory)
    with site.process:
        yield site


@pytest.fixture
def own_gallery(site: Site) -> Iterator[Path]:
    """The gallery of the page; a test leaves it as it found it."""
    yield site.gallery
    site.check()


@pytest.fixture
def web(site: Site, own_gallery: Path) -> str:
    """The address of the page over the own gallery."""
    return site.address


@pytest.fixture(scope="session")
def screenshots(pytestconfig: pytest.Config) -> Path:
    """Where the looks of the pages are kept, to be looked at."""
    folder = pytestconfig.rootpath / "artifacts" / "web"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def settle(page: "Page") -> None:
    """Wait until the script has run to its end: until then anything may be drawn again."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def click_card(page: "Page", place: int = 0) -> None:
    """Click a picture, from 0 on: it is searched with, or in the library selected."""
    settle(page)
    page.locator(".card").nth(place).click()


def select_card(page: "Page", place: int = 0) -> None:
    """Select a picture of the library, and wait for its actions."""
    page.wait_for_selector(".card[aria-pressed]")
    click_card(page, place)
    expect(page.locator(".card").nth(place)).to_have_attribute("aria-pressed", "true")
    settle(page)


def act(page: "Page", place: int, name: str) -> None:
    """Press the small button of this name on a picture; -1 is the last."""
    settle(page)
    cell = page.locator(".cell").nth(place)
    cell.hover()
    cell.get_by_role("button", name=name).click()


def search(page: "Page", picture: Path) -> None:
    """Give it a picture, and wait for the answer."""
    page.set_input_files("input[type=file]", picture)
    page.wait_for_selector(".score")
    settle(page)


def names(page: "Page") -> list[str]:
    return page.locator(".card .name").all_inner_texts()


HERE = ("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")
Visit = Callable[..., "Page"]


@pytest.fixture
def visit(chromium: "Browser", web: str) -> Iterator[Visit]:
    """``visit(locale="zh-CN")`` is the search page of a new visitor; nobody else was asked for
    anything, and nothing was reported as an error."""
    asked: list[str] = []
    errors: list[str] = []
    contexts = []

    def open_page(address: str = web, **options: Any) -> "Page":
        options = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options}
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("[data-testid=stFileUploader]")
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(HERE)] == []
    assert errors == []
