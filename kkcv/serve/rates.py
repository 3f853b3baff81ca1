"""How many requests a key may send: a bucket for each that fills up steadily."""

import threading
import time
from collections.abc import Callable

MINUTE = 60.0


class Rates:
    """Buckets by name. Safe to use from several threads; each process has its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taking = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # what is left, and since when

    def take(self, name: str, a_minute: int) -> float:
        """0.0 and one less in the bucket, or the seconds until there is one again.

        A full bucket has a minute's worth, which may be taken at once. A rate of 0 is no limit.
        """
        if not a_minute:
            return 0.0
        now = self._clock()
        with self._taking:
            left, since = self._buckets.get(name, (float(a_minute), now))
            left = min(float(a_minute), left + (now - since) * a_minute / MINUTE)
            enough = left >= 1
            self._buckets[name] = (left - 1 if enough else left, now)
        return 0.0 if enough else (1 - left) * MINUTE / a_minute
