"""Download a file once: resumed after a cut, checked before it counts, safe for two processes.

The bytes that have arrived are in ``NAME.part`` beside the file, and the next try asks the server
only for the rest. The file itself appears by one rename, after its hash was checked. If a part is
wrong (the server has another file meanwhile), it is deleted and the whole file requested once more,
so the server's own validators (ETag, If-Range) need not be stored. From a zip archive ``NAME.zip``
only the file ``NAME`` in it is kept.
"""

import re
import shutil
import socket
import ssl
import zlib
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from zipfile import BadZipFile, ZipFile

from filelock import FileLock

from kkcv import __version__
from kkcv.disk import move_into_place, sync_file
from kkcv.environment import hub_token, make_cache_folder, model_hub, offline
from kkcv.errors import WeightsError

from .digest import matches, mismatch

if TYPE_CHECKING:
    from rich.progress import Progress

SILENCE = 30.0  # seconds without a byte after which a server counts as gone
TRIES = 5  # requests for one file, each for what the one before did not bring
CHUNK = 1 << 20  # bytes between two steps of the bar


class NotThere(WeightsError):
    """The server has no such file."""


def fetch(url: str, path: Path, expected: str = "", *, must_tell: bool = True) -> Path:
    """``path``, with the file at ``url`` in it: downloaded unless it is there already.

    ``expected`` is the file's sha256 in hex, or its first digits; or ``sha1:`` and those of its
    SHA-1. Without it the server must tell a hash, as the Hugging Face hub does; or, where it need
    not (``must_tell``), the length at least.

    Raises WeightsError, which says in a few words why there is no file; NotThere for a 404.
    """
    if path.is_file():
        return path
    if forbidden := offline():
        raise WeightsError(f"{forbidden} is set")
    if not is_address(url):
        raise WeightsError(f"{url} is no address; HF_ENDPOINT is like https://huggingface.co")
    part = path.with_name(f"{path.name}.part")
    try:
        make_cache_folder(path.parent)
        with FileLock(path.with_name(f"{path.name}.lock")):
            if not path.is_file():  # else another process was downloading it, and is done
                download(url, part, expected, must_tell)
                sync_file(part)
                move_into_place(part, path)
    except OSError as error:
        raise WeightsError(f"cannot write {part}: {error.strerror or error}") from None
    return path


def is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # such as brackets that are not closed
        return False


def is_web_page(file: Path) -> bool:
    """Whether it is a web page, as a proxy that wants a login sends; weights begin otherwise."""
    with file.open("rb") as opened:
        return opened.read(64).lstrip().startswith(b"<")


def download(url: str, part: Path, expected: str, must_tell: bool) -> None:
    """Fill ``part`` with the file at ``url``, going on from what it holds, and check it."""
    host = urlsplit(url).hostname or url
    for tries_left in reversed(range(TRIES)):
        had = part.stat().st_size if part.exists() else 0
        try:
            told, length_told = receive(url, part)
        except NotThere:
            raise
        except WeightsError:
            if tries_left and part.exists() and part.stat().st_size > had:
                continue
            raise
        wanted = expected or told
        file = unpacked(part) if url.endswith(".zip") else part
        if wanted and matches(file, wanted):
            file.replace(part)
            return
        page = is_web_page(part)
        if not (wanted or must_tell or page) and length_told:
            return
        for wrong in {file, part}:
            wrong.unlink(missing_ok=True)
        if page:
            raise WeightsError(f"{host} sent a web page in place of the file")
        if not wanted:
            raise WeightsError(f"{host} tells no hash to check the file against")
        if not had or not tries_left:
            raise WeightsError(f"what {host} sent is damaged: {mismatch(wanted)}")


def unpacked(archive: Path) -> Path:
    """``NAME`` out of the zip archive ``NAME.part``, beside it; empty where the archive is bad."""
    file = archive.with_suffix(".unpacked")
    try:
        with (
            ZipFile(archive) as members,
            members.open(archive.stem) as member,
            file.open("wb") as out,
        ):
            shutil.copyfileobj(member, out, CHUNK)
    except (BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError, RuntimeError):
        file.write_bytes(b"")  # which no hash fits
    return file


