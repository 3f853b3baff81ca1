"""Files as training scripts and libraries save them: the weights are found in each."""

import argparse
import collections
import datetime
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from kkcv import zoo
from kkcv.errors import WeightsError
from tests.zoo.conftest import PEER, State, prefixed


def zeros(state: State) -> State:
    return {k: torch.zeros_like(v) for k, v in state.items()}


def module(name: str, **classes: type) -> dict[str, types.ModuleType]:
    """A module of a library that is not installed, with these classes, for a pickle to name."""
    made = types.ModuleType(name)
    for each, kind in classes.items():
        kind.__module__, kind.__qualname__ = name, each
        setattr(made, each, kind)
    parts = name.split(".")
    parents = {n: types.ModuleType(n) for n in (".".join(parts[:i]) for i in range(1, len(parts)))}
    return parents | {name: made}


def save_as_lightning(state: State, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type("AttributeDict", (dict,), {})
    with monkeypatch.context() as patch:
        names = module("pytorch_lightning.utilities.parsing", AttributeDict=kind)
        for name, made in names.items():
            patch.setitem(sys.modules, name, made)
        hyper = kind(lr=0.1, model=kind(depth=18))
        content = {"state_dict": prefixed("net.")(state), "hyper_parameters": hyper}
        torch.save(content | {"state_dict": {**content["state_dict"], "loss.w": ones()}}, path)


def ones() -> Tensor:
    return torch.ones(2)


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(
            lambda s: {"state_dict": s, "epoch": 3, "args": argparse.Namespace(lr=0.1)}, id="timm"
        ),
        pytest.param(
            lambda s: {
                "model": s,
                "optimizer": {"state": {0: {"exp_avg": ones()}}, "param_groups": [{"lr": 0.1}]},
                "lr_scheduler": {"_last_lr": [0.1]},
                "args": argparse.Namespace(output_dir=Path("/runs"), lr=0.1),
            },
            id="torchvision",
        ),
        pytest.param(
            lambda s: {
                "net": s,
                "best": np.float64(0.7),
                "curve": np.zeros(3),
                "when": datetime.datetime(2026, 1, 1),
                "counts": collections.defaultdict(int, {"a": 1}),
                "last": collections.deque([1.0], maxlen=5),
                "torch": torch.__version__,
                "options": types.SimpleNamespace(lr=0.1),
            },
            id="numpy, dates and containers",
        ),
        pytest.param(lambda s: {"model": {"state_dict": s}}, id="nested"),
        pytest.param(lambda s: {"resnet": s, "epoch": 3}, id="any name"),
        pytest.param(
            lambda s: {"state_dict": {**prefixed("model.")(s), "criterion.weight": ones()}},
            id="Lightning with a loss",
        ),
        pytest.param(
            lambda s: {**prefixed("module.")(s), "n_averaged": torch.tensor(5)}, id="AveragedModel"
        ),
        pytest.param(lambda s: prefixed("model._orig_mod.")(s), id="compiled in Lightning"),
        pytest.param(
            lambda s: {k.replace("stage2.", "stage2._orig_mod."): v for k, v in s.items()},
            id="compiled in part",
        ),
        *(
            pytest.param(prefixed(prefix), id=prefix)
            for prefix in ("net.", "backbone.", "encoder.", "student.", "teacher.", "a.b.c.")
        ),
        pytest.param(
            lambda s: {**prefixed("encoder.")(s), "decoder.weight": ones(), "step": ones()},
            id="one part of a model",
        ),
        pytest.param(
            lambda s: {"student": {"a": ones()}, "teacher": prefixed("module.")(s)},
            id="the one of two that fits",
        ),
    ],
)
def test_a_training_scripts_file_gives_its_weights(
    peers_state: State, tmp_path: Path, wrap: Callable[[State], object]
) -> None:
    torch.save(wrap(peers_state), tmp_path / "w.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    assert ours.stages.conv5.conv.weight.equal(peers_state["conv5.0.weight"])
    assert ours.head.weight.equal(peers_state["fc.weight"])


def test_a_library_of_harmless_classes_need_not_be_installed(
    peers_state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_as_lightning(peers_state, tmp_path / "w.ckpt", monkeypatch)
    assert "pytorch_lightning" not in sys.modules

    ours = zoo.create(PEER, weights=tmp_path / "w.ckpt")

    assert ours.head.weight.equal(peers_state["fc.weight"])


AVERAGES = [
    pytest.param(lambda raw, mean: {"state_dict": raw, "state_dict_ema": mean}, "state_dict_ema"),
    pytest.param(
        lambda raw, mean: {
            "model": raw,
            "model_ema": {**prefixed("module.")(mean), "n_averaged": torch.tensor(9)},
        },
        "model_ema",
    ),
    pytest.param(
        lambda raw, mean: {"model": raw, "ema": {"module": mean, "updates": 9}},
        "ema",
    ),
    pytest.param(lambda raw, mean: {"net": raw, "ema_state_dict": mean}, "ema_state_dict"),
    pytest.param(
        lambda raw, mean: {**prefixed("model.")(raw), **prefixed("model_ema.module.")(mean)},
        "model_ema.module",
    ),
    pytest.param(lambda raw, mean: {**raw, **prefixed("ema.")(mean)}, "ema"),
]


@pytest.mark.parametrize(("wrap", "named"), AVERAGES)
def test_an_average_beside_the_raw_weights_is_taken_and_said(
    peers_state: State, tmp_path: Path, wrap: Callable[[State, State], object], named: str
) -> None:
    path = tmp_path / "w.pth"
    torch.save(wrap(zeros(peers_state), peers_state), path)

    with pytest.warns(RuntimeWarning) as caught:
        ours = zoo.create(PEER, weights=path)

    assert [str(each.message) for each in caught] == [
        f"{path} holds an average of the weights ({named}), which is taken; "
        "ema=False (--no-ema) takes the raw ones"
    ]
    assert caught[0].filename == __file__
    assert ours.head.weight.equal(peers_state["fc.weight"])


@pytest.mark.parametrize(("wrap", "named"), AVERAGES)
def test_with_ema_false_the_raw_weights_are_taken_without_a_word(
    peers_state: State, tmp_path: Path, wrap: Callable[[State, State], object], named: str
) -> None:
    torch.save(wrap(peers_state, zeros(peers_state)), tmp_path / "w.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth", ema=False)

    assert ours.head.weight.equal(peers_state["fc.weight"])


@pytest.mark.parametrize("entry", ["state_dict_ema", "model_ema", "ema", "ema_state_dict"])
def test_an_average_alone_is_taken_and_said_or_refused(
    peers_state: State, tmp_path: Path, entry: str
) -> None:
    path = tmp_path / "w.pth"
    torch.save({entry: peers_state, "epoch": 3}, path)

    with pytest.warns(RuntimeWarning, match=rf"an average of the weights \({entry}\), which is"):
        ours = zoo.create(PEER, weights=path)
    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=path, ema=False)

    assert ours.head.weight.equal(peers_state["fc.weight"])
    assert str(caught.value) == (
        f"{path} holds an average of weights alone ({entry}); "
        "leave ema=False (--no-ema) out to take it"
    )


@pytest.mark.parametrize("average", [{"decay": 0.99}, [torch.ones(3)], {"a.weight": torch.ones(3)}])
def test_an_average_that_does_not_fit_is_said(
    peers_state: State, tmp_path: Path, average: object
) -> None:
    torch.save({"model": peers_state, "ema": average}, tmp_path / "w.pth")

    with pytest.warns(RuntimeWarning, match=r"\(ema\), which does not fit; the raw ones are taken"):
        ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    assert ours.head.weight.equal(peers_state["fc.weight"])


def test_a_decay_in_the_options_is_no_average(peers_state: State, tmp_path: Path) -> None:
    torch.save({"state_dict": peers_state, "ema_decay": 0.999, "ema": True}, tmp_path / "w.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    assert ours.head.weight.equal(peers_state["fc.weight"])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"student": s, "teacher": zeros(s)},
        lambda s: {**prefixed("student.")(s), **prefixed("teacher.")(zeros(s))},
    ],
)
def test_of_two_networks_that_fit_none_is_taken_and_both_are_named(
    peers_state: State, tmp_path: Path, wrap: Callable[[State], object]
) -> None:
    path = tmp_path / "w.pth"
    torch.save(wrap(peers_state), path)

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=path)

    assert str(caught.value) == (
        f"{path} holds weights that fit under 2 prefixes: student., teacher.; "
        "save those under one of them alone"
    )


