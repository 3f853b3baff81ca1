"""The server as a process: it starts, it stops, and no client keeps the others waiting."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.search.gallery import Gallery
from kkcv.serve.app import create_app
from kkcv.serve.server import server as server_module
from kkcv.serve.server.server import CONNECTIONS, Server
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings

from .conftest import Running, as_base64, running

MIB = 1024 * 1024


def connect(service: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=60)


def post(body: bytes, *headers: str) -> bytes:
    """The text of a request, with its length unless the headers say how it comes."""
    lines = ["POST /v1/search HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    if not any(header.startswith("Transfer-Encoding") for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def status(connection: socket.socket) -> int:
    """Of the answer that comes next."""
    return int(connection.makefile("rb").readline().split()[1])


def question(path: Path, queries: int) -> bytes:
    return json.dumps({"queries": [{"image": as_base64(path)}] * queries}).encode()


def test_requests_in_flight_are_finished_when_it_is_stopped(
    folder: Path, album: list[Path]
) -> None:
    """One request is being worked on, one has arrived by half, one connection is idle."""
    body = json.dumps({"image": as_base64(album[0])}).encode()
    work = post(question(album[0], 16)).replace(b"/v1/search", b"/v1/batch/search", 1)
    with running(folder) as service, ExitStack() as stack:
        working, half, idle = (stack.enter_context(connect(service)) for _ in range(3))
        half.sendall(post(body)[:-1000])
        working.sendall(work)
        idle.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status(idle) == 200

        service.process.send_signal(signal.SIGTERM)
        wait_until_closed(service)
        half.sendall(post(body)[-1000:])

        assert status(half) == 200
        assert status(working) == 200
        assert service.process.wait(60) == 0


def wait_until_closed(service: Running) -> None:
    """New connections are refused."""
    for _ in range(600):
        try:
            connect(service).close()
        except OSError:
            return
        time.sleep(0.1)
    raise AssertionError("it still listens")


def test_what_was_acknowledged_is_there_after_a_restart(
    folder: Path, stranger: Path, embedder: Embedder
) -> None:
    with running(folder) as service:
        answer = httpx.post(
            f"{service.address}/v1/images", json={"image": as_base64(stranger)}, timeout=60
        )
        service.process.kill()

    with Gallery.open(folder, embedder) as gallery:
        assert gallery.search(stranger, k=1)[0].id == answer.json()["id"]


def test_a_port_that_is_taken_is_told_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = serve_and_wait(folder, "--port", str(port))

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"kkcv: cannot listen at 127.0.0.1, port {port}: ")
    assert ended.stderr.count("\n") == 1


def test_a_folder_that_is_no_gallery_is_told_in_one_line(tmp_path: Path) -> None:
    ended = serve_and_wait(tmp_path, "--port", "0")

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"kkcv: {tmp_path} is not a gallery")
    assert ended.stderr.count("\n") == 1


def serve_and_wait(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kkcv", "serve", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_until_the_network_is_loaded_it_is_not_ready(
    made_gallery: Path, embedder: Embedder, album: list[Path]
) -> None:
    with Gallery.open(made_gallery, embedder) as gallery:
        service = Service(gallery, Settings(wait_seconds=0.1))
        client = create_app(service).test_client()
        image = {"image": as_base64(album[0])}

        before = [client.get("/readyz"), client.post("/v1/search", json=image)]
        service.load()
        after = [client.get("/readyz"), client.post("/v1/search", json=image)]

    assert client.get("/healthz").status_code == 200
    assert [answer.status_code for answer in before] == [503, 503]
    assert before[0].headers["Retry-After"] == "2"
    assert before[1].json["type"] == "/problems/loading"
    assert [answer.status_code for answer in after] == [200, 200]


def test_a_request_waits_for_the_network_to_be_loaded(
    made_gallery: Path, embedder: Embedder, album: list[Path]
) -> None:
    with Gallery.open(made_gallery, embedder) as gallery:
        service = Service(gallery, Settings())
        client = create_app(service).test_client()
        threading.Timer(0.5, service.load).start()

        answer = client.post("/v1/search", json={"image": as_base64(album[0])})

    assert answer.status_code == 200


def test_when_all_workers_are_taken_the_answer_is_to_try_again(
    made_gallery: Path, embedder: Embedder, album: list[Path]
) -> None:
    with Gallery.open(made_gallery, embedder) as gallery:
        service = Service(gallery, Settings(workers=1, wait_seconds=0.05))
        service.load()
        client = create_app(service).test_client()
        with service.worker():
            busy = client.post("/v1/search", json={"image": as_base64(album[0])})
        free = client.post("/v1/search", json={"image": as_base64(album[0])})

    assert (busy.status_code, busy.json["type"]) == (503, "/problems/busy")
    assert busy.headers["Retry-After"] == "2"
    assert free.status_code == 200


def test_of_many_at_once_each_is_answered_for_itself(
    made_gallery: Path, embedder: Embedder, album: list[Path]
) -> None:
    with Gallery.open(made_gallery, embedder) as gallery:
        service = Service(gallery, Settings(workers=4, batch_wait=0.05))
        service.load()
        client = create_app(service)

        def nearest(path: Path) -> str:
            question = {"image": as_base64(path), "k": 1}
            return client.test_client().post("/v1/search", json=question).json["hits"][0]["path"]

        with ThreadPoolExecutor(len(album)) as pool:
            found = list(pool.map(nearest, album))

    assert found == [str(path) for path in album]


@pytest.fixture
def chunked(album: list[Path]) -> bytes:
    """A search whose body comes in chunks, without its length."""
    body = json.dumps({"image": as_base64(album[0]), "k": 1}).encode()
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return post(chunks, "Transfer-Encoding: chunked")


def test_a_body_in_chunks_is_put_together(service: Running, chunked: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(chunked)

        assert status(connection) == 200


def test_a_body_in_chunks_is_never_cut_at_the_limit(service: Running) -> None:
    """A JSON document in front of too many spaces: cut off, it would look whole."""
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
    with connect(service) as connection:
        connection.sendall(post(b"2\r\n{}\r\n", "Transfer-Encoding: chunked"))
        for _ in range(40):
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")

        assert status(connection) == 413


@pytest.mark.parametrize("size", [33 * MIB, 200 * MIB])
def test_a_client_that_sends_too_much_hears_why(service: Running, size: int) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(size // MIB):
            yield b" " * MIB

    headers = {"Content-Type": "application/json", "Content-Length": str(size)}
    answer = httpx.post(f"{service.address}/v1/search", content=body(), headers=headers)

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/too-large",
        "title": "The body is larger than the limit",
        "status": 413,
        "detail": "the body has more bytes than the limit of the service, 33,554,432",
    }


def test_a_client_that_asks_first_is_not_told_to_send_too_much(service: Running) -> None:
    with connect(service) as connection:
        connection.sendall(
            b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        answer = connection.makefile("rb").read()

    assert answer.split()[1] == b"413"


def test_a_body_of_exactly_the_limit_is_read(service: Running) -> None:
    body = b"{}" + b" " * (32 * MIB - 2)

    answer = httpx.post(
        f"{service.address}/v1/search",
        content=body,
        headers={"Content-Type": "application/json"},
        timeout=60,
    )

    assert answer.json()["detail"] == "image is missing"


@pytest.mark.parametrize(
    ("request_text", "expected", "why"),
    [
        (b"nonsense\r\n\r\n", 400, "Start line is invalid"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 300_000 + b"\r\n\r\n",
            431,
            "the limit of the service",
        ),
        (post(b"", "Transfer-Encoding: gzip"), 501, "chunked"),
        (post(b"zz\r\n", "Transfer-Encoding: chunked"), 400, "Invalid chunk size"),
        (
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
            400,
            "Host was sent more than once",
        ),
        (
            b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "were both sent",
        ),
    ],
    ids=["no request", "long headers", "encoding", "bad chunk", "two hosts", "two lengths"],
)
def test_what_is_no_good_http_is_answered_in_the_same_shape(
    service: Running, request_text: bytes, expected: int, why: str
) -> None:
    with connect(service) as connection:
        connection.sendall(request_text)
        answer = connection.makefile("rb").read()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(expected).encode()
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["status"] == expected
    assert json.loads(body)["detail"].endswith(why)


def test_slow_clients_do_not_keep_others_waiting(service: Running, album: list[Path]) -> None:
    """More of them than the server has threads."""
    with ExitStack() as stack:
        for number in range(64):
            slow = stack.enter_context(connect(service))
            slow.sendall(post(b"x" * 1000)[: 40 + number])

        answer = httpx.post(
            f"{service.address}/v1/search", json={"image": as_base64(album[0])}, timeout=60
        )

    assert answer.status_code == 200


def test_a_client_that_goes_away_harms_nobody(service: Running, album: list[Path]) -> None:
    for size in (10, 2000, -1, None):
        with connect(service) as connection:
            connection.sendall(post(question(album[0], 1))[:size])

    assert httpx.get(f"{service.address}/readyz", timeout=60).status_code == 200


def test_searches_and_adds_at_the_same_time_lose_nothing(
    service: Running, pictures: Path, album: list[Path]
) -> None:
    """Eight clients; each picture is found by the client that added it, and all are there."""
    new = sorted((pictures / "imagenette").glob("*/*"))[::25][:32]
    failures: list[str] = []
    added: list[int] = []

    def work(number: int) -> None:
        with httpx.Client(base_url=service.address, timeout=120) as client:
            for path in new[number::8]:
                answer = client.post("/v1/images", json={"image": as_base64(path)})
                found = client.post("/v1/search", json={"image": as_base64(path), "k": 1})
                old = client.post("/v1/search", json={"image": as_base64(album[0]), "k": 1})
                added.append(answer.json()["id"])
                if (
                    answer.status_code != 201
                    or found.json()["hits"][0]["id"] != answer.json()["id"]
                    or old.json()["hits"][0]["path"] != str(album[0])
                ):
                    failures.append(path.name)

    together(work, 8)
    listed = httpx.get(f"{service.address}/v1/images", params={"limit": 500}).json()["pictures"]
    for id in added:
        httpx.delete(f"{service.address}/v1/images/{id}")

    assert failures == []
    assert len(set(added)) == 32
    assert set(added) <= {p["id"] for p in listed}
    assert len(listed) == len({p["sha256"] for p in listed}) == len(album) + 32


def together(work: Callable[[int], None], times: int) -> None:
    """In threads, to the end of the last."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_same_picture_from_many_clients_is_added_once(service: Running, stranger: Path) -> None:
    answers: list[httpx.Response] = []
    image = {"image": as_base64(stranger)}

    def add(number: int) -> None:
        answers.append(httpx.post(f"{service.address}/v1/images", json=image, timeout=120))

    together(add, 8)
    httpx.delete(f"{service.address}{answers[0].json()['url'].removesuffix('/file')}")

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_request_that_stalls_has_all_the_time_there_is_and_then_an_answer(
    made_gallery: Path,
) -> None:
    """Longer than a connection without a request may be idle."""
    stalled = [
        post(b"x" * 1000)[:-500],
        post(b"5\r\nhello\r\n", "Transfer-Encoding: chunked"),
        post(b"x", "Expect: 100-continue")[:-1],
    ]
    with running(made_gallery, "--timeout", "11") as service, ExitStack() as stack:
        connections = [stack.enter_context(connect(service)) for _ in stalled]
        idle = stack.enter_context(connect(service))
        for connection, sent in zip(connections, stalled, strict=True):
            connection.sendall(sent)
        closed = idle.recv(1)
        answers = [connection.makefile("rb").read() for connection in connections]

    assert closed == b""
    for answer in answers:
        assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").startswith(b"HTTP/1.1 408 ")


