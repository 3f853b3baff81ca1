"""From a folder of pictures to a folder that holds a whole run."""

import json
import re
import resource
import shutil
from collections import Counter
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from kkcv import checkpoint, zoo
from kkcv.classify import Classifier
from kkcv.embedding.embedder import Embedder
from kkcv.errors import (
    CheckpointError,
    DataError,
    InputShapeError,
    RequestError,
    TrainingError,
    WeightsError,
)
from kkcv.images.preprocess import Preprocess
from kkcv.training.data.changes import Changes
from kkcv.training.data.source import Source
from kkcv.training.data.split import fingerprint, read_split
from kkcv.training.finish import next_steps
from kkcv.training.recipe import Recipe
from kkcv.training.run import resume, train
from kkcv.training.run_data import RunData
from kkcv.training.run_folder import RunFolder
from kkcv.training.start import starting_point

from .conftest import LENET, metrics_of, read_data, weights_of


def test_a_finished_run_holds_all_that_it_should(run):
    files = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}

    assert files >= {
        "best.json", "best.safetensors", "last.json", "last.safetensors", "recipe.json",
        "split.csv", "data.json", "metrics.csv", "evaluation.json", "predictions.csv",
        "report.html", "plots/loss-and-accuracy.png", "plots/confusion-matrix.png",
        "plots/roc-and-precision-recall.png", "plots/reliability.png",
    }  # fmt: skip
    assert any("events.out.tfevents" in file for file in files)
    assert not (run / "unfinished").exists()
    assert not [file for file in files if file.endswith(".part")]


def test_the_checkpoint_says_what_it_is_and_where_it_comes_from(run):
    facts = json.loads((run / "best.json").read_text())

    assert list(facts) == [
        "format", "network", "trained_in", "classes", "preprocess", "sha256",
        "temperature", "tta", "metrics", "best", "backbone", "data", "recipe",
        "command", "finished", "seconds", "hardware", "versions", "weights_of", "whole",
    ]  # fmt: skip
    assert list(facts["best"]) == ["stage", "epoch", "chosen_by"]
    assert list(facts["backbone"]) == ["of", "weights", "trained"]
    assert list(facts["data"]) == ["fingerprint", "source", "changes"]
    assert json.loads((run / "recipe.json").read_text()) == facts["recipe"]
    assert (facts["weights_of"], facts["data"]["changes"]) == ("best", [])
    assert facts["network"] == "efficientnet_lite0"
    assert facts["classes"] == ["cats", "dogs"]
    assert facts["preprocess"]["size"] == [128, 128]
    assert facts["metrics"]["part"] == "val"
    assert facts["metrics"]["pictures"] == 24
    assert re.fullmatch("[0-9a-f]{64}", facts["data"]["fingerprint"])
    assert Recipe.from_dict(facts["recipe"]).unfreeze == "1"
    assert facts["versions"]["torch"] == version("torch")


def test_the_data_of_a_run_that_began_with_an_older_kkcv_are_read(run, tmp_path):
    facts = json.loads((run / "data.json").read_text())
    del facts["report"]["loose"]  # not listed then
    (tmp_path / "data.json").write_text(json.dumps(facts))

    assert RunData.read(tmp_path / "data.json").report.loose == []


def test_even_a_small_run_tells_cats_from_dogs(run):
    evaluation = json.loads((run / "evaluation.json").read_text())

    assert evaluation["parts"]["val"]["accuracy"] >= 0.85


def test_stages_follow_each_other_in_the_table(run):
    stages = [line.split(",")[0] for line in (run / "metrics.csv").read_text().splitlines()]

    assert Counter(stages[1:]) == {"head": 20, "last 1": 1}


def test_a_run_classifies_with_its_temperature(run, pictures):
    classifier = Classifier.load(str(run))
    dog = pictures / "cats_dogs/val/dogs/dog.1.jpg"
    dog = dog if dog.exists() else sorted(dog.parent.iterdir())[0]

    guesses = classifier.classify(dog, top=2)

    rows = dict(line.split(",", 1) for line in (run / "predictions.csv").read_text().splitlines())
    row = rows[f"val/dogs/{dog.name}"].split(",")
    by_label = {guess.label: guess.probability for guess in guesses}
    assert [by_label["cats"], by_label["dogs"]] == pytest.approx(
        [float(x) for x in row[3:]], abs=2e-4
    )


def test_a_run_embeds_for_the_search(run, pictures):
    embedder = Embedder.load(str(run), runtime="pytorch")

    vector = embedder.embed_picture(sorted((pictures / "cats_dogs/val/cats").iterdir())[0])

    assert vector.shape == (1280,)
    assert embedder.space.weights == weights_of(run)


