"""Changes to files below folders, as the system reports them, or by looking again and again."""

import logging
import queue
import threading
from collections.abc import Iterable

from watchfiles import watch

from .identity import is_below, mounted

log = logging.getLogger(__name__)
QUIET = 500  # milliseconds without a change after which changes are reported
PAUSE = 5.0  # seconds between two looks at everything, where names cannot be reported
LOOK_AGAIN = 2000  # milliseconds between two looks, where the system tells nothing
# Looking compares times in whole seconds, so it misses a file that changes again within one: what
# has changed is reported twice, the second time when its second is over.
SECOND = 1.1
# File systems that tell nothing of what other machines do.
SILENT = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs"),
        *("9p", "virtiofs", "vboxsf", "prl_fs", "drvfs"),  # of the host, in a virtual machine
    }
)


def tells_nothing(folder: str) -> bool:
    """Whether a folder is on a network disk, or on one of the host of a virtual machine."""
    kind = mounted(folder)
    return kind in SILENT or kind.startswith("fuse.")


class Changes:
    """The paths below some folders that have changed, until ``close``.

    Threads collect them, so that nothing is lost while others are worked on.
    """

    def __init__(self, folders: Iterable[str], poll: bool = False) -> None:
        """``poll``: look again and again also where the system tells."""
        self._queue: queue.Queue[set[str]] = queue.Queue()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        outer = outermost(folders)
        polled = [folder for folder in outer if poll or tells_nothing(folder)]
        told = [folder for folder in outer if folder not in polled]
        for some, by_looking in ((told, False), (polled, True)):
            if some:
                ready = threading.Event()
                thread = threading.Thread(
                    target=self._collect, args=(some, by_looking, ready), daemon=True
                )
                thread.start()
                self._threads.append(thread)
                ready.wait()

    def next(self, seconds: float) -> set[str]:
        """The paths that have changed since the last call; perhaps none after so many seconds."""
        found: set[str] = set()
        try:
            found |= self._queue.get(timeout=seconds)
            while True:
                found |= self._queue.get_nowait()
        except queue.Empty:
            return found

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _collect(self, folders: list[str], by_looking: bool, ready: threading.Event) -> None:
        unseen: set[str] = set()
        try:
            while not self._stop.is_set():
                try:
                    self._watch(folders, by_looking, ready, unseen)
                except RuntimeError:  # watchfiles has no words for a name that is not UTF-8
                    ready.set()
                    unseen = set(folders)  # so all is looked at, also once it is watched again
                    self._queue.put(unseen)
                    self._stop.wait(PAUSE)
                except OSError as error:
                    if by_looking:
                        log.warning("%s cannot be watched: %s", ", ".join(folders), error)
                        return
                    log.warning(
                        "the system cannot tell of changes (%s): they are looked for", error
                    )
                    by_looking, unseen = True, set(folders)
        finally:
            ready.set()

    def _watch(
        self, folders: list[str], by_looking: bool, ready: threading.Event, unseen: set[str]
    ) -> None:
        """Until ``close`` (OSError, RuntimeError); ``unseen`` may have changed before."""
        for changes in watch(
            *folders,
            watch_filter=None,
            debounce=QUIET,
            rust_timeout=QUIET,
            yield_on_timeout=True,  # the first time says that it has begun
            stop_event=self._stop,
            raise_interrupt=False,
            force_polling=by_looking or None,
            poll_delay_ms=LOOK_AGAIN,
            ignore_permission_denied=True,
        ):
            ready.set()
            if found := unseen | {path for _, path in changes}:
                self._queue.put(found)
                if by_looking:
                    again = threading.Timer(SECOND, self._queue.put, (found,))
                    again.daemon = True
                    again.start()
            unseen = set()


def outermost(folders: Iterable[str]) -> list[str]:
    """Without those that are in another one."""
    kept: list[str] = []
    for folder in sorted(set(folders)):
        if not any(is_below(folder, other) for other in kept):
            kept.append(folder)
    return kept
