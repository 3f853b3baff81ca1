"""Downloads, from a real server on loopback that misbehaves as real ones do."""

import hashlib
import io
import os
import pty
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kkcv.errors import WeightsError
from kkcv.zoo.loading import download
from kkcv.zoo.loading.download import fetch

BODY = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2


class Server(ThreadingHTTPServer):
    """Serves ``body`` at every path, and remembers what was asked of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = BODY
        self.ranges_asked: list[str | None] = []  # one for each request of the body
        self.knows_ranges = True
        self.tells_length = True
        self.cuts_after: int | None = None  # bytes of each answer
        self.cuts_left = 0
        self.stalls = False
        self.delay = 0.0  # seconds before the body
        self.status = 200
        self.hub_tag: str | None = None  # what /resolve/ tells before it redirects

    def url(self, path: str = "/models/net.pth") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path.startswith("/resolve/"):
            self.send_response(302)
            self.send_header("Location", "/models/net.pth")
            self.send_header("Content-Length", "0")
            if self.server.hub_tag:
                self.send_header("X-Linked-ETag", self.server.hub_tag)
            self.end_headers()
            return
        asked = self.headers["Range"]
        self.server.ranges_asked.append(asked)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if not self.server.knows_ranges:
            start = 0
        if start >= len(self.server.body):
            self.send_error(416)
            return
        self.answer(self.server.body[start:], start)

    def answer(self, body: bytes, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            end = len(self.server.body)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        time.sleep(self.server.delay)
        cut = self.server.cuts_after if self.server.cuts_left else None
        self.server.cuts_left -= cut is not None
        self.wfile.write(body[:cut])
        if cut is not None and self.server.stalls:
            time.sleep(2)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file shall come to lie, on a machine that may download."""
    for name in (
        "KKCV_OFFLINE",
        "HF_HUB_OFFLINE",
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "net.pth"


def part_of(path: Path) -> Path:
    return path.with_name("net.pth.part")


def leave_part(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    part_of(path).write_bytes(content)


@pytest.mark.parametrize("digits", [64, 8])
def test_a_file_comes_whole_and_is_checked_by_its_full_or_published_hash(
    server: Server, path: Path, digits: int
) -> None:
    fetched = fetch(server.url(), path, SHA256[:digits])

    assert fetched == path
    assert path.read_bytes() == BODY
    assert not part_of(path).exists()


def test_what_is_there_already_is_not_asked_for_again(server: Server, path: Path) -> None:
    fetch(server.url(), path, SHA256)
    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [None]


def test_a_cut_connection_is_resumed_where_it_was_cut(server: Server, path: Path) -> None:
    server.cuts_after, server.cuts_left = HALF // 2, 2

    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [None, f"bytes={HALF // 2}-", f"bytes={HALF}-"]
    assert path.read_bytes() == BODY


def test_what_came_before_the_server_went_away_is_kept_for_the_next_try(
    server: Server, path: Path
) -> None:
    leave_part(path, BODY[:HALF])
    server.status = 503
    with pytest.raises(WeightsError, match=r"127.0.0.1 answers 503 Service Unavailable"):
        fetch(server.url(), path, SHA256)

    server.status = 200
    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [f"bytes={HALF}-"] * 2
    assert path.read_bytes() == BODY


def test_a_server_that_goes_on_cutting_is_given_up(server: Server, path: Path) -> None:
    server.cuts_after, server.cuts_left = 1000, 100

    with pytest.raises(
        WeightsError, match=r"127.0.0.1 cut the connection after 5000 of 1048576 bytes"
    ):
        fetch(server.url(), path, SHA256)

    assert len(server.ranges_asked) == 5
    assert part_of(path).read_bytes() == BODY[:5000]


def test_a_silent_server_is_given_up_after_a_while_and_asked_again(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SILENCE", 0.3)
    server.cuts_after, server.cuts_left, server.stalls = HALF, 1, True

    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [None, f"bytes={HALF}-"]
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_server_that_ignores_ranges_is_taken_from_its_start(
    server: Server, path: Path, tells_length: bool
) -> None:
    leave_part(path, BODY[:HALF])
    server.knows_ranges, server.tells_length = False, tells_length

    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [f"bytes={HALF}-"]
    assert path.read_bytes() == BODY


def test_a_part_of_another_file_is_thrown_away_and_the_whole_asked_for(
    server: Server, path: Path
) -> None:
    leave_part(path, b"?" * HALF)

    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [f"bytes={HALF}-", None]
    assert path.read_bytes() == BODY


def test_a_part_that_is_whole_only_needs_its_check(server: Server, path: Path) -> None:
    leave_part(path, BODY)

    fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [f"bytes={len(BODY)}-"]
    assert path.read_bytes() == BODY


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, path: Path) -> None:
    leave_part(path, BODY + b"more")

    fetch(server.url(), path, SHA256)

    assert path.read_bytes() == BODY


def test_a_file_with_the_wrong_hash_never_appears(server: Server, path: Path) -> None:
    server.body = BODY[:-1] + b"!"

    with pytest.raises(
        WeightsError,
        match=f"what 127.0.0.1 sent is damaged: its sha256 is not {SHA256[:16]}…",
    ):
        fetch(server.url(), path, SHA256)

    assert not path.exists()
    assert not part_of(path).exists()


def test_the_hash_that_a_hub_tells_as_it_redirects_is_the_one_checked(
    server: Server, path: Path
) -> None:
    server.hub_tag = f'"{SHA256}"'

    fetch(server.url("/resolve/main/model.safetensors"), path)

    assert path.read_bytes() == BODY


def test_a_file_that_is_not_what_the_hub_told_never_appears(server: Server, path: Path) -> None:
    server.hub_tag = f'"{"0" * 64}"'

    with pytest.raises(WeightsError, match="its sha256 is not 0000000000000000…"):
        fetch(server.url("/resolve/main/model.safetensors"), path)

    assert not path.exists()


@pytest.mark.parametrize("tag", [None, '"d41d8cd98f00b204e9800998ecf8427e"', '"not a hash"'])
def test_a_file_that_nobody_tells_the_hash_of_is_refused(
    server: Server, path: Path, tag: str | None
) -> None:
    server.hub_tag = tag

    with pytest.raises(WeightsError, match="tells no hash to check the file against"):
        fetch(server.url("/resolve/main/model.safetensors"), path)

    assert not path.exists()


def test_a_missing_file_says_what_the_server_said(server: Server, path: Path) -> None:
    server.status = 404

    with pytest.raises(WeightsError, match=r"^127.0.0.1 answers 404 Not Found$"):
        fetch(server.url(), path, SHA256)

    assert server.ranges_asked == [None]


def test_nothing_is_asked_for_offline(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_OFFLINE", "1")

    with pytest.raises(WeightsError, match=r"^KKCV_OFFLINE is set$"):
        fetch(server.url(), path, SHA256)

    assert server.ranges_asked == []
    assert not path.parent.exists()


def test_what_is_in_the_cache_is_there_offline_too(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(server.url(), path, SHA256)
    monkeypatch.setenv("KKCV_OFFLINE", "1")

    assert fetch(server.url(), path, SHA256) == path


def test_a_server_that_is_not_there_is_named(server: Server, path: Path) -> None:
    url = server.url().replace("127.0.0.1", "no-such-host.invalid")

    with pytest.raises(WeightsError, match=r"^no route to no-such-host.invalid$"):
        fetch(url, path, SHA256)


def test_a_port_that_nobody_listens_on_is_named(path: Path) -> None:
    gone = Server()
    gone.server_close()

    with pytest.raises(WeightsError, match=r"^no route to 127.0.0.1: Connection refused$"):
        fetch(gone.url(), path, SHA256)


def test_a_cache_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(WeightsError, match=r"^cannot write .*net\.pth\.part: File exists$"):
        fetch(server.url(), tmp_path / "cache" / "net.pth", SHA256)


def test_two_processes_that_want_the_same_file_download_it_once(server: Server, path: Path) -> None:
    server.delay = 1.0  # the second comes while the first is waiting
    processes = [start_fetching(server.url(), path) for _ in range(2)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert server.ranges_asked == [None]
    assert path.read_bytes() == BODY


def test_a_download_is_silent_where_standard_error_is_no_terminal(
    server: Server, path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetch(server.url(), path, SHA256)

    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_the_file_the_rate_and_the_time_left(server: Server, path: Path) -> None:
    ours, theirs = pty.openpty()

    process = start_fetching(server.url(), path, stderr=theirs)

    os.close(theirs)
    shown = b"".join(iter(partial(read, ours), b"")).decode()
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert "net.pth" in shown
    assert "1.0/1.0 MB" in shown
    assert re.search(r"\d [kMG]B/s", shown)  # a quick machine has gigabytes a second
    assert "0:00:00" in shown


def start_fetching(url: str, path: Path, stderr: int | None = None) -> subprocess.Popen[bytes]:
    """Another process that downloads."""
    code = (
        "import sys; from pathlib import Path; from kkcv.zoo.loading.download import fetch;"
        "fetch(sys.argv[1], Path(sys.argv[2]), sys.argv[3])"
    )
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    return subprocess.Popen(
        [sys.executable, "-c", code, url, str(path), SHA256], env=environment, stderr=stderr
    )


def read(terminal: int) -> bytes:
    """The bytes that came to a terminal; none when the other side is closed, an error on Linux."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def zipped(name: str, body: bytes = BODY) -> bytes:
    """An archive with one file, compressed, as pytorchcv's releases are."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name, body)
    return archive.getvalue()


def test_of_an_archive_the_file_in_it_is_kept_and_checked_by_sha1(
    server: Server, path: Path
) -> None:
    server.body = zipped("net.pth")

    fetch(server.url("/net.pth.zip"), path, f"sha1:{hashlib.sha1(BODY).hexdigest()}")

    assert path.read_bytes() == BODY
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.pth", "net.pth.lock"]


def test_an_archive_that_was_cut_is_gone_on_with(server: Server, path: Path) -> None:
    server.body = zipped("net.pth")
    leave_part(path, server.body[:100])

    fetch(server.url("/net.pth.zip"), path, SHA256)

    assert server.ranges_asked == ["bytes=100-"]
    assert path.read_bytes() == BODY


@pytest.mark.parametrize(
    "archive",
    [
        zipped("net.pth", BODY[1:]),
        zipped("other.pth"),
        zipped("net.pth")[:-30],
        zipped("net.pth").replace(zipped("net.pth")[100:140], b"?" * 40),
        BODY,
    ],
    ids=["wrong-file", "other-name", "cut", "damaged", "no-archive"],
)
def test_of_a_bad_archive_nothing_is_kept(server: Server, path: Path, archive: bytes) -> None:
    server.body = archive
    sha1 = hashlib.sha1(BODY).hexdigest()

    with pytest.raises(
        WeightsError, match=f"what 127.0.0.1 sent is damaged: its sha1 is not {sha1[:16]}…"
    ):
        fetch(server.url("/net.pth.zip"), path, f"sha1:{sha1}")

    assert [p.name for p in path.parent.iterdir()] == ["net.pth.lock"]
