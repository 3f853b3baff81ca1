"""Work ahead in threads, left early."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from kkcv.embedding.pipeline import ahead


def test_it_may_be_closed_in_one_of_its_own_threads() -> None:
    # the garbage collector runs where it likes, also in a thread of a stream that nobody reads
    others: list[BaseException | None] = []
    left = threading.Event()

    def close(number: int) -> int:
        if number == 1:
            left.wait(10)
            try:
                stream.close()
                others.append(None)
            except RuntimeError as error:
                others.append(error)
        return number

    stream: Iterator[tuple[int, int]] = ahead(close, range(3), threads=2)  # type: ignore[assignment]
    assert next(stream) == (0, 0)
    left.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(10)

    assert others == [None]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="of Linux")
def test_it_has_a_thread_for_each_core_that_the_process_may_use() -> None:
    code = (
        "import os, threading, time\n"
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"  # as taskset and containers do
        "from kkcv.embedding.pipeline import ahead\n"
        "print(len({thread for _, thread in ahead(lambda _: [time.sleep(0.01), "
        "threading.get_ident()][1], range(20))}))"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"
