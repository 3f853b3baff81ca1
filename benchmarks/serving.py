"""The service under 1, 8 and 32 clients, beside the same work without HTTP.

    python -m benchmarks.serving PICTURES... [--seconds 5] [--passes 2]

PICTURES of 60 to 120 KB become a gallery, and each question is one of them as base64 in JSON, about
100 KB. ``in process`` decodes, embeds and searches the same pictures as an import does, in batches
on all cores: what the service could reach if HTTP cost nothing. The clients are threads of one
process on the same machine, with keep-alive and questions that are made beforehand; what they use
of the processor the service lacks, so the rates ``by CPU`` count processor time of the service
alone, as if it had all cores. All take turns, and the best pass of each counts.
"""

import argparse
import base64
import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import cycle, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.machine import cores

from .command import existing, pictures_in, run
from .report import report

CLIENTS = (1, 8, 32)
BYTES = (60_000, 120_000)
K = 10


def in_process(folder: Path, paths: list[str]) -> None:
    """A child: a pass for each line of standard input, which says how many seconds."""
    from kkcv.embedding.pipeline import ahead, embed_stream
    from kkcv.search.gallery import Gallery

    files = [Path(path).read_bytes() for path in paths]
    with Gallery.open(folder) as gallery:
        embedder = gallery.embedder

        def turn(questions: Any) -> int:
            done = 0
            for _, vector in embed_stream(embedder, ahead(embedder.prepare, questions)):
                if isinstance(vector, np.ndarray):
                    gallery.search_vector(vector, K)
                    done += 1
            return done

        turn(files)
        print("ready", flush=True)
        for line in sys.stdin:
            began, cpu = time.perf_counter(), time.process_time()
            end = began + float(line)
            done = turn(until(end, cycle(files)))
            wall, used = time.perf_counter() - began, time.process_time() - cpu
            print(json.dumps({"rate": done / wall, "by_cpu": cores() * done / used}), flush=True)


def until(end: float, items: Iterator[bytes]) -> Iterator[bytes]:
    return takewhile(lambda _: time.perf_counter() < end, items)


def question(path: str) -> bytes:
    """A whole request."""
    body = json.dumps({"image": base64.b64encode(Path(path).read_bytes()).decode(), "k": K})
    head = (
        "POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def ask(connection: socket.socket, request: bytes) -> int:
    """The status of the answer, when all of it is there."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
    while len(body) < size:
        body += connection.recv(65536)
    return int(head.split()[1])


def load(
    port: int, pid: int, requests: list[bytes], clients: int, seconds: float
) -> dict[str, Any]:
    """All clients ask one question after the other for so many seconds."""
    took: list[float] = []
    errors: list[int] = []
    began, used = time.perf_counter(), cpu_of(pid)
    end = began + seconds

    def work(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            turn = number
            while (start := time.perf_counter()) < end:
                status = ask(connection, requests[turn % len(requests)])
                took.append(time.perf_counter() - start)
                errors.extend([status] if status != 200 else [])
                turn += clients

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, used = time.perf_counter() - began, cpu_of(pid) - used
    p50, p95, p99 = (1000 * float(q) for q in np.percentile(took, [50, 95, 99]))
    rates = {"rate": len(took) / wall, "by_cpu": cores() * len(took) / used}
    return {**rates, "p50": p50, "p95": p95, "p99": p99, "errors": len(errors)}


def cpu_of(pid: int) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def better(new: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
    """Of two passes the greater rates and the smaller times; errors add up."""
    if old is None:
        return new
    best = {key: (max if key in ("rate", "by_cpu") else min)(new[key], old[key]) for key in new}
    return {**best, "errors": new["errors"] + old["errors"]} if "errors" in new else best


def measure(paths: list[str], seconds: float, passes: int, scratch: Path) -> list[dict[str, Any]]:
    kkcv, folder = [sys.executable, "-m", "kkcv"], scratch / "gallery"
    subprocess.run([*kkcv, "index", str(folder), *paths], check=True, capture_output=True)
    (scratch / "paths.json").write_text(json.dumps(paths))
    child = [sys.executable, "-m", "benchmarks.serving", "child", str(scratch)]
    serve = [*kkcv, "serve", str(folder), "--port", "0", "--quiet"]
    with (
        subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inside,
        subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert inside.stdin
        assert inside.stdout
        assert server.stdout
        inside.stdout.readline()
        port = int(re.search(r":(\d+)", server.stdout.readline())[1])  # type: ignore[index]
        requests = [question(path) for path in paths]
        load(port, server.pid, requests, 8, 2)  # to warm it up
        best: dict[str, Any] = {}
        for _ in range(passes):
            inside.stdin.write(f"{seconds}\n")
            inside.stdin.flush()
            best["in process"] = better(
                json.loads(inside.stdout.readline()), best.get("in process")
            )
            for clients in CLIENTS:
                name = f"HTTP, {clients} client{'s' if clients > 1 else ''}"
                new = load(port, server.pid, requests, clients, seconds)
                best[name] = better(new, best.get(name))
        inside.stdin.close()
        server.terminate()
    floor = best["in process"]
    return [
        {
            "": name,
            "requests/s": each["rate"],
            "to in process": each["rate"] / floor["rate"],
            "by CPU": each["by_cpu"],
            "by CPU, to in process": each["by_cpu"] / floor["by_cpu"],
            **{f"{part} ms": each.get(part) for part in ("p50", "p95", "p99")},
            "errors": each.get("errors"),
        }
        for name, each in best.items()
    ]


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        scratch = Path(sys.argv[2])
        in_process(scratch / "gallery", json.loads((scratch / "paths.json").read_text()))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=existing)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--passes", type=int, default=2)
    options = parser.parse_args()
    low, high = BYTES
    found = [path for path in pictures_in(options.pictures) if low < path.stat().st_size < high]
    if not found:
        raise SystemExit(f"no picture there has {low:,} to {high:,} bytes")
    with tempfile.TemporaryDirectory(prefix="kkcv-serving-") as folder:
        paths = [str(path.resolve()) for path in found]
        rows = measure(paths, options.seconds, options.passes, Path(folder))
    kilobytes = round(sum(4 / 3 * path.stat().st_size for path in found) / len(found) / 1000)
    title = f"{len(found)} pictures, {kilobytes} KB of base64 each on average, EfficientNet-Lite0"
    report("serving", title, rows, ("waitress", "flask", "pydantic"))


if __name__ == "__main__":
    run(main)
