"""``python -m tests.wheel``: the wheel in an empty environment, and used. ``extras``: each of them.

The core is in one environment; each extra is installed into one of its own that lies over it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .building import ROOT, build, environment, install
from .use import USES

USE = Path(__file__).with_name("use.py")


def use(python: Path, extra: str, place: Path) -> bool:
    """Whether an installed kkcv does what it is for, in a folder of its own."""
    work = place / f"use-{extra}"
    work.mkdir()
    env = {**os.environ, "ROOT": str(ROOT), "KKCV_CACHE": str(place / "cache")}
    done = subprocess.run([python, "-W", "error::ImportWarning", USE, extra], cwd=work, env=env)
    print(f"{'works' if done.returncode == 0 else 'FAILS'}  {extra}", flush=True)
    return done.returncode == 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wheel = build(place / "wheel")
        pip = environment(place / "core")
        install(pip, pip, str(wheel))
        worked = [use(pip, "core", place)]
        for extra in [each for each in USES if each != "core"] if "extras" in sys.argv else []:
            python = environment(place / extra, over=place / "core")
            install(pip, python, f"{wheel}[{extra}]")
            worked.append(use(python, extra, place))
            shutil.rmtree(place / extra)
    return 0 if all(worked) else 1


if __name__ == "__main__":
    sys.exit(main())
