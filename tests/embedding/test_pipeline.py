"""Work ahead in threads, left early."""

import threading
from collections.abc import Iterator

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
