"""A linear head on embeddings is solved: logistic regression, to its end."""

import torch
from torch import nn

from kkcv.training.fit.linear import PENALTY, is_linear
from kkcv.training.recipe import Recipe
from tests.training.conftest import fitted


def test_what_has_one_linear_layer_is_solved_and_nothing_else():
    assert is_linear(nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 3)))
    assert not is_linear(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)))
    assert not is_linear(nn.Conv2d(4, 3, 1))
    assert not is_linear(nn.Identity())


def test_the_head_is_where_the_gradient_of_loss_and_penalty_is_zero(cats_dogs, tmp_path):
    fit = fitted(cats_dogs, Recipe(size=96), tmp_path)
    head = fit.network.head
    embeddings = fit.embeddings
    labels = torch.tensor([0] * 24 + [1] * 24)
    weight, bias = head.fc.weight, head.fc.bias

    loss = nn.functional.cross_entropy(embeddings @ weight.T + bias, labels)
    penalty = PENALTY / len(labels) * embeddings.square().mean()
    (loss + penalty / 2 * weight.square().sum()).backward()

    assert weight.grad.abs().max() < 1e-3 * embeddings.abs().mean()
    assert bias.grad.abs().max() < 1e-3
    assert [row["stage"] for row in fit.progress.rows] == ["head"]
