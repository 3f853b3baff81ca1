"""Limits on what is inside at the same time and on how long it takes; who is invited from afar."""

import base64
import dataclasses
import io
import json
import logging
import re
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

import httpx
import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from kkcv import deadline
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.errors import TimedOut
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile
from kkcv.serve.app import create_app
from kkcv.serve.logs import FORMAT, JsonLines, TextLines
from kkcv.serve.recall import RecallCheck, live_recall
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings

from .conftest import as_base64, running

Make = Callable[..., tuple[Service, FlaskClient]]
PAGE = "https://photos.example"


@pytest.fixture
def make(made_gallery: Path, embedder: Embedder) -> Iterator[Make]:
    """A service with other settings, loaded."""
    with Gallery.open(made_gallery, embedder) as gallery:

        def made(**settings: object) -> tuple[Service, FlaskClient]:
            service = Service(gallery, Settings(**settings))  # type: ignore[arg-type]
            service.load()
            return service, create_app(service).test_client()

        yield made


def test_one_request_too_many_is_told_to_come_back(make: Make) -> None:
    service, client = make(concurrent=1)
    service.enter()

    answer = client.get("/v1/stats")
    alive = client.get("/healthz")
    service.leave()

    assert (answer.status_code, answer.json["type"]) == (503, "/problems/busy")
    assert answer.headers["Retry-After"] == "2"
    assert alive.status_code == 200
    for path in ("/v1/stats", "/v1/images/99", "/no/such"):  # every place is given back
        assert client.get(path).status_code in (200, 404)


def test_one_worker_is_enough_for_every_route(
    folder: Path, embedder: Embedder, album: list[Path], stranger: Path
) -> None:
    """Nothing that has a turn waits for another."""
    image, new = as_base64(album[0]), as_base64(stranger)
    with Gallery.open(folder, embedder) as gallery:
        service = Service(gallery, Settings(workers=1, wait_seconds=0.5))
        service.load()
        client = create_app(service).test_client()
        answers = [
            client.post("/v1/search", json={"image": image}),
            client.post("/v1/search/like", json={"like": [{"image": image}, {"image": new}]}),
            client.put("/v1/images/1", json={"image": new}),
            client.post("/v1/images", json={"image": image}),
            client.post("/v1/batch/search", json={"queries": [{"image": image}, {"image": new}]}),
            client.get("/v1/images/2/thumbnail"),
        ]
        service.close()

    assert [answer.status_code for answer in answers] == [200, 200, 200, 201, 200, 200]


def test_a_picture_as_large_as_this_service_takes_it_is_shown_and_verified_too(
    folder: Path, embedder: Embedder
) -> None:
    """Beyond the 64 MiB of a file that is indexed."""
    body = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (47, 48, 3), np.uint8)
    Image.fromarray(noise).resize((4800, 4700)).save(body, "BMP")
    assert len(body.getvalue()) > DEFAULT_LIMITS.max_bytes
    with Gallery.open(folder, embedder) as gallery:
        service = Service(gallery, Settings(max_body=128 * 1024 * 1024))
        service.load()
        client = create_app(service).test_client()
        added = client.post("/v1/images", data=body.getvalue(), content_type="image/bmp").json
        thumbnail = client.get(added["thumbnail"])
        similar = client.get(f"/v1/images/{added['id']}/similar?verify=true")
        service.close()

    assert (thumbnail.status_code, thumbnail.mimetype) == (200, "image/jpeg")
    assert similar.status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(make: Make, album: list[Path]) -> None:
    _, client = make(timeout=1e-9)

    answer = client.post("/v1/search", json={"image": as_base64(album[0])})

    assert (answer.status_code, answer.json["type"]) == (503, "/problems/timed-out")
    with (
        deadline.within(1e-9),
        pytest.raises(TimedOut, match="took longer than the service allows"),
    ):
        deadline.check()
    deadline.check()


def test_a_filter_that_takes_too_long_is_interrupted(folder: Path, embedder: Embedder) -> None:
    with Gallery.open(folder, embedder) as gallery:
        vector = np.eye(1, gallery.space.dim, dtype=np.float32)[0]
        with gallery.catalog.writing() as writer:
            for number in range(2000):
                file = PictureFile(f"/photos/{number}.jpg", False, bytes(32), 1, 1)
                writer.add(file, vector, {"year": number})
        client = create_app(Service(gallery, Settings(timeout=1e-9))).test_client()
        where = " or ".join(f"year > {n} and year < {n}" for n in range(60))
        answer = client.get("/v1/images", query_string={"where": where})

    assert (answer.status_code, answer.json["type"]) == (503, "/problems/timed-out")
    assert answer.headers["Retry-After"] == "2"


