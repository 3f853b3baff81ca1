"""A GPU whose memory is too small gets smaller batches, with a line that says so.

There is no GPU here: a hook raises PyTorch's error for batches that would be too large.
"""

import dataclasses

import pytest
import torch
from torch import nn

from kkcv.errors import TrainingError
from kkcv.training.data.source import Source
from kkcv.training.fit import stages
from kkcv.training.inference import outputs
from kkcv.training.reporter import Reporter
from kkcv.training.run import train
from tests.training.conftest import LENET, weights_of


def limited(network: nn.Module, most: int) -> nn.Module:
    """The network, out of memory for more than so many pictures at once."""

    def hook(module, inputs):
        if len(inputs[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    network.register_forward_pre_hook(hook)
    return network


@pytest.fixture
def small_memory(monkeypatch):
    """Room for five pictures while training."""
    build = stages.network_for
    monkeypatch.setattr(stages, "network_for", lambda *args: limited(build(*args), 5))


def test_training_goes_on_in_smaller_parts_to_the_same_end(digits, tmp_path, small_memory):
    said = []

    train(Source(digits), LENET, tmp_path / "small", Reporter(say=said.append))

    assert [line for line in said if line.startswith("out of GPU memory")] == [
        "out of GPU memory with 16 pictures at once: all starts again with 8, in 2 parts a step",
        "out of GPU memory with 8 pictures at once: all starts again with 4, in 4 parts a step",
    ]
    assert len((tmp_path / "small/metrics.csv").read_text().splitlines()) == 4


def test_smaller_parts_are_those_of_the_setting(digits, tmp_path, small_memory, monkeypatch):
    train(Source(digits), LENET, tmp_path / "small")
    monkeypatch.undo()
    train(Source(digits), dataclasses.replace(LENET, accumulate=4), tmp_path / "asked")

    assert weights_of(tmp_path / "small") == weights_of(tmp_path / "asked")


def test_room_for_not_even_one_picture_is_one_clear_error(digits, tmp_path, monkeypatch):
    build = stages.network_for
    monkeypatch.setattr(stages, "network_for", lambda *args: limited(build(*args), 0))

    with pytest.raises(TrainingError, match="out of GPU memory with one picture at a time"):
        train(Source(digits), LENET, tmp_path / "run")


def test_scoring_goes_on_with_smaller_batches(digits):
    from kkcv import checkpoint

    base = checkpoint.pretrained("lenet5_modern", "none")
    paths, device, said = sorted(digits.rglob("*.png")), torch.device("cpu"), []
    whole, _ = outputs(base.build(), paths, base.views, device=device)

    small, _ = outputs(limited(base.build(), 9), paths, base.views, device=device, say=said.append)

    torch.testing.assert_close(small, whole)
    assert said == [
        "out of GPU memory: going on with 16 pictures at once",
        "out of GPU memory: going on with 8 pictures at once",
    ]
