"""Downloads of labelled cats and dogs."""

import os
import shutil
from pathlib import Path

from kkcv.errors import DataError
from kkcv.extras import need

KAGGLE = "dogs-vs-cats"  # the competition: 25,000 labelled pictures, 12,500 without labels
SOURCES = ("kaggle", "pets")


def fetch_cats_dogs(folder: str | Path, source: str, *, offline: str = "") -> Path:
    """Labelled cats and dogs below ``folder``, laid out as ``Source`` reads them.

    ``kaggle`` is the competition's set, by kagglehub, which wants an account (its rules must be
    accepted once, in a browser); ``pets`` is Oxford-IIIT Pet (Parkhi et al., CVPR 2012), 7,349
    pictures, by torchvision, which wants none.

    Raises DataError that says what to do by hand; it does if ``offline``, the variable that forbids
    downloads, is not empty; MissingExtra.
    """
    folder = Path(folder)
    by_hand = (
        "by hand: log in at https://www.kaggle.com/c/dogs-vs-cats/data, download, unzip train.zip "
        f"and test1.zip into {folder}, then: kkcv train {folder} --out RUN"
    )
    if source not in SOURCES:
        raise DataError(f"no source {source!r}; there are: {', '.join(SOURCES)}")
    if offline:
        raise DataError(f"{offline} is set, so nothing is fetched; {by_hand}")
    if folder.is_dir() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty; choose another folder")
    need("kagglehub" if source == "kaggle" else "torchvision")
    try:
        if source == "kaggle":
            unpack_kaggle(fetch_kaggle(), folder)
        else:
            arrange_pets(folder, download=True)
    except Exception as error:  # whatever a network, a server or a library makes of it
        shutil.rmtree(folder, ignore_errors=True)
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"the pictures cannot be fetched ({first[:200]}); {by_hand}") from None
    return folder


def fetch_kaggle() -> Path:
    """The folder where kagglehub keeps the competition's zips."""
    import kagglehub

    return Path(kagglehub.competition_download(KAGGLE))


def unpack_kaggle(zips: Path, folder: Path) -> None:
    """``train.zip`` and ``test1.zip`` → ``folder/train/cat.0.jpg`` …, ``folder/test1/1.jpg`` …"""
    for name in ("train.zip", "test1.zip"):
        shutil.unpack_archive(zips / name, folder)


def arrange_pets(folder: Path, *, download: bool) -> None:
    """``folder/{train,test}/{cats,dogs}/``, by the authors' own split; links where they work."""
    from torchvision.datasets import OxfordIIITPet

    kept = folder / "downloaded"
    for part, split in (("train", "trainval"), ("test", "test")):
        pets = OxfordIIITPet(kept, split, target_types="binary-category", download=download)
        for path, label in zip(pets._images, pets._bin_labels, strict=True):
            target = folder / part / ("cats", "dogs")[label] / Path(path).name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except OSError:
                shutil.copyfile(path, target)
    if download:
        shutil.rmtree(kept)
