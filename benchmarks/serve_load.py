"""Many clients of a service at once.

python -m benchmarks.serve_load ADDRESS FOLDER [--clients 32] [--seconds 60]

Each client searches with random pictures of the folder, and every tenth request adds one that was
not there (its bytes end with a number). At the end every acknowledged picture must be the first hit
for itself; then it is removed.
"""

import argparse
import random
import statistics
import threading
import time

from benchmarks.command import existing, run
from kkcv.client import Client
from kkcv.errors import KkcvError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=existing)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    files = [path.read_bytes() for path in sorted(options.folder.rglob("*.jp*g"))[:500]]
    client = Client(options.address)
    client.stats()  # a service that is not there is said at once
    seconds: list[float] = []
    added: list[tuple[int, bytes]] = []
    errors: list[str] = []
    end = time.monotonic() + options.seconds

    def work(number: int) -> None:
        rng = random.Random(number)
        turn = 0
        while time.monotonic() < end:
            turn += 1
            data = rng.choice(files)
            started = time.monotonic()
            try:
                if turn % 10 == 0:
                    data += f"{number}-{turn}".encode()
                    added.append((client.add(data).id, data))
                else:
                    client.search(data, k=10)
            except KkcvError as error:
                errors.append(str(error))
            seconds.append(time.monotonic() - started)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = 0
    for id, data in added:
        lost += id not in [hit.id for hit in client.search(data, k=1000) if hit.score > 0.999]
        client.remove(id)
    parts = statistics.quantiles(seconds, n=100)
    print(
        f"{options.clients} clients, {options.seconds:g} s: {len(seconds)} requests, "
        f"{len(seconds) / options.seconds:.0f}/s, p50 {parts[49] * 1000:.0f} ms, "
        f"p95 {parts[94] * 1000:.0f} ms, {len(errors)} errors, {len(added)} added, {lost} lost"
    )
    for error in sorted(set(errors)):
        print(error)


if __name__ == "__main__":
    run(main)