def test_the_split_is_written_out_and_is_that_of_the_data(run, cats_dogs):
    written = read_split(run / "split.csv")

    assert {p[:3] for p in written} == {p[:3] for p in read_data(cats_dogs).pictures}


@pytest.mark.slow
def test_a_resnet50_trains_from_a_local_weights_file(cats_dogs, tmp_path):
    torch.manual_seed(0)
    torch.save(zoo.create("resnet50").state_dict(), tmp_path / "resnet50.pth")
    recipe = Recipe(
        model="resnet50",
        weights=str(tmp_path / "resnet50.pth"),
        size=64,
        head_epochs=1,
        unfreeze="1",
        epochs=1,
        batch_size=16,
    )

    train(Source(cats_dogs), recipe, tmp_path / "run")

    trained = checkpoint.load(tmp_path / "run/last.json").build().state_dict()
    before = zoo.create("resnet50", tmp_path / "resnet50.pth").state_dict()
    moved = {
        k.split(".")[1]
        for k in before
        if k.startswith("stages.") and not torch.equal(before[k], trained[k])
    }
    assert moved == {"conv5_x"}


def test_training_goes_on_from_an_earlier_run(run, cats_dogs, tmp_path):
    recipe = Recipe(model=str(run), head_epochs=1)

    train(Source(cats_dogs), recipe, tmp_path / "again")

    first, second = (
        checkpoint.load(each).build().state_dict() for each in (run, tmp_path / "again")
    )
    assert all(torch.equal(first[k], second[k]) for k in first if k.startswith("stages."))
    assert (first["head.fc.weight"] - second["head.fc.weight"]).norm() < 0.5


def test_unlabelled_pictures_become_a_submission(pictures, tmp_path):
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    (data / "test1").mkdir()
    for label in ("cat", "dog"):
        for i, path in enumerate(sorted((pictures / f"cats_dogs/train/{label}s").iterdir())[:12]):
            (data / "train" / f"{label}.{i}.jpg").symlink_to(path)
    for i, path in enumerate(sorted((pictures / "cats_dogs/val/dogs").iterdir())[:10], 1):
        (data / "test1" / f"{i}.jpg").symlink_to(path)
    (data / "test1/11.jpg").write_text("woof")

    train(Source(data), Recipe(size=96, head_epochs=2, batch_size=8), tmp_path / "run")

    rows = [line.split(",") for line in (tmp_path / "run/submission.csv").read_text().splitlines()]
    assert rows[0] == ["id", "label"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(1, 12)]
    assert all(0.005 <= float(row[1]) <= 0.995 for row in rows[1:])
    assert rows[11] == ["11", "0.500000"]


