"""The page over galleries that lie elsewhere, and to visitors who come from elsewhere."""

import shutil
import socket
import socketserver
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.web.strings import Strings
from tests.serve.conftest import running as serving

from .conftest import CHINESE, ENGLISH, Visit, act, names, running, search, select_card, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from kkcv.embedding.embedder import Embedder

pytestmark = pytest.mark.browser


@pytest.mark.slow
@pytest.mark.parametrize(("locale", "text"), [("en-US", ENGLISH), ("zh-CN", CHINESE)])
def test_it_works_over_a_service_elsewhere(
    visit: Visit,
    made_gallery: Path,
    tmp_path: Path,
    album: list[Path],
    stranger: Path,
    screenshots: Path,
    locale: str,
    text: Strings,
) -> None:
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    with serving(folder) as service, running(service.address) as address:
        page = visit(address, locale=locale)
        search(page, album[7])
        assert names(page)[0] == album[7].name
        act(page, 1, text("explain.title"))
        page.locator("[role=dialog] img.warm").nth(1).wait_for()
        page.keyboard.press("Escape")

        add_remove_and_undo(page, text, stranger)
        assert names(page)[0] == stranger.name
        page.get_by_text(text("library.statistics"), exact=True).click()
        expect(page.get_by_text(text("page.local_only"))).to_be_visible()
        page.screenshot(path=screenshots / f"remote-{locale}.png")

        service.process.kill()
        page.get_by_text(text("library.pictures"), exact=True).first.click()
        expect(page.get_by_test_id("stAlert").first).to_contain_text("does not answer")
        page.screenshot(path=screenshots / f"remote-gone-{locale}.png")
        page.close()  # before its server goes


def add_remove_and_undo(page: "Page", text: Strings, stranger: Path) -> None:
    """In the library of twelve pictures, which has the stranger as its thirteenth then."""
    page.get_by_role("link", name=text("page.library")).click()
    page.locator(".card[aria-pressed]").first.wait_for()
    page.set_input_files("input[type=file]", stranger)
    page.get_by_role("button", name=text("library.add_one")).click()
    expect(page.locator(".card")).to_have_count(13)
    select_card(page)
    page.get_by_role("button", name=text("library.remove"), exact=True).click()
    expect(page.locator(".card")).to_have_count(12)
    page.get_by_role("button", name=text("library.undo")).click()
    expect(page.locator(".card")).to_have_count(13)


def test_a_gallery_on_milvus_is_searched_and_changed_like_any_other(
    visit: Visit,
    milvus: str,
    unused: str,
    tmp_path: Path,
    album: list[Path],
    stranger: Path,
    embedder: "Embedder",
) -> None:
    address = f"{milvus}/{unused}?files={tmp_path / 'files'}"
    with Gallery.create(address, embedder) as gallery:
        import_pictures(gallery, album)
    with running(address) as url:
        page = visit(url)
        search(page, album[7])
        assert names(page)[0] == album[7].name
        assert set(names(page)[1:3]) == {album[6].name, album[8].name}

        add_remove_and_undo(page, ENGLISH, stranger)
        page.get_by_text(ENGLISH("library.statistics"), exact=True).click()
        expect(page.get_by_text("13", exact=True).first).to_be_visible()
        settle(page)
        assert page.get_by_test_id("stException").count() == 0
        page.close()  # before its server goes


class Forwarding(socketserver.BaseRequestHandler):
    """A connection of a proxy that says whose it is."""

    target: tuple[str, int]

    def handle(self) -> None:
        with socket.create_connection(self.target) as there:
            line, _, rest = self.request.recv(1 << 16).partition(b"\r\n")
            there.sendall(line + b"\r\nX-Forwarded-For: 203.0.113.7\r\n" + rest)
            back = threading.Thread(target=self.pump, args=(there, self.request))
            back.start()
            self.pump(self.request, there)
            back.join()

    @staticmethod
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def test_visitors_through_a_proxy_name_no_folders(visit: Visit, web: str) -> None:
    """The page listens at loopback alone, and so does the proxy here."""
    Forwarding.target = ("127.0.0.1", int(web.rpartition(":")[2]))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forwarding) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, daemon=True).start()

        for address, count in (
            (web, 1),
            (f"http://127.0.0.1:{proxy.server_address[1]}", 0),
        ):
            page = visit(address)
            page.get_by_role("link", name=ENGLISH("page.library")).click()
            page.locator(".card[aria-pressed]").first.wait_for()
            expect(page.get_by_text(ENGLISH("library.folder"))).to_have_count(count)
            page.close()
        proxy.shutdown()
