"""Batches depend only on seed, epoch and step, not on the process that computes them."""

from itertools import chain

import pytest
import torch

from kkcv.errors import TrainingError
from kkcv.training.fit.batches import FixedOrder, Loader, TrainOrder, seed_of
from kkcv.training.fit.datasets import Embeddings


def order(count=50, batch=8, at=(0, 0), **settings):
    return TrainOrder(count, batch, seed=3, position=lambda: at, **settings)


def steps(order, parts=1):
    """The pictures of each step, over its parts."""
    slots = list(order)
    return [
        sorted(slot.at for part in slots[i : i + parts] for slot in part)
        for i in range(0, len(slots), parts)
    ]


def test_each_epoch_is_another_shuffle_of_the_same_pictures():
    first, second = steps(order(48)), steps(order(48, at=(1, 0)))

    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(48))
    assert first != second
    assert first == steps(order(48))


def test_a_resumed_epoch_goes_on_where_it_was():
    assert list(order(at=(2, 4))) == list(order(at=(2, 0)))[4:]


@pytest.mark.parametrize(("world", "parts"), [(2, 1), (1, 4), (2, 2)])
def test_processes_and_parts_share_the_very_same_steps(world, parts):
    shares = [list(order(rank=r, world=world, accumulate=parts)) for r in range(world)]
    together = [list(chain(*slots)) for slots in zip(*shares, strict=True)]

    found = [
        sorted(slot.at for part in together[i : i + parts] for slot in part)
        for i in range(0, len(together), parts)
    ]

    assert found == steps(order())


def test_fewer_pictures_than_a_batch_make_one_step():
    assert len(order(5, 32)) == 1
    assert len(order(5, 32, world=2)) == 1


def test_a_batch_that_cannot_be_shared_equally_is_refused():
    with pytest.raises(TrainingError) as caught:
        order(batch=9, world=2)

    assert str(caught.value) == (
        "a batch of 9 pictures cannot be shared equally by 2 processes in 1 parts; "
        "choose another batch_size"
    )


@pytest.mark.parametrize("world", [1, 2, 3])
def test_all_processes_together_see_every_picture_once(world):
    shares = [list(FixedOrder(10, 2, rank, world)) for rank in range(world)]

    counted = sorted(slot.at for share in shares for b in share for slot in b if slot.counts)

    assert counted == list(range(10))
    assert len({len(share) for share in shares}) == 1


def test_a_loader_gives_inputs_with_their_labels():
    data = Embeddings(torch.arange(6.0)[:, None, None], [0, 1, 2, 3, 4, 5])

    batches = list(Loader(data, FixedOrder(6, 4)))

    assert [b.labels.tolist() for b in batches] == [[0, 1, 2, 3], [4, 5]]
    assert all(torch.equal(b.inputs[:, 0], b.labels.float()) for b in batches)


def test_worker_processes_are_no_forks_of_this_one():
    data = Embeddings(torch.arange(6.0)[:, None, None], [0, 1, 2, 3, 4, 5])

    started = Loader(data, FixedOrder(6, 4), workers=1).multiprocessing_context

    assert started.get_start_method() != "fork"


def test_seeds_of_different_numbers_differ():
    assert len({seed_of(a, b) for a in range(30) for b in range(30)}) == 900
    assert seed_of(1, 2) == seed_of(1, 2) < 2**63
