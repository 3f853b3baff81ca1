"""The license of every package that kkcv brings: ``python -m benchmarks.licenses [EXTRA …]``.

Of the core, or of the core and some extras, with all that those need in turn. Wheels can hold
libraries under licenses of their own: NOTICE names those that ask for more than a copyright notice.
"""

import tomllib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import cast

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def requirements_of(package: str, extra: str) -> list[Requirement]:
    """The packages that a package needs on this machine; none for one that is not installed."""
    if package == "kkcv":  # an installation that is edited may be older
        core, extras = PROJECT["dependencies"], PROJECT["optional-dependencies"]
        return [Requirement(each) for each in (extras[extra] if extra else core)]
    try:
        needs = map(Requirement, distribution(package).requires or [])
    except PackageNotFoundError:
        return []
    return [each for each in needs if not each.marker or each.marker.evaluate({"extra": extra})]


def needed(extras: Iterable[str] = ()) -> list[str]:
    """The names of all packages that kkcv needs, sorted."""
    asked: set[tuple[str, str]] = set()
    waiting = [("kkcv", extra) for extra in ("", *extras)]
    while waiting:
        each = waiting.pop()
        if each not in asked:
            asked.add(each)
            for requirement in requirements_of(*each):
                waiting += [(requirement.name, more) for more in ("", *requirement.extras)]
    return sorted({name.lower() for name, _ in asked} - {"kkcv"})


def license_of(package: str) -> str:
    """In the words of its authors, or by its classifiers; a whole text is cut to its title."""
    about = cast(Message, distribution(package).metadata)  # as it is: its protocol has less
    if said := about.get("License-Expression"):
        return str(said)
    classes = [c for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    named = [c.rpartition(" :: ")[2] for c in classes if not c.endswith(":: OSI Approved")]
    lines = str(about.get("License") or "").strip().splitlines()
    return ", ".join(named) or (lines[0][:60] if lines else "not said")


def extra(name: str) -> str:
    """The type of an argument that names an extra."""
    if name not in (known := PROJECT["optional-dependencies"]):
        raise ArgumentTypeError(f"no extra {name!r}; there are: {', '.join(known)}")
    return name


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("extras", nargs="*", type=extra)
    for name in needed(parser.parse_args().extras):
        try:
            print(f"{name:32} {distribution(name).version:16} {license_of(name)}")
        except PackageNotFoundError:
            print(f"{name:32} is not installed here")


if __name__ == "__main__":
    main()