def test_a_service_outlives_the_disk_of_its_gallery_and_answers_again_when_it_is_back(
    folder: Path, album: list[Path]
) -> None:
    image = {"image": as_base64(album[0])}
    requests = [
        ("GET", "/readyz", None),
        ("GET", "/v1/stats", None),
        ("GET", "/v1/images", None),
        ("GET", "/v1/images/1/file", None),
        ("GET", "/v1/images/1/thumbnail", None),
        ("GET", "/v1/duplicates", None),
        ("POST", "/v1/search", image),
        ("POST", "/v1/search", {**image, "copies": True}),
        ("POST", "/v1/images", image),
        ("DELETE", "/v1/images/2", None),
    ]

    with (
        running(folder) as service,
        httpx.Client(base_url=service.address, trust_env=False, timeout=60) as http,
    ):
        moved = folder.rename(folder.with_name("moved"))
        away = [http.request(method, path, json=body) for method, path, body in requests]
        folder.mkdir()  # where a disk was mounted, a folder is left
        away += [http.request(method, path, json=body) for method, path, body in requests]
        written = list(folder.iterdir())
        folder.rmdir()
        moved.rename(folder)
        back = [http.request(method, path, json=body) for method, path, body in requests]

    assert {answer.status_code for answer in away} == {503}
    assert {answer.json()["type"] for answer in away} == {"/problems/not-a-gallery"}
    assert str(folder.parent) not in away[0].text  # anybody may ask whether it is ready
    assert written == []
    assert all(answer.is_success for answer in back)


