"""The container image without a container daemon: ``make image-test`` (Linux, as root).

The Dockerfile's own steps are carried out in a Debian root that debootstrap makes, with Debian's
Python of the same version. The service then runs there as the Dockerfile's user, with the root
read-only and a folder at /data, in a mount namespace of its own.
"""

import argparse
import base64
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from .dockerfile import ROOT, instructions
from .wheel.use import pictures

RELEASE = "bookworm"  # of the image that the Dockerfile begins with; its Python is 3.11 too
PACKAGES = "python3,python3-venv,ca-certificates"
MOST = 900  # MB
KEY = "a-key-of-the-test-of-some-length"
MOUNT = "--mount=type=bind,target=/src,rw"
NOT_IN_SLIM = ("doc", "man", "locale", "info")  # of /usr/share
SERVICE, PAGE = 8000, 8501


def debian(folder: Path) -> None:
    """A Debian with Python in /usr/local, as in Docker's own images of Python."""
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    paths = ["var/cache/apt/archives", "var/lib/apt/lists"]
    for path in [*paths, *(f"usr/share/{name}" for name in NOT_IN_SLIM)]:
        shutil.rmtree(folder / path)
    subprocess.run(["umount", "--quiet", folder / "proc"])  # debootstrap leaves it mounted
    subprocess.run(["chroot", folder, "python3", "-m", "venv", "/usr/local"], check=True)