def test_duplicates_that_take_too_long_are_given_up(make: Make) -> None:
    _, client = make(timeout=1e-9)

    answer = client.get("/v1/duplicates")

    assert (answer.status_code, answer.json["type"]) == (503, "/problems/timed-out")
    assert re.match(r"\d+ of 12 pictures were looked at in the time of a ", answer.json["detail"])


def test_duplicates_are_looked_for_by_one_request_at_a_time(make: Make) -> None:
    service, client = make()

    with service.long_work():
        second = client.get("/v1/duplicates")
        search = client.get("/v1/images/1/similar")

    assert (second.status_code, second.json["type"]) == (503, "/problems/busy")
    assert "Retry-After" in second.headers
    assert search.status_code == client.get("/v1/duplicates").status_code == 200


def test_idle_connections_leave_files_for_catalogs(made_gallery: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # the service begins with it
    try:
        with running(made_gallery) as service:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            with ExitStack() as opened:
                for _ in range(300):
                    opened.enter_context(socket.create_connection(("127.0.0.1", service.port)))
                answer = httpx.get(f"{service.address}/v1/images/1/similar", timeout=4)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert answer.status_code == 200


def test_a_request_that_drips_in_is_refused_in_time(made_gallery: Path) -> None:
    """A byte now and then keeps a connection from being idle."""
    head = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    stop = threading.Event()
    with (
        running(made_gallery, "--timeout", "1") as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection,
    ):

        def drip() -> None:
            connection.sendall(head)
            while not stop.wait(0.2):
                connection.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        answer = connection.makefile("rb").read().decode()
        stop.set()
        dripping.join()

    assert answer.startswith("HTTP/1.1 408 ")
    assert "application/problem+json" in answer
    assert "/problems/too-slow" in answer


def test_pages_of_listed_origins_may_call(make: Make) -> None:
    _, client = make(cors=(PAGE,), api_key="secret-key", hosts=None)
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "DELETE"}
    calls = {"Origin": PAGE, "Authorization": "Bearer secret-key"}

    before = client.options("/v1/images/1", headers=asks)
    answer = client.get("/v1/images/1", headers=calls)
    refused = client.get("/v1/images/1", headers={"Origin": PAGE})

    assert before.status_code == 200
    assert "DELETE" in before.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    for each in (before, answer, refused):
        assert each.headers["Access-Control-Allow-Origin"] == PAGE
        assert "Origin" in each.headers["Vary"]
    assert (answer.status_code, refused.status_code) == (200, 401)


def test_without_a_key_a_listed_page_may_change_things_too(make: Make) -> None:
    _, client = make(cors=(PAGE,))

    assert client.delete("/v1/images/99", headers={"Origin": PAGE}).status_code == 404
    assert client.delete("/v1/images/99", headers={"Origin": "https://a"}).status_code == 403


def test_other_pages_are_not_invited(make: Make) -> None:
    _, client = make(cors=(PAGE,), api_key="secret-key", hosts=None)
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}

    for answer in (
        client.options("/v1/images", headers=headers),
        client.get("/v1/images", headers={"Authorization": "Bearer secret-key", **headers}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def samples(client: FlaskClient) -> dict[str, float]:
    """The figures by name and labels, as ``kkcv_requests_total route=search status=200``."""
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    return {
        " ".join([each.name, *(f"{k}={v}" for k, v in sorted(each.labels.items()))]): each.value
        for family in text_string_to_metric_families(answer.text)
        for each in family.samples
    }


def test_prometheus_sees_requests_stages_and_the_gallery(make: Make, album: list[Path]) -> None:
    _, client = make()
    for _ in range(3):
        client.post("/v1/search", json={"image": as_base64(album[0])})
    client.get("/no/such/address")
    client.open("/v1/stats", method="BREW")

    seen = samples(client)

    assert seen["kkcv_requests_total route=search status=200"] == 3
    assert seen["kkcv_requests_total route=none status=404"] == 1
    assert seen["kkcv_requests_total route=none status=405"] == 1
    assert seen["kkcv_request_seconds_count route=search"] == 3
    for stage in ("decode", "embed", "search"):
        assert seen[f"kkcv_stage_seconds_count stage={stage}"] == 3
        assert seen[f"kkcv_stage_seconds_sum stage={stage}"] > 0
    assert seen["kkcv_gallery_pictures gallery=gallery"] == 12
    assert seen["kkcv_requests_inside"] == 1  # this one
    assert seen["kkcv_requests_waiting"] == 0
    assert seen["kkcv_batch_pictures_sum"] == 3
    assert seen["kkcv_run_seconds_total"] > 0
    assert seen["kkcv_pictures_queued"] == 0
    assert seen["kkcv_ready"] == 1
    assert seen["process_resident_memory_bytes"] > 1e6


def test_the_recall_of_the_index_is_measured_now_and_then(
    made_gallery: Path, embedder: Embedder, make: Make
) -> None:
    told: Queue[float] = Queue()
    with Gallery.open(made_gallery, embedder) as gallery:
        check = RecallCheck(gallery, 1, told.put)
        check.start()
        measured = [told.get(timeout=60) for _ in range(2)]
        check.stop()
    service, client = make()

    service.metrics.recall_measured(service.name, measured[0])

    assert measured == [1.0, 1.0]
    assert samples(client)["kkcv_live_recall gallery=gallery"] == 1.0
    assert samples(client)["kkcv_live_recall_time gallery=gallery"] > 1.7e9


def test_an_index_that_finds_other_pictures_is_noticed(tmp_path: Path, embedder: Embedder) -> None:
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(600, embedder.space.dim)).astype(np.float32))
    with Gallery.create(tmp_path / "gallery", embedder) as gallery:
        with gallery.catalog.writing() as writer:
            for n, vector in enumerate(vectors):
                writer.add(PictureFile(f"/{n}.jpg", False, bytes(32), 1, 0), vector, {})
        compared = live_recall(gallery, rng)
        gallery.generation.index.rebuild()
        built = live_recall(gallery, rng)
        index = gallery.generation.index.refreshed()
        wrong = dataclasses.replace(index.snapshot, ids=index.snapshot.ids[::-1])
        index._state = index._state._replace(snapshot=wrong)
        spoiled = live_recall(gallery, rng)

    assert (compared, built) == (1.0, pytest.approx(1.0, abs=0.05))
    assert spoiled < 0.2


