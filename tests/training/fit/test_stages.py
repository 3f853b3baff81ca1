"""Training goes on where it was killed, and is the same however the work is shared."""

import dataclasses
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from kkcv import checkpoint, zoo
from kkcv.errors import TrainingError
from kkcv.training.data.source import Source
from kkcv.training.fit.batches import Batch
from kkcv.training.fit.callbacks import load
from kkcv.training.fit.classifier import AUXILIARY_WEIGHTS, Classifier, rate_at
from kkcv.training.fit.network import network_for
from kkcv.training.fit.progress import Progress
from kkcv.training.fit.trainer import class_weights
from kkcv.training.plan import stages
from kkcv.training.recipe import Recipe
from kkcv.training.run import resume, train
from kkcv.training.start import starting_point
from kkcv.zoo.registry import FAMILIES
from tests.training.conftest import LENET, fitted, metrics_of, weights_of

# All that a resume point must hold: averaged weights, momentum, parts of a step, random choices.
EVERYTHING = dataclasses.replace(
    LENET, ema=0.9, mixup=0.3, augment="light", accumulate=2, patience=9, save_minutes=0.0
)

KILLED = """
import json, os, signal, sys
from pathlib import Path
from kkcv.training.data.source import Source
from kkcv.training.recipe import Recipe
from kkcv.training.reporter import Reporter
from kkcv.training.run import train

data, out, settings, last = sys.argv[1:]

def show(what, done, total):
    if what.startswith("all") and done == int(last):
        os.kill(os.getpid(), signal.SIGKILL)

train(Source(Path(data)), Recipe(**json.loads(settings)), out, Reporter(show=show))
"""


@pytest.mark.parametrize("last_step", [4])  # of 6, two an epoch are left out: the second of three
def test_a_run_killed_in_mid_epoch_ends_as_if_it_had_not_been(digits, tmp_path, last_step):
    train(Source(digits), EVERYTHING, tmp_path / "whole")
    settings = json.dumps(EVERYTHING.to_dict())
    command = [sys.executable, "-c", KILLED, digits, tmp_path / "killed", settings, str(last_step)]

    killed = subprocess.run(command, capture_output=True)
    left_unfinished = (tmp_path / "killed/unfinished/resume.ckpt").is_file()
    looks_finished = (tmp_path / "killed/best.json").exists()
    resume(Source(digits), tmp_path / "killed", {})

    assert killed.returncode == -9, killed.stderr
    assert left_unfinished
    assert not looks_finished
    assert metrics_of(tmp_path / "killed") == metrics_of(tmp_path / "whole")
    assert weights_of(tmp_path / "killed") == weights_of(tmp_path / "whole")
    assert weights_of(tmp_path / "killed", "last") == weights_of(tmp_path / "whole", "last")
    evaluations = [(tmp_path / run / "evaluation.json").read_text() for run in ("killed", "whole")]
    assert evaluations[0] == evaluations[1]


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_gives_the_same_weights_and_another_others(digits, tmp_path):
    first, again, other = (
        fitted(digits, dataclasses.replace(LENET, seed=seed, epochs=1), tmp_path / name)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )

    assert same(first.network.state_dict(), again.network.state_dict())
    assert not same(first.network.state_dict(), other.network.state_dict())


def test_accumulated_parts_make_the_same_steps(digits, tmp_path):
    whole = fitted(digits, LENET, tmp_path / "whole").network
    parts = fitted(digits, dataclasses.replace(LENET, accumulate=4), tmp_path / "parts").network

    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, atol=1e-5, rtol=1e-4)


def states(*runs):
    return [checkpoint.load(run / "last.json").build().state_dict() for run in runs]


@pytest.mark.slow
def test_two_processes_do_what_one_does(digits, tmp_path, lenet_weights):
    recipe = dataclasses.replace(
        LENET, weights=str(lenet_weights), head_epochs=2, unfreeze="all", epochs=2, lr=1e-3
    )
    train(Source(digits), recipe, tmp_path / "one")
    options = [
        f"--{k.replace('_', '-')}={v}" for k, v in recipe.to_dict().items() if v is not False
    ]
    command = [sys.executable, "-m", "kkcv", "train", digits, "--out", tmp_path / "two", *options]
    shared = [*map(str, command), "--devices=2", "--device=cpu"]

    done = subprocess.run(
        shared, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )

    assert done.returncode == 0, done.stderr
    one, two = states(tmp_path / "one", tmp_path / "two")
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-4, rtol=1e-3)
    rows = [metrics_of(tmp_path / run).splitlines() for run in ("one", "two")]
    assert len(rows[0]) == len(rows[1]) == 5
    for mine, theirs in zip(rows[0][1:], rows[1][1:], strict=True):
        numbers = [[float(x) for x in row.split(",")[1:]] for row in (mine, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], abs=1e-3)


def test_worker_processes_see_the_same_pictures(digits, tmp_path):
    light = dataclasses.replace(LENET, augment="light", epochs=1)

    none = fitted(digits, light, tmp_path / "none")
    two = fitted(digits, dataclasses.replace(light, workers=2), tmp_path / "two")

    assert same(none.network.state_dict(), two.network.state_dict())