def build(root: Path) -> dict[str, str]:
    """Carry out the steps of the Dockerfile; the settings of what runs there, by instruction."""
    settings = {"WORKDIR": "/", "USER": "0"}
    for name, rest in instructions():
        if name == "RUN":
            context = root / "src"  # where the step mounts what .dockerignore lets in
            copy_context(context)
            run_step(root, rest.removeprefix(MOUNT), settings["ARG"])
            shutil.rmtree(context)
        elif name == "WORKDIR":
            (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        settings[name] = rest
    return settings


def copy_context(target: Path) -> None:
    target.mkdir()
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        source = ROOT / line.removeprefix("!")
        if line.startswith("!") and source.is_dir():
            shutil.copytree(
                source, target / source.name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif line.startswith("!"):
            shutil.copy(source, target)


def run_step(root: Path, command: str, argument: str) -> None:
    """A step as root, with a build argument, and with this machine's way to the network."""
    lent = [Path("/etc/resolv.conf"), *map(Path, filter(None, [os.environ.get("PIP_CERT")]))]
    with tempfile.TemporaryDirectory() as kept:
        for file in lent:
            here = root / file.relative_to("/")
            if here.exists():
                shutil.copy(here, Path(kept) / file.name)
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, here)
        subprocess.run(
            ["chroot", root, "/bin/sh", "-ec", f"{argument}; {command}"],
            check=True,
            env=with_path(),
        )
        for file in lent:
            here = root / file.relative_to("/")
            before = Path(kept) / file.name
            shutil.copy(before, here) if before.exists() else here.unlink()


def with_path() -> dict[str, str]:
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_C")}
    return {**pip, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}


def megabytes(root: Path) -> int:
    said = subprocess.check_output(["du", "--summarize", "--block-size=1M", "-x", root], text=True)
    return int(said.split()[0])


class Container:
    """Runs commands in a root, as the Dockerfile says."""

    def __init__(self, root: Path, settings: dict[str, str], data: Path, photos: Path) -> None:
        self.root, self.settings = root, settings
        self.volumes = {"/data": data, "/pictures": photos}
        os.chown(data, int(settings["USER"]), int(settings["USER"]))
        (root / "pictures").mkdir(exist_ok=True)

    def command(self, words: Sequence[str]) -> list[str]:
        """In a namespace where the root is read-only, and /data, /tmp and /dev are not."""
        root = shlex.quote(str(self.root))
        mounts = [f"mount --bind -o ro {root} {root}", f"mount -o remount,ro,bind {root}"]
        mounts += [
            f"mount --bind {shlex.quote(str(of))} {root}{at}" for at, of in self.volumes.items()
        ]
        mounts += [f"mount -t tmpfs tmpfs {root}/tmp", f"mount --rbind /dev {root}/dev"]
        mounts += [f"mount -t proc proc {root}/proc"]
        user = self.settings["USER"]
        folder = self.settings["WORKDIR"]
        inside = f"cd {folder} && exec {shlex.join(words)}"
        chroot = f"exec chroot --userspec={user}:{user} {root} /bin/sh -c {shlex.quote(inside)}"
        return ["unshare", "--mount", "/bin/sh", "-ec", " && ".join([*mounts, chroot])]

    @property
    def environment(self) -> dict[str, str]:
        own = dict(word.split("=", 1) for word in self.settings["ENV"].split())
        return {**with_path(), "HOME": "/home/kkcv", "KKCV_API_KEY": KEY, **own}

    def run(self, *words: str) -> str:
        """The output of the image's entry point."""
        entry = json.loads(self.settings["ENTRYPOINT"])
        return subprocess.check_output(
            self.command([*entry, *words]), text=True, env=self.environment
        )

    def healthy(self) -> bool:
        """Whether the HEALTHCHECK of the Dockerfile succeeds."""
        words = json.loads(self.settings["HEALTHCHECK"].partition("CMD")[2])
        done = subprocess.run(self.command(words), env=self.environment, capture_output=True)
        return done.returncode == 0

    @contextmanager
    def running(self, words: Sequence[str]) -> Iterator[None]:
        entry = json.loads(self.settings["ENTRYPOINT"])
        process = subprocess.Popen(
            self.command([*entry, *words]), env=self.environment, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_for(what: str, holds: object) -> None:
    deadline = time.monotonic() + 120
    while not holds():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within two minutes")
        time.sleep(0.5)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def search(picture: Path) -> dict[str, object]:
    """The best hit for a picture, asked over HTTP."""
    body = {"image": base64.b64encode(picture.read_bytes()).decode(), "k": 1}
    request = urllib.request.Request(
        f"http://127.0.0.1:{SERVICE}/v1/search",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
    )
    with urllib.request.urlopen(request) as answer:
        (hit,) = json.load(answer)["hits"]
    return dict(hit)


def use(container: Container, photos: list[Path]) -> None:
    """Index, serve, search, look at the health and at the page."""
    said = container.run("index", "photos.kkcv", "/pictures", "--json")
    assert json.loads(said)["added"] == len(photos), said
    print(f"indexed {len(photos)} pictures")
    with container.running(json.loads(container.settings["CMD"])):
        wait_for("the health check", container.healthy)
        hit = search(photos[3])
        assert str(hit["path"]).endswith(f"{photos[3].parent.name}/{photos[3].name}"), hit
        print("healthy, and finds a picture")
        page = ["web", f"http://127.0.0.1:{SERVICE}", "--insecure", "--no-browser"]
        with container.running(page):
            wait_for("the page", lambda: answers(f"http://127.0.0.1:{PAGE}/_stcore/health"))
            print("the page answers")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--base", type=Path, help="a folder that keeps the Debian for the next time"
    )
    options = parser.parse_args()
    if os.getuid() != 0 or shutil.which("debootstrap") is None:
        print("image-test needs Linux, root and debootstrap (apt-get install debootstrap)")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        base = options.base or place / "base"
        if not base.exists():
            debian(base)
        root = place / "root"
        subprocess.run(["cp", "--archive", base, root], check=True)
        settings = build(root)
        size = megabytes(root)
        print(f"the image has {size} MB, of which Debian and Python are {megabytes(base)}")
        data = place / "data"
        data.mkdir()
        photos = pictures(place / "pictures")
        use(Container(root, settings, data, place / "pictures"), photos)
    return 0 if size <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