def test_the_log_is_json_with_the_request_and_its_stages(
    make: Make, album: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = make(api_key="secret-key", hosts=None)
    caplog.set_level(logging.INFO, "kkcv")
    headers = {"Authorization": "Bearer secret-key", "X-Request-Id": "trace-7"}

    refused = client.get("/v1/images/99", headers=headers)
    unknown = json.loads(JsonLines().format(caplog.records[-1]))
    answer = client.post("/v1/search", json={"image": as_base64(album[0])}, headers=headers)
    line = json.loads(JsonLines().format(caplog.records[-1]))

    assert answer.headers["X-Request-Id"] == line["request_id"] == "trace-7"
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/search", 200)
    assert set(line["stages_ms"]) == {"decode", "embed", "search"}
    assert line["key"] == "api-key"
    assert (refused.status_code, unknown["problem"]) == (404, "unknown-picture")
    assert "problem" not in line
    assert line["ms"] >= sum(line["stages_ms"].values()) - 1
    assert "secret-key" not in json.dumps(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line["time"])


@pytest.mark.parametrize("sent", ["a b", "x" * 65, "a\tb", '"', "ä"])
def test_a_request_id_that_could_forge_a_line_is_replaced(make: Make, sent: str) -> None:
    _, client = make()

    answer = client.get("/healthz", headers={"X-Request-Id": sent})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])


@pytest.mark.parametrize("form", [JsonLines(), TextLines(FORMAT)])
def test_a_path_can_neither_forge_a_line_of_the_log_nor_steer_a_terminal(
    make: Make, caplog: pytest.LogCaptureFixture, form: logging.Formatter
) -> None:
    _, client = make()
    caplog.set_level(logging.INFO, "kkcv")

    client.get("/x%0A2026-01-01%20INFO%20forged%1B%5B2J%C2%9B31m%E2%80%A8%E7%8C%AB")

    line = form.format(caplog.records[-1])
    assert line.isprintable()
    assert "forged" in line
    assert "猫" in line


def test_a_failure_is_logged_with_its_traceback() -> None:
    try:
        raise ValueError("no\nway")
    except ValueError as error:
        record = logging.getLogger("kkcv").makeRecord(
            "kkcv", logging.ERROR, "f", 1, "failed", (), (ValueError, error, error.__traceback__)
        )

    line = JsonLines().format(record)
    lines = TextLines(FORMAT).format(record).split("\n")

    assert lines[1:] == [each for each in lines if each.startswith("    ")]
    assert "\n" not in line
    assert "ValueError: no\nway" in json.loads(line)["exception"]


def test_base64_of_a_picture_is_never_in_the_log(
    make: Make, album: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = make()
    caplog.set_level(logging.INFO, "kkcv")
    image = base64.b64encode(album[0].read_bytes()).decode()

    client.post("/v1/search", json={"image": image, "k": "ten"})

    assert all(image[:40] not in JsonLines().format(record) for record in caplog.records)
