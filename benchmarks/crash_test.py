"""Kill a gallery's writer, take its power away, break its disk: nothing acknowledged may be lost.

    python -m benchmarks.crash_test --short     200 kills, 1,200 power losses (what CI runs)
    python -m benchmarks.crash_test --long      5,000 kills, 10,000 power losses

A writer says what it is about to do, and what is done. After each kill and power loss the gallery
must open, hold what was acknowledged and nothing that was removed, answer searches as brute force
does, have every file and vector bit for bit, and go on; what was being done is done or not, never
half. Power loss is simulated: what SQLite, Python and Faiss write is recorded with its syncs, and
writes that were not synced are kept, dropped or torn at sectors of 512 bytes, names of files that
were not synced are lost. The control does the same with syncing off and must be seen to fail.

The exit code is 1 when anything was lost, or when the control did not fail.
"""

import argparse
import logging
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.crash.faults import full_disk, write_errors
from benchmarks.crash.kills import kills
from benchmarks.crash.power import losses_around_a_backup, power_losses
from benchmarks.crash.result import Result

Task = tuple[Callable[..., Result], tuple]


def tasks(scale: int) -> list[Task]:
    """The short form is of scale 1."""
    return [
        *((kills, (seed, 20)) for seed in range(10 * scale)),
        *((power_losses, (seed, 100)) for seed in range(min(10 * scale, 98))),
        *((losses_around_a_backup, (seed, 100)) for seed in range(min(2 * scale, 10))),
        *((write_errors, (seed,)) for seed in range(8 * scale)),
        (full_disk, (0,)),
        *((without_syncing, (seed, 50)) for seed in range(2)),
    ]


def without_syncing(seed: int, losses: int) -> Result:
    return power_losses(seed, losses, syncing=False)


def run(task: Task) -> Result:
    logging.disable(logging.WARNING)  # damaged indexes are warned of: they are meant
    work, arguments = task
    return work(*arguments)


def run_all(every: list[Task], workers: int) -> dict[str, Result]:
    """The results, by part."""
    results: dict[str, Result] = {}
    context = multiprocessing.get_context("spawn")
    with Progress(console=Console(stderr=True), transient=True) as bar:
        under_way = bar.add_task("harming galleries", total=len(every))
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for done in as_completed([pool.submit(run, task) for task in every]):
                result = done.result()
                known = results.get(result.part)
                results[result.part] = known + result if known else result
                bar.advance(under_way)
    return dict(sorted(results.items()))


def is_control(result: Result) -> bool:
    return "syncing off" in result.part


def failed(result: Result) -> bool:
    return result.bad == 0 if is_control(result) else result.bad > 0


def show(results: dict[str, Result]) -> None:
    table = Table(title="crash test", title_justify="left")
    for name in ("harm", "times", "acknowledged", "lost", "undead", "wrong", "times bad", ""):
        table.add_column(name, justify="left" if name in ("harm", "") else "right")
    for result in results.values():
        kinds = [str(result.problems[kind]) for kind in ("lost", "undead", "wrong")]
        counts = [str(result.trials), str(result.acknowledged), *kinds, str(result.bad)]
        outcome = result.note or ("FAILED" if failed(result) else "as it should be")
        table.add_row(result.part, *counts, outcome)
    Console(width=120).print(table)
    for result in results.values():
        if failed(result):
            print(f"{result.part}:", *result.examples or ["it was to fail"], sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_const", const=1, dest="scale", default=1)
    size.add_argument("--long", action="store_const", const=25, dest="scale")
    parser.add_argument("--workers", type=int, default=2, help="processes at once")
    arguments = parser.parse_args()
    began = time.monotonic()
    results = run_all(tasks(arguments.scale), arguments.workers)
    show(results)
    print(f"{time.monotonic() - began:.0f} seconds")
    if any(map(failed, results.values())):
        sys.exit(1)


if __name__ == "__main__":
    main()
