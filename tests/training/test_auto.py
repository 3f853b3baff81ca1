"""--auto fits a run into its minutes, and a run says before it starts what it will do."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from kkcv.training.auto import choose, seconds
from kkcv.training.data.source import Source
from kkcv.training.estimate import Costs, Counts, announcement, spoken
from kkcv.training.fit.network import network_for
from kkcv.training.fit.progress import Figures, Progress
from kkcv.training.plan import settings_used, stages
from kkcv.training.recipe import Recipe
from kkcv.training.run import train
from kkcv.training.start import starting_point

COUNTS = Counts(1000, 200, 100)


def costs(decode=0.001, forward=0.01, step=0.05):
    """Costs of EfficientNet-Lite0 that are known: nothing is measured."""
    base = starting_point(Recipe())
    network = network_for(base, ("a", "b"), 0)
    known = {}
    for size in (0, 288):
        larger = 1.7 if size else 1.0
        known[("decode", size, 0)] = decode
        known[("forward", size, 0)] = forward * larger
        for depth, share in ((-1, 1.0), (3, 0.6), (1, 0.4)):
            known[("step", size, depth)] = step * larger * share
    return Costs(network, base, [], torch.device("cpu"), 2, known)


@pytest.mark.parametrize("minutes", [0.5, 1, 2, 5, 10, 60])
def test_what_is_chosen_fits_into_the_minutes(minutes):
    recipe = choose(Recipe(auto=True, minutes=minutes), COUNTS, costs(), 5.0)

    assert recipe.unfreeze == "none" or seconds(recipe, COUNTS, costs()) + 5 <= 60 * minutes
    assert stages(recipe)[0] == stages(Recipe())[0]  # the head alone, as without --auto


def test_more_time_trains_more():
    plans = [
        choose(Recipe(auto=True, minutes=minutes), COUNTS, costs(), 0.0)
        for minutes in (0.1, 2.3, 4.4, 10, 60)
    ]

    assert [plan.unfreeze for plan in plans] == ["none", "0", "0,3", "0,all", "0,all"]
    assert plans[3].epochs < plans[4].epochs
    assert {(plan.fine_size, plan.fine_whole) for plan in plans[1:]} == {(288, True)}
    assert not any(stages(plan)[0].whole for plan in plans)


def test_neither_figure_may_get_worse_after_the_head():
    progress = Progress("both")
    progress.validated(0, Figures(0.7, 0.95), {})
    progress.validated(1, Figures(0.6, 0.9), {})  # the head alone: by its loss
    progress.begin_stage(1)
    for epoch, figures in enumerate([(0.5, 0.9), (0.4, 0.8), (0.6, 1.0), (0.4, 0.9), (0.4, 0.95)]):
        progress.validated(epoch, Figures(*figures), {})

    assert progress.best == Figures(0.4, 0.95)
    assert progress.best_at == (1, 4)


def test_an_automatic_run_is_never_worse_than_the_head_and_repeats_its_settings(
    digits: Path, lenet_weights: Path, tmp_path: Path
):
    recipe = Recipe(model="lenet5_modern", weights=str(lenet_weights), head_epochs=3)
    head = train(Source(digits), recipe, tmp_path / "head")

    auto = train(
        Source(digits), dataclasses.replace(recipe, auto=True, minutes=0.5), tmp_path / "auto"
    )

    assert auto["parts"]["val"]["accuracy"] >= head["parts"]["val"]["accuracy"]
    written = json.loads((tmp_path / "auto/recipe.json").read_text())
    assert written["choose_by"] == "both"
    assert written["unfreeze"].startswith("0,")
    report = (tmp_path / "auto/report.html").read_text()
    assert f"--unfreeze {written['unfreeze']}" in report


def test_when_the_time_is_over_training_stops_and_the_run_is_finished(
    digits: Path, lenet_weights: Path, tmp_path: Path
):
    recipe = Recipe(
        model="lenet5_modern",
        weights=str(lenet_weights),
        auto=True,
        minutes=0.001,
        head_epochs=400,
    )

    train(Source(digits), recipe, tmp_path / "run")

    epochs = (tmp_path / "run/metrics.csv").read_text().splitlines()
    assert len(epochs) - 1 < 400
    assert (tmp_path / "run/best.json").is_file()


def test_the_plan_names_stages_pictures_and_time():
    recipe = Recipe(unfreeze="1,all", epochs=2, tta=True)

    lines = announcement(stages(recipe), recipe.tta, COUNTS, costs())

    assert lines[0].startswith("the plan, in all about 3 min here (cpu, 2 threads):")
    assert lines[1:] == [
        "  head: the head alone, 20 epochs on the embeddings of 1,200 pictures at 224 pixels, "
        "about 14 s",
        "  last 1: the head and the last stage, 2 epochs of 1,000 pictures at 224 pixels, "
        "about 46 s",
        "  all: the whole network, 2 epochs of 1,000 pictures at 224 pixels, about 2 min",
    ]


def test_the_plan_says_what_is_seen_of_a_picture_and_counts_it_twice():
    plain, whole = (
        announcement(stages(Recipe(whole=whole)), False, COUNTS, costs()) for whole in (False, True)
    )

    assert plain[1].endswith("at 224 pixels, about 14 s")
    assert whole[1].endswith("at 224 pixels, center and whole, about 26 s")


def test_one_epoch_is_one_epoch():
    lines = announcement(
        stages(Recipe(unfreeze="all", head_epochs=1, epochs=1)), False, COUNTS, costs()
    )

    assert "the head alone, 1 epoch on the embeddings of 1,200 pictures" in lines[1]
    assert "the whole network, 1 epoch of 1,000 pictures" in lines[2]


def test_costs_are_measured_once(digits: Path):
    base = starting_point(Recipe(model="lenet5_modern", weights="none"))
    paths = sorted(digits.rglob("*.png"))
    measured = Costs(network_for(base, ("a", "b"), 0), base, paths, torch.device("cpu"), 1)

    assert 0 < measured.decode(0) == measured.decode(0)
    assert measured.forward(0) > 0
    assert measured.step(0, -1) > 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (40, "40 s"), (360, "6 min"), (9000, "2.5 h")]
)
def test_times_are_spoken_roughly(seconds, words):
    assert spoken(seconds) == words


def test_settings_that_no_stage_looks_at_are_not_among_those_used():
    alone, tuned = settings_used(Recipe()), settings_used(Recipe(unfreeze="1", optimizer="sgd"))

    assert alone.keys().isdisjoint({"epochs", "lr", "augment", "min_crop", "mixup", "momentum"})
    assert alone["head_lr"] == 3e-3
    assert tuned["lr"] == 0.01
    assert tuned["augment"] == "light"
    assert tuned["momentum"] == 0.9
    assert "randaugment_ops" not in tuned
