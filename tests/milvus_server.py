"""Milvus servers for tests: the small one of milvus-lite, and the real one.

``python -m tests.milvus_server [PYTEST ARGUMENTS]`` runs tests against the real one, and with
``--alone`` tests that start it themselves. It listens on every interface: only in a network
namespace of its own, as in ``make test-milvus``.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHOSEN = "KKCV_TEST_MILVUS"  # the address of a server that runs already
SECONDS = 300.0  # for a server to answer; after kill -9 it takes its time
LITE = ("-m", "milvus_lite", "server", "--host", "127.0.0.1")
REAL = ("-c", "from milvus import main; main()")
TICK = 20  # ms: what waits for all that was acknowledged waits for the next; usually 200


@contextmanager
def lite(folder: Path) -> Iterator[str]:
    """``milvus://127.0.0.1:PORT`` of a server that keeps its data in a folder."""
    port = free_port()
    with running(folder, *LITE, "--data-dir", str(folder / "data"), "--port", str(port)):
        yield answering(port)


@contextmanager
def real(folder: Path, tick: int = TICK) -> Iterator[str]:
    port = free_port()
    options = ("--proxy-port", str(port), "--extra-config", f"proxy.timeTickInterval={tick}")
    with running(folder, *REAL, "--data", str(folder / "data"), *options):
        yield answering(port)


@contextmanager
def running(folder: Path, *command: str) -> Iterator[None]:
    """A Python program and all that it starts; its output goes into a file."""
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answering(port: int) -> str:
    """Its address, once it answers."""
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    deadline = time.monotonic() + SECONDS
    while True:
        try:
            client = MilvusClient(f"http://127.0.0.1:{port}", timeout=1, dedicated=True)
            client.list_collections()
            client.close()
            return f"milvus://127.0.0.1:{port}"
        except MilvusException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def has_loopback_only() -> bool:
    return [name for _, name in socket.if_nameindex()] == ["lo"]


def bring_up_loopback() -> None:
    """As ``ip link set lo up``, which is not everywhere."""
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(handle, get_flags, asked))[1]
        fcntl.ioctl(handle, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def main(arguments: list[str]) -> int:
    if not has_loopback_only():
        print("the real server would listen on every interface: make test-milvus", file=sys.stderr)
        return 1
    bring_up_loopback()
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    if arguments[:1] == ["--alone"]:  # they start servers of their own
        return subprocess.run([*pytest, *arguments[1:]]).returncode
    with tempfile.TemporaryDirectory(prefix="kkcv-milvus-") as folder:
        began = time.monotonic()
        with real(Path(folder)) as address:
            print(f"a real Milvus at {address} after {time.monotonic() - began:.1f} s", flush=True)
            tests = subprocess.run([*pytest, *arguments], env={**os.environ, CHOSEN: address})
        print(f"{time.monotonic() - began:.0f} s with the real Milvus", flush=True)
    return tests.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
