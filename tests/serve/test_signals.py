"""A service that is told to read its settings again, and one that is replaced under its clients."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from kkcv.client import Client
from kkcv.errors import ServiceError
from kkcv.serve.keys import add_key

from .conftest import Running, running


def until(question: object, answer: object, seconds: float = 10) -> object:
    """The answer of the question as soon as it is this one, else the last."""
    latest = time.monotonic() + seconds
    while (found := question()) != answer and time.monotonic() < latest:  # type: ignore[operator]
        time.sleep(0.05)
    return found


def test_sighup_takes_the_settings_again(made_gallery: Path, tmp_path: Path) -> None:
    file, keys = tmp_path / "kkcv.toml", tmp_path / "keys.json"
    token = add_key(keys, "phone", "read", None)
    file.write_text("[serve]\nmax_body = 32\n")
    with running(made_gallery, "--config", str(file)) as service:

        def status() -> int:
            sent = {"Authorization": f"Bearer {token}"}
            return httpx.get(f"{service.address}/v1/stats", headers=sent).status_code

        def anonymous() -> int:
            return httpx.get(f"{service.address}/v1/stats").status_code

        assert anonymous() == 200
        file.write_text(f'[serve]\nkeys = "{keys}"\n')
        service.process.send_signal(signal.SIGHUP)
        assert until(anonymous, 401) == 401
        assert status() == 200
        file.write_text("[serve]\nnonsense = 1\n")
        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert (status(), anonymous()) == (200, 401)  # nothing changed
        assert service.stop() == 0


def test_a_key_for_metrics_reads_metrics_alone(made_gallery: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    tokens = {scope: add_key(keys, scope, scope, None) for scope in ("metrics", "read")}
    with running(made_gallery, "--keys", str(keys)) as service:

        def status(scope: str, path: str) -> int:
            sent = {"X-API-Key": tokens[scope]}
            return httpx.get(f"{service.address}{path}", headers=sent).status_code

        assert status("metrics", "/metrics") == 200
        assert status("metrics", "/v1/stats") == 403
        assert status("metrics", "/v1/images/1/file") == 403
        assert status("read", "/metrics") == 200


def served(folder: Path, listening: socket.socket) -> "subprocess.Popen[str]":
    """A service that listens at a socket of ours, as systemd hands one over; it is ready."""
    start = f"exec 3<&{listening.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "
    process = subprocess.Popen(
        ["bash", "-c", f"{start} {sys.executable} -m kkcv serve {folder} --quiet"],
        pass_fds=[listening.fileno()],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert "serving" in process.stdout.readline()
    return process


def test_a_restart_with_a_handed_over_socket_refuses_no_request(made_gallery: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = served(made_gallery, listening)
        stopped, answered, failed = threading.Event(), [], []

        def ask() -> None:
            client = Client(address, timeout=60)
            while not stopped.is_set():
                try:
                    answered.append(len(client.search_id(1, k=3)))
                except ServiceError as error:
                    failed.append(str(error))

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        for _ in range(2):
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            assert process.returncode == 0
            process = served(made_gallery, listening)
        time.sleep(0.3)
        stopped.set()
        for thread in asking:
            thread.join()
        process.terminate()
        process.communicate(timeout=60)

    assert not failed
    assert len(answered) > 20
    assert set(answered) == {3}


def test_the_client_waits_as_long_as_it_is_told(made_gallery: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    token = add_key(keys, "slow", "read", 60)  # one a second, once the first sixty are spent
    with running(made_gallery, "--keys", str(keys)) as service:
        patient = Client(service.address, api_key=token, timeout=30)
        hurried = Client(service.address, api_key=token, timeout=0.5)

        began = time.monotonic()
        assert [patient.count() for _ in range(62)] == [12] * 62
        assert time.monotonic() - began > 1
        with pytest.raises(ServiceError, match="may send 60 requests a minute"):
            hurried.count()


def test_batches_of_any_size_are_split(service: Running, album: list[Path]) -> None:
    client = Client(service.address)
    pictures = [album[number % len(album)] for number in range(35)]

    found = client.search_batch(pictures, k=1)
    added = client.add_many([(picture, {}) for picture in pictures])

    assert [hits[0].path for hits in found] == [str(picture) for picture in pictures]
    assert [picture.path for picture in added] == [str(picture) for picture in pictures]