def test_damaged_pictures_are_left_out_and_reported(digits, copy_of, tmp_path):
    root = copy_of(digits)
    (root / "0/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    said = []

    train(Source(root), LENET, tmp_path / "run", voice(said))

    assert any(re.search(r"left out, unreadable: 0/broken\.png: .* \[\w+\]", line) for line in said)
    assert "broken" not in (tmp_path / "run/split.csv").read_text()
    report = json.loads((tmp_path / "run/data.json").read_text())["report"]
    assert [each["path"] for each in report["unreadable"]] == ["0/broken.png"]


def voice(said):
    from kkcv.training.reporter import Reporter

    return Reporter(say=said.append)


def test_a_picture_that_breaks_while_training_ends_the_run(digits, copy_of, tmp_path):
    root = copy_of(digits)
    victim = sorted((root / "1").iterdir())[3]

    def breaks(what, done, total):
        if what.startswith("all") and done == 3:
            victim.write_bytes(b"")

    from kkcv.training.reporter import Reporter

    with pytest.raises(TrainingError, match=f"a picture has become unreadable: .*{victim.name}"):
        train(Source(root), LENET, tmp_path / "run", Reporter(show=breaks))

    assert not (tmp_path / "run/best.json").exists()


@pytest.mark.parametrize(
    ("recipe", "error", "message"),
    [
        (Recipe(model="resnet51"), Exception, "no network 'resnet51' in the zoo"),
        (Recipe(weights="none.pth"), WeightsError, "no weights file none.pth"),
        (
            Recipe(model="lenet5_modern", weights="none", size=64),
            InputShapeError,
            "exactly 32x32",
        ),
        (
            Recipe(model="lenet5_1998", weights="none", unfreeze="none"),
            TrainingError,
            "nothing to learn",
        ),
        (Recipe(device="cpu", precision="16"), TrainingError, "precision 16 needs a GPU (cuda)"),
        (
            Recipe(device="abacus"),
            RequestError,
            "no device 'abacus' on this machine; there are: cpu",
        ),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_is_written(
    recipe, error, message, cats_dogs, tmp_path
):
    with pytest.raises(error, match=re.escape(message)):
        train(Source(cats_dogs), recipe, tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_data_that_cannot_be_trained_on_leave_no_folder(tmp_path):
    (tmp_path / "data/cats").mkdir(parents=True)

    with pytest.raises(DataError):
        train(Source(tmp_path / "data"), LENET, tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_weights_of_another_network_are_refused(cats_dogs, lenet_weights, tmp_path):
    recipe = Recipe(model="resnet18", weights=str(lenet_weights))

    with pytest.raises(WeightsError, match=r"lenet\.pth does not fit resnet18"):
        train(Source(cats_dogs), recipe, tmp_path / "run")


def test_a_run_whose_weights_are_anothers_is_refused(run, copy_of):
    other = copy_of(run)
    facts = json.loads((other / "best.json").read_text())
    (other / "best.json").write_text(json.dumps(facts | {"network": "resnet18"}))

    with pytest.raises(WeightsError, match=r"best\.safetensors does not fit resnet18"):
        checkpoint.load(other).build()


def test_a_run_takes_no_weights_beside_its_own(run, lenet_weights):
    with pytest.raises(WeightsError, match="has weights of its own; leave out the weights"):
        checkpoint.resolve(str(run), str(lenet_weights))


def test_a_finished_run_is_not_trained_over(run, cats_dogs):
    with pytest.raises(TrainingError, match="holds a finished run; choose another folder"):
        train(Source(cats_dogs), LENET, run)
    with pytest.raises(TrainingError, match="holds a finished run; there is nothing to resume"):
        resume(Source(cats_dogs), run, {})


def test_a_folder_with_other_things_is_left_alone(digits, tmp_path):
    (tmp_path / "letter.txt").touch()

    with pytest.raises(TrainingError, match="is not empty; choose another folder for the run"):
        train(Source(digits), LENET, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.fixture
def full_disk():
    """No file may grow over 100 kB: a full disk, for all but small files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))

    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_clear_error_and_the_run_can_go_on(digits, tmp_path, full_disk, request):
    said = []
    full_disk()

    with pytest.raises(TrainingError) as caught:
        train(Source(digits), LENET, tmp_path / "run", voice(said))
    unfinished = sorted(p.name for p in (tmp_path / "run/unfinished").iterdir())
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "run")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
    with pytest.raises(TrainingError, match="is not finished; go on with --resume, or remove it"):
        train(Source(digits), LENET, tmp_path / "run")
    resume(Source(digits), tmp_path / "run", {})

    assert re.search(
        r"resume\.ckpt cannot be written \(.+\); .*go on with --resume", str(caught.value)
    )
    assert not [name for name in unfinished if name.endswith(".part")]
    assert checkpoint.load(tmp_path / "run").classes == ("0", "1", "2")


def test_a_disk_that_is_full_at_the_very_end_leaves_no_finished_looking_run(
    digits, tmp_path, full_disk
):
    from kkcv.training.reporter import Reporter

    def fill(line):
        if line.startswith("val"):
            full_disk()

    with pytest.raises(TrainingError, match=r"cannot be written \(.+\)"):
        train(Source(digits), LENET, tmp_path / "run", Reporter(say=fill))

    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "run")
    assert (tmp_path / "run/unfinished/resume.ckpt").is_file()


def test_a_run_is_not_resumed_with_other_settings(digits, tmp_path):
    stopped(digits, tmp_path / "run")

    with pytest.raises(TrainingError) as caught:
        resume(Source(digits), tmp_path / "run", {"epochs": 9})

    assert str(caught.value) == (
        f"{tmp_path / 'run'} was begun otherwise: epochs 9 here, 3 there in the run"
    )


def stopped(data, out, after="all"):
    """A run that somebody has stopped in its first epoch, or later."""
    from kkcv.training.reporter import Reporter

    def stop(what, done, total):
        if what.startswith(after):
            raise KeyboardInterrupt

    source = data if isinstance(data, Source) else Source(data)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(source, LENET, out, Reporter(show=stop))


def replace_one(root):
    victim, other = sorted((root / "1").iterdir())[:2]
    shutil.copy(other, victim)


def add_one(root):
    shutil.copy(sorted((root / "2").iterdir())[0], root / "2" / "zz.png")


def remove_one(root):
    sorted((root / "1").iterdir())[0].unlink()


def move_one(root):
    victim = sorted((root / "1").iterdir())[0]
    victim.rename(root / "2" / victim.name)


CHANGES = [
    (replace_one, r"1 replaced \(1/.*\.png\);"),
    (add_one, r"1 added \(2/zz\.png\);"),
    (remove_one, r"1 gone \(1/.*\.png\);"),
    (move_one, r"1 added \(2/.*\.png\), 1 gone \(1/.*\.png\);"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_a_run_is_not_resumed_on_other_pictures(digits, copy_of, tmp_path, change, message):
    root = copy_of(digits)
    stopped(root, tmp_path / "run")
    change(root)

    with pytest.raises(TrainingError, match=f"has changed since the run in .* began: {message}"):
        resume(Source(root), tmp_path / "run", {})


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_accepted_changes_are_trained_on_and_recorded(digits, copy_of, tmp_path, change, message):
    root = copy_of(digits)
    stopped(root, tmp_path / "run", after="all: epoch 2")
    before = json.loads((tmp_path / "run/data.json").read_text())
    change(root)

    resume(Source(root), tmp_path / "run", {}, accept_changes=True)

    facts = json.loads((tmp_path / "run/best.json").read_text())["data"]
    pictures = read_split(tmp_path / "run/split.csv")
    assert facts["fingerprint"] == fingerprint(pictures) != before["fingerprint"]
    assert {p.path for p in pictures} == {p.path for p in read_data(root).pictures}
    assert re.match(message, str(Changes(**facts["changes"][0])) + ";")
    epochs = [line.split(",")[1] for line in metrics_of(tmp_path / "run").splitlines()[1:]]
    assert epochs == ["0", "1", "2"]  # the interrupted stage starts again


def test_a_table_that_gives_a_picture_another_label_is_noticed(digits, tmp_path):
    table = tmp_path / "digits.csv"
    rows = [
        f"{path.relative_to(digits)},{path.parent.name}" for path in sorted(digits.rglob("*.png"))
    ]
    table.write_text("\n".join(["path,label", *rows]))
    source = Source(table, root=digits)
    stopped(source, tmp_path / "run")
    table.write_text("\n".join(["path,label", rows[0][:-1] + "2", *rows[1:]]))

    with pytest.raises(TrainingError, match=r"began: 1 relabelled \(0/.*\.png\);"):
        resume(source, tmp_path / "run", {})
    resume(source, tmp_path / "run", {}, accept_changes=True)

    changes = json.loads((tmp_path / "run/best.json").read_text())["data"]["changes"]
    assert [each["relabelled"] for each in changes] == [[rows[0].split(",")[0]]]
    assert read_split(tmp_path / "run/split.csv")[0].label == "2"


def test_a_class_cannot_join_a_run(digits, copy_of, tmp_path):
    root = copy_of(digits)
    stopped(root, tmp_path / "run")
    shutil.copytree(root / "1", root / "7")

    with pytest.raises(DataError, match=r"has not the classes that the run began with .*: 7\)"):
        resume(Source(root), tmp_path / "run", {}, accept_changes=True)


def test_there_is_nothing_to_resume_in_an_empty_folder(digits, tmp_path):
    with pytest.raises(TrainingError, match="holds no run that could be resumed"):
        resume(Source(digits), tmp_path, {})


def test_the_preprocessing_is_that_of_the_weights(run):
    base = checkpoint.pretrained().preprocess
    found = checkpoint.load(run).preprocess

    assert found == Preprocess((128, 128), 146, base.interpolation, base.mean, base.std)


def test_predictions_are_probabilities_of_every_picture(run):
    rows = [line.split(",") for line in (run / "predictions.csv").read_text().splitlines()[1:]]

    assert Counter(row[1] for row in rows) == {"train": 48, "val": 24}
    assert np.array([row[4:] for row in rows], float).sum(1) == pytest.approx(np.ones(72), abs=2e-6)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "only the head was trained: a search with this run finds what"),
        (
            {"unfreeze": "1"},
            "no epoch of fine-tuning was better than the head alone, which is kept",
        ),
        ({"size": 288}, "only the head was trained: a search with this run is one with"),
    ],
)
def test_a_run_of_the_head_alone_says_what_a_search_with_it_finds(tmp_path, settings, said):
    recipe = Recipe(**settings)
    job = SimpleNamespace(recipe=recipe, base=starting_point(recipe))

    steps = next_steps(RunFolder(tmp_path), job, job.base, trained=False)

    assert said in steps[-1]
    assert any("kkcv reindex" in step for step in steps) == bool(recipe.size)