def test_a_backbone_without_a_classifier_gets_a_new_one_if_classes_are_asked_for(
    peers_state: State, tmp_path: Path
) -> None:
    path = tmp_path / "w.pth"
    headless = {k: v for k, v in peers_state.items() if not k.startswith("fc.")}
    torch.save(prefixed("backbone.")(headless), path)

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=path)
    torch.manual_seed(5)
    fresh = zoo.create(PEER, num_classes=37)
    torch.manual_seed(5)
    ours = zoo.create(PEER, num_classes=37, weights=path)

    assert str(caught.value) == (
        f"{path} does not fit {PEER}: read without the prefix backbone.; "
        "2 missing (head.weight; head.bias); "
        "it has no classifier: num_classes=N begins a new one, for N classes"
    )
    assert ours.stages.conv5.conv.weight.equal(peers_state["conv5.0.weight"])
    assert ours.head.weight.equal(fresh.head.weight)


@pytest.mark.parametrize("classifier", ["head.fc.", "fc.", "model.classifier.1.", "linear."])
def test_a_classifier_beside_the_backbone_is_taken_whatever_its_name(
    peers_state: State, tmp_path: Path, classifier: str
) -> None:
    headless = {k: v for k, v in peers_state.items() if not k.startswith("fc.")}
    head = {k.replace("fc.", classifier): peers_state[k] for k in ("fc.weight", "fc.bias")}
    rest = {"criterion.weight": torch.ones(2, 1024)}
    torch.save({"state_dict": {**prefixed("backbone.")(headless), **head}}, tmp_path / "w.pth")
    torch.save({**prefixed("backbone.")(headless), **head, **rest}, tmp_path / "doubt.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    assert ours.head.weight.equal(peers_state["fc.weight"])
    assert ours.head.bias.equal(peers_state["fc.bias"])
    with pytest.raises(WeightsError, match="it has no classifier"):  # there are two it could be
        zoo.create(PEER, weights=tmp_path / "doubt.pth")


@pytest.mark.parametrize("classifier", ["classifier.", "fc.1."])
def test_a_classifier_in_the_place_of_the_own_one_is_taken(
    peers_state: State, tmp_path: Path, classifier: str
) -> None:
    state = {k.replace("fc.", classifier): v for k, v in peers_state.items()}
    torch.save(state, tmp_path / "w.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    assert ours.head.weight.equal(peers_state["fc.weight"])
    assert ours.head.bias.equal(peers_state["fc.bias"])


def test_a_classifier_of_several_layers_makes_room_for_a_new_one(
    peers_state: State, tmp_path: Path
) -> None:
    two = nn.Sequential(nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 5)).state_dict()
    headless = {k: v for k, v in peers_state.items() if not k.startswith("fc.")}
    torch.save(headless | prefixed("fc.")(two), tmp_path / "w.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth", num_classes=37)

    assert ours.stages.conv5.conv.weight.equal(peers_state["conv5.0.weight"])
    with pytest.raises(WeightsError, match="4 too many"):
        zoo.create(PEER, weights=tmp_path / "w.pth")


def test_weights_that_training_has_ruined_are_refused(peers_state: State, tmp_path: Path) -> None:
    peers_state["conv5.0.weight"][0] = torch.nan
    torch.save(peers_state, tmp_path / "w.pth")

    with pytest.raises(WeightsError, match=r"not finite in 1 of \d+ tensors, the first: stages"):
        zoo.create(PEER, weights=tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("asked", "theirs", "answer"),
    [
        ("googlenet_paper", models.googlenet, "this is googlenet_bn_torchvision"),
        ("resnet18", models.resnet34, "this is resnet34"),
        ("resnet18", models.resnet50, "this is resnet50_v1 or resnet50_v1.5"),
        ("shufflenet_v2_x0.5", models.mobilenet_v2, "this is mobilenet_v2_1.0"),
    ],
)
def test_weights_of_another_network_say_which(
    tmp_path: Path, asked: str, theirs: Callable[..., nn.Module], answer: str
) -> None:
    options = {"init_weights": False} if theirs is models.googlenet else {}
    state = prefixed("model.")(theirs(weights=None, **options).state_dict())
    torch.save({"state_dict": state}, tmp_path / "w.pth")

    with pytest.raises(WeightsError) as caught:
        zoo.create(asked, weights=tmp_path / "w.pth")

    assert str(caught.value).split("; ")[-1] == answer


def test_other_peoples_weights_are_of_no_network_of_the_zoo(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 4).state_dict(), tmp_path / "w.pth")

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=tmp_path / "w.pth")

    assert "this is" not in str(caught.value)
    assert str(caught.value).endswith("2 too many (weight; bias)")
