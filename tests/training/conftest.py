"""Small sets of real pictures, and runs on them."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from kkcv import checkpoint, zoo
from kkcv.training.data.labelled import LabelledData
from kkcv.training.data.source import Source
from kkcv.training.data.split import read_split
from kkcv.training.fit.processes import Processes
from kkcv.training.fit.stages import Fitted, fit
from kkcv.training.recipe import Recipe
from kkcv.training.reporter import QUIET
from kkcv.training.run import job_for, prepare, train
from kkcv.training.run_data import RunData
from kkcv.training.run_folder import RunFolder
from kkcv.training.start import starting_point

LENET = Recipe(model="lenet5_modern", weights="none", epochs=3, batch_size=16, augment="none")


@pytest.fixture(scope="session")
def digits(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 digits: 20 each of 0, 1 and 2."""
    root = tmp_path_factory.mktemp("digits")
    for label in "012":
        (root / label).mkdir()
        for path in sorted((pictures / "digits" / "mnist_png" / label).glob("*.png"))[:20]:
            shutil.copy(path, root / label)
    return root


@pytest.fixture(scope="session")
def cats_dogs(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 cats and dogs to train on, 24 to validate, as links."""
    root = tmp_path_factory.mktemp("cats_dogs")
    for part, count in (("train", 24), ("val", 12)):
        for label in ("cats", "dogs"):
            folder = root / part / label
            folder.mkdir(parents=True)
            for path in sorted((pictures / "cats_dogs" / part / label).iterdir())[:count]:
                (folder / path.name).symlink_to(path)
    return root


@pytest.fixture(scope="session")
def run(cats_dogs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run: EfficientNet-Lite0 at 128 pixels, the head, then its last stage."""
    out = tmp_path_factory.mktemp("runs") / "run"
    train(Source(cats_dogs), Recipe(size=128, unfreeze="1", epochs=1, batch_size=16), out)
    return out


@pytest.fixture
def lenet_weights(tmp_path: Path) -> Path:
    """A local weights file of LeNet-5, for ten classes."""
    path = tmp_path / "lenet.pth"
    torch.manual_seed(7)
    torch.save(zoo.create("lenet5_modern").state_dict(), path)
    return path


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy that a test may damage."""

    def copied(folder: Path) -> Path:
        return Path(shutil.copytree(folder, tmp_path / "copy"))

    return copied


def read_data(path: Path, **options: Any) -> LabelledData:
    """The labelled pictures at a path."""
    return Source(path, **options).read()


def fitted(data: Path, recipe: Recipe, out: Path) -> Fitted:
    """Training alone: nothing is measured, and the folder stays unfinished."""
    folder, base = RunFolder(out), starting_point(recipe)
    folder.begin()
    device = torch.device("cpu")
    prepare(Source(data), recipe, base, folder, device, QUIET, time.monotonic())
    run_data, pictures = RunData.read(folder.data), read_split(folder.split)
    return fit(job_for(folder, recipe, base, run_data, pictures, Processes(), device, QUIET))


def metrics_of(run: Path) -> str:
    return (run / "metrics.csv").read_text()


def weights_of(run: Path, which: str = "best") -> str:
    """The sha256 of a run's weights."""
    return checkpoint.load(run / f"{which}.json").weights_id