def test_the_best_epoch_is_kept_not_the_last(digits, tmp_path):
    wild = dataclasses.replace(LENET, lr=3e-2, epochs=8)

    progress, _, network, *_ = fitted(digits, wild, tmp_path / "run")

    losses = [row["val_loss"] for row in progress.rows]
    assert progress.best.loss == min(losses) < losses[-1]
    assert progress.best_at == (0, losses.index(min(losses)))
    assert not same(progress.best_state, network.state_dict())


@pytest.mark.parametrize("figure", ["accuracy", "both"])
def test_a_stage_ends_early_when_nothing_gets_better(digits, tmp_path, figure):
    hopeless = dataclasses.replace(LENET, lr=1e-9, epochs=50, patience=2, choose_by=figure)

    assert len(fitted(digits, hopeless, tmp_path / "run").progress.rows) < 10


def test_averaged_weights_are_what_is_kept(digits, tmp_path):
    plain = fitted(digits, LENET, tmp_path / "plain").network.state_dict()
    still = dataclasses.replace(LENET, ema=0.999)  # hardly moves from the first step's weights

    averaged = fitted(digits, still, tmp_path / "ema").network.state_dict()

    first = dataclasses.replace(LENET, epochs=1, lr=0.0, warmup=0.0)
    start = network_for(starting_point(first), ("0", "1", "2"), 0).state_dict()
    moved = [sum((state[k] - start[k]).norm() for k in start) for state in (plain, averaged)]
    assert 0 < moved[1] < 0.5 * moved[0]


@pytest.mark.parametrize(
    "settings", [{"precision": "bf16"}, {"optimizer": "sgd", "clip": 1.0}, {"cutmix": 1.0}]
)
def test_every_way_to_train_learns_the_digits(settings, digits, tmp_path):
    recipe = dataclasses.replace(LENET, epochs=12, lr_decay=1.0, **settings)

    progress = fitted(digits, recipe, tmp_path / "run").progress

    assert progress.best.accuracy >= 0.75


def test_a_loss_that_is_no_number_ends_the_run(digits, tmp_path):
    wild = dataclasses.replace(LENET, lr=1e20, optimizer="sgd", warmup=0.0)

    with pytest.raises(TrainingError) as caught:
        train(Source(digits), wild, tmp_path / "run")

    assert "no longer finite in epoch 0 of the stage 'all'; lower its" in str(caught.value)
    assert not (tmp_path / "run/best.json").exists()


def test_the_rate_finder_finds_a_rate(digits, tmp_path):
    progress = fitted(digits, dataclasses.replace(LENET, find_lr=True), tmp_path / "run").progress

    assert 1e-6 < max(row["learning_rate"] for row in progress.rows) < 1
    assert len(progress.rows) == 3


def test_rare_classes_count_as_much_when_asked(digits, tmp_path):
    counts = [0] * 30 + [1] * 10
    job = SimpleNamespace(
        recipe=Recipe(class_weights="balanced"),
        classes=("common", "rare"),
        train=SimpleNamespace(labels=counts),
    )

    weights = class_weights(job)

    assert weights.tolist() == pytest.approx([40 / 60, 40 / 20])
    assert class_weights(SimpleNamespace(recipe=Recipe())) is None


def test_the_rate_rises_and_then_falls_to_nothing():
    rates = [rate_at(step, 100, 0.1) for step in range(101)]

    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == 0


def loss_of(name, size, classes=3):
    """The loss of one step from scratch, and the network with its gradients."""
    recipe = Recipe(model=name, weights="none", size=size)
    network = network_for(starting_point(recipe), tuple("abc"[:classes]), 0)
    network.train()
    module = Classifier(network, stages(recipe)[0], recipe, Progress(), 1)
    module.log = lambda *_, **__: None
    channels, height, width = (network.spec.input_size[0], size, size)
    images = torch.randn(4, channels, height, width, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 0])
    return (
        module.training_step(Batch(images, labels, torch.ones(4, dtype=bool)), 0),
        network,
        images,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", [family.NETWORKS[0].name for family in FAMILIES])
def test_every_family_trains_from_scratch(name):
    spec = zoo.spec(name)
    size = spec.input_size[1] if spec.fixed_size or spec.auxiliary else max(96, spec.min_size)

    loss, network, _ = loss_of(name, size)
    loss.backward()

    assert torch.isfinite(loss)
    idle = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()
    ]
    assert not idle


def test_auxiliary_heads_count_as_in_the_paper():
    torch.manual_seed(0)
    loss, network, images = loss_of("googlenet_bn_torchvision", 96)
    torch.manual_seed(0)

    scores, (first, second) = network(images)

    labels = torch.tensor([0, 1, 2, 0])
    extra = F.cross_entropy(first, labels) + F.cross_entropy(second, labels)
    assert loss.item() == pytest.approx(
        (F.cross_entropy(scores, labels) + 0.3 * extra).item(), 1e-4
    )
    assert {family.FAMILY.name for family in FAMILIES} >= set(AUXILIARY_WEIGHTS)


def test_a_damaged_resume_point_is_one_clear_error(tmp_path):
    (tmp_path / "resume.ckpt").write_bytes(b"PK\x03\x04 half of it")

    with pytest.raises(TrainingError, match=r"resume\.ckpt is damaged and cannot be resumed from"):
        load(tmp_path / "resume.ckpt")