def test_the_key_is_asked_before_the_body_is_read(made_gallery: Path) -> None:
    """So nobody without a key fills memory or the disk; the body here never comes."""
    half = [
        post(b"x" * MIB, *headers)[:-MIB]
        for headers in ([], ["X-API-Key: wrong"], ["Expect: 100-continue"])
    ] + [post(b"", "Transfer-Encoding: chunked")]
    with running(made_gallery, KKCV_API_KEY="secret-key") as service:
        answers = []
        for request in half:
            with connect(service) as connection:
                connection.sendall(request)
                answers.append(connection.makefile("rb").read())
        headers = {"Authorization": "Bearer secret-key"}
        known = httpx.post(f"{service.address}/v1/search", json={}, headers=headers)

    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert b"www-authenticate: bearer" in answer.lower()
        assert b"/problems/unauthorized" in answer
    assert known.status_code == 422


@pytest.mark.slow
def test_a_thousand_requests_that_never_end_do_not_silence_the_health_check(
    made_gallery: Path,
) -> None:
    """They have a minute each; the longest have to go when there are too many."""
    with running(made_gallery) as service, ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(connect(service)).sendall(post(b"x" * 1000)[:-500])

        alive = httpx.get(f"{service.address}/healthz", timeout=30)

    assert alive.status_code == 200


@pytest.mark.parametrize(("name", "limit"), [("ARRIVING", 3), ("HELD", 300)])
def test_what_arrives_beside_too_much_is_told_to_come_back(
    made_gallery: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(server_module, name, limit)
    with Gallery.open(made_gallery, embedder) as gallery, ExitStack() as stack:
        app = create_app(Service(gallery, Settings()))
        server = Server(app, "127.0.0.1", 0, Settings())
        running_server = threading.Thread(target=server.run)
        running_server.start()
        port = server.socket.getsockname()[1]
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(4)
        ]
        for connection in slow:
            connection.sendall(post(b"x" * 1000)[:-900])
            time.sleep(0.05)  # the first has been arriving longest
        answer = slow[0].makefile("rb").read()
        server.stop()
        for connection in slow:
            connection.close()
        running_server.join()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"/problems/busy" in answer
    assert b"retry-after: 2" in answer.lower()