def receive(url: str, part: Path) -> tuple[str, bool]:
    """Append to ``part`` what it lacks of the file.

    Returns the hash that the server told, or ``""``, and whether it told the length.
    """
    had = part.stat().st_size if part.exists() else 0
    agent = {"User-Agent": f"kkcv/{__version__}"}
    request = Request(url, headers=agent)  # noqa: S310  # addresses of the tables, and of mirrors
    of_hub = urlsplit(url).netloc == urlsplit(model_hub()).netloc
    if of_hub and hub_token():
        # not for the host to which a hub redirects
        request.add_unredirected_header("Authorization", f"Bearer {hub_token()}")
    if had:  # only what is still missing
        request.add_header("Range", f"bytes={had}-")
    redirects = Redirects()
    host = urlsplit(url).hostname or url
    try:
        response = build_opener(redirects).open(request, timeout=SILENCE)
    except HTTPError as error:
        error.close()
        if error.code == 416 and had:  # nothing is left to send: the part is whole, or wrong
            return redirects.told, True
        if of_hub and error.code in (401, 403):
            raise WeightsError(
                f"{host} answers {error.code} {error.reason}: log in there, accept the license if "
                "it asks for that, and set HF_TOKEN"
            ) from None
        kind = NotThere if error.code == 404 else WeightsError
        raise kind(f"{host} answers {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise WeightsError(reason(error, host)) from None
    with response:
        if response.status != 206:  # the server ignores ranges and sends the whole
            had = 0
        length_told = response.length is not None
        save(response, part, had, host)
        return redirects.told or told_hash(response.headers), length_told


def save(response: HTTPResponse, part: Path, had: int, host: str) -> None:
    """Write the body of a response behind the first ``had`` bytes of ``part``."""
    total = None if response.length is None else had + response.length
    with part.open("ab" if had else "wb") as file, progress() as bar:
        task = bar.add_task(part.stem, completed=had, total=total)
        for chunk in chunks(response, host):
            file.write(chunk)
            bar.advance(task, len(chunk))
        size = file.tell()
    if total is not None and size < total:
        raise WeightsError(f"{host} cut the connection after {size} of {total} bytes")


def chunks(response: HTTPResponse, host: str) -> Iterator[bytes]:
    """The body as it comes in."""
    while True:
        try:
            chunk = response.read1(CHUNK)
        except (OSError, HTTPException) as error:
            raise WeightsError(reason(error, host)) from None
        if not chunk:
            return
        yield chunk


class Redirects(HTTPRedirectHandler):
    """Follows redirections and keeps the hash that a hub tells in the first of them."""

    told = ""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        self.told = self.told or told_hash(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def told_hash(headers: HTTPMessage) -> str:
    """The hash that the Hugging Face hub tells of a file, as ``fetch`` expects one.

    Of a large file it is the sha256, in ``X-Linked-ETag``; of a small one Git's, in ``ETag``.
    """
    linked, own = (
        (headers.get(name) or "").removeprefix("W/").strip('"').lower()
        for name in ("X-Linked-ETag", "ETag")
    )
    if re.fullmatch("[0-9a-f]{64}", linked):
        return linked
    return next((f"git:{tag}" for tag in (linked, own) if re.fullmatch("[0-9a-f]{40}", tag)), "")


def reason(error: OSError | HTTPException, host: str) -> str:
    """Why the network failed, in a few words."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"{host} is silent for {SILENCE:.0f} seconds"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not trusted: {cause.verify_message}"
    if isinstance(cause, socket.gaierror):
        return f"no route to {host}"
    if isinstance(cause, OSError) and cause.strerror:
        return f"no route to {host}: {cause.strerror}"
    return f"{host} does not speak HTTP as it should: {cause or type(cause).__name__}"


def progress() -> "Progress":
    """A bar on standard error with rate and time left; nothing where that is not a terminal."""
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    return rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
