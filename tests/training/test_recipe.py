"""One value holds every setting, and refuses what makes no sense."""

import dataclasses
import json

import pytest

from kkcv.checkpoint import DEFAULT_NETWORK
from kkcv.errors import TrainingError
from kkcv.training.plan import Stage, stages
from kkcv.training.recipe import Recipe


def test_the_default_network_is_that_of_the_search():
    assert Recipe().model == DEFAULT_NETWORK


def test_a_recipe_comes_back_from_its_json():
    recipe = Recipe(model="resnet50", unfreeze="1,all", mixup=0.2, tta=True)

    assert Recipe.from_dict(json.loads(recipe.to_json())) == recipe


def test_an_unknown_setting_is_an_error():
    with pytest.raises(TrainingError, match="no setting 'learning_rate'; there are: model, "):
        Recipe.from_dict({"learning_rate": 1})


def test_every_setting_says_what_it_is():
    assert all(each.metadata["help"].endswith(".") for each in dataclasses.fields(Recipe))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, got 0"),
        ({"val": 1.0}, "val must be below 1, got 1.0"),
        ({"lr_decay": 2.0}, "lr_decay must be at most 1, got 2.0"),
        ({"min_crop": 0.0}, "min_crop must be above 0, got 0.0"),
        ({"lr": float("nan")}, "lr must be 0 or more, got nan"),
        ({"optimizer": "adam"}, "optimizer is one of adamw, sgd, got 'adam'"),
        ({"unfreeze": "-1"}, "unfreeze is none, auto, all, or numbers as 1,3,all; got '-1'"),
        ({"batch_size": 8, "accumulate": 3}, "batch_size 8 cannot be computed in 3 equal parts"),
    ],
)
def test_a_senseless_value_is_refused_with_what_would_do(settings, message):
    with pytest.raises(TrainingError) as caught:
        Recipe(**settings)

    assert str(caught.value) == message


def test_only_what_decides_the_result_is_a_difference():
    there = Recipe(epochs=3, devices=2, threads=4, save_minutes=9.0)

    assert Recipe().differences(there) == ["epochs 5 here, 3 there"]


HEAD = Stage("head", 0, 0, 20, 3e-3, 1.0, "none")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [HEAD]),
        ({"unfreeze": "all"}, [HEAD, Stage("all", -1, 0, 5, 1e-4, 0.7, "light")]),
        (
            {"unfreeze": "1,all", "lr": 0.01, "epochs": 2, "augment": "none"},
            [
                HEAD,
                Stage("last 1", 1, 0, 2, 0.01, 0.7, "none"),
                Stage("all", -1, 0, 2, 0.01, 0.7, "none"),
            ],
        ),
        ({"weights": "none"}, [Stage("all", -1, 0, 5, 1e-3, 1.0, "light")]),
        ({"weights": "none", "optimizer": "sgd"}, [Stage("all", -1, 0, 5, 0.1, 1.0, "light")]),
        ({"augment": "randaugment"}, [dataclasses.replace(HEAD, augment="randaugment")]),
    ],
)
def test_the_stages_of_a_run(settings, expected):
    assert list(stages(Recipe(**settings))) == expected


def test_the_fast_path_is_a_frozen_backbone_that_sees_pictures_and_few_crops_of_them():
    assert HEAD.on_embeddings
    assert HEAD.crops == 0
    assert dataclasses.replace(HEAD, augment="light").on_embeddings
    assert dataclasses.replace(HEAD, augment="light").crops == 4
    assert not dataclasses.replace(HEAD, augment="light", mixes=True).on_embeddings
    assert not dataclasses.replace(HEAD, depth=1).on_embeddings


def test_a_run_without_stages_is_refused():
    with pytest.raises(TrainingError, match="nothing would be trained"):
        stages(Recipe(head_epochs=0))
