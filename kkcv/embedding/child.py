"""Child processes that prepare and measure networks, and what they say when they fail.

An error that a user can fix is raised in the parent as itself. The child sends it as a marked line
of its standard error, since libraries print what they like on standard output.
"""

import base64
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kkcv.errors import KkcvError, RequestError

REFUSED = 3  # the child's exit status when a line is a pickled KkcvError, behind
MARK = b"kkcv refused: "
KILLED = -9  # for memory, as a rule; a crash has another signal, and comes again


class Interrupted(RequestError):
    """The child was killed, hung, or had no room on the disk: another time it may succeed."""


def run_child(
    module: str,
    *arguments: str,
    stdin: bytes = b"",
    seconds: float | None = None,
    env: Mapping[str, str] | None = None,
) -> bytes:
    """The standard output of ``python -m module``.

    Raises the KkcvError that the child raised; Interrupted after ``seconds``; or RequestError with
    the last line of its standard error.
    """
    # -P: a folder here that is named kkcv, such as the clone, is not the package
    command = [sys.executable, "-P", "-m", module, *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=seconds, env=env)
    except subprocess.TimeoutExpired:
        raise Interrupted(f"{module} hung for {seconds:.0f} seconds") from None
    if done.returncode:
        raise_refusal(done.returncode, done.stderr)
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        kind = Interrupted if done.returncode == KILLED else RequestError
        raise kind(f"{module} ended with {done.returncode}: {said[-1]}")
    return done.stdout


def raise_refusal(status: int, stderr: bytes) -> None:
    """Raise the KkcvError with which a child ended, if it did."""
    if status == REFUSED:
        said = [line for line in stderr.splitlines() if line.startswith(MARK)]
        error = pickle.loads(base64.b64decode(said[-1].removeprefix(MARK))) if said else None
        if isinstance(error, KkcvError):
            raise error


@contextmanager
def as_child() -> Iterator[None]:
    """Around the main part of a child: no warnings, and its KkcvError goes to the parent."""
    warnings.simplefilter("ignore")
    try:
        yield
    except KkcvError as error:
        print((MARK + base64.b64encode(pickle.dumps(error))).decode(), file=sys.stderr)
        sys.exit(REFUSED)
