"""The split is seeded, stratified, leakless where it is ours, and written out."""

from collections import Counter

import numpy as np
import pytest

from kkcv.errors import DataError
from kkcv.training.data.inspection import Inspection, Looked, Pair
from kkcv.training.data.labelled import LabelledData, Picture
from kkcv.training.data.source import read_data
from kkcv.training.data.split import fingerprint, split, write_split

NOTHING = np.zeros((16, 17), np.uint8)


def inspected(*pictures, pairs=()):
    looked = tuple(Looked(p, f"sha of {p.path}", (9, 9), NOTHING) for p in pictures)
    return Inspection(looked, (), tuple(pairs))


def many(counts, part=""):
    return [
        Picture(f"{label}/{i}.jpg", label, part) for label, n in counts.items() for i in range(n)
    ]


def shares(pictures, parts):
    return Counter((p.label, part) for p, part in zip(pictures, parts, strict=True))


def test_each_class_is_split_in_the_same_shares():
    pictures = many({"common": 200, "rare": 20})

    parts = split(inspected(*pictures), val=0.15, test=0.1, seed=0)

    assert shares(pictures, parts) == {
        ("common", "train"): 150,
        ("common", "val"): 30,
        ("common", "test"): 20,
        ("rare", "train"): 15,
        ("rare", "val"): 3,
        ("rare", "test"): 2,
    }


def test_the_seed_decides_and_nothing_else():
    inspection = inspected(*many({"a": 50, "b": 50}))

    first, again, other = (split(inspection, val=0.2, test=0.2, seed=s) for s in (1, 1, 2))

    assert first == again
    assert first != other


def test_most_pictures_keep_their_part_when_others_come():
    few, more = many({"a": 90, "b": 90}), many({"a": 100, "b": 90})
    before = dict(zip(few, split(inspected(*few), val=0.2, test=0.2, seed=0), strict=True))
    after = dict(zip(more, split(inspected(*more), val=0.2, test=0.2, seed=0), strict=True))

    moved = [p for p in few if before[p] != after[p]]

    assert len(moved) <= 6


def test_pictures_that_show_the_same_stay_together():
    pictures = many({"a": 40, "b": 40})
    pairs = [Pair(i, i + 1, 3) for i in range(0, 80, 2)]

    parts = split(inspected(*pictures, pairs=pairs), val=0.25, test=0.25, seed=0)

    assert all(parts[pair.a] == parts[pair.b] for pair in pairs)
    assert shares(pictures, parts)["a", "val"] == 10


def test_parts_of_the_data_stay_and_a_missing_val_is_taken_from_train():
    pictures = [*many({"a": 20, "b": 20}, "train"), Picture("t.jpg", "a", "test")]

    parts = split(inspected(*pictures), val=0.25, test=0.5, seed=0)

    assert parts[-1] == "test"
    assert Counter(parts) == {"train": 30, "val": 10, "test": 1}


def test_a_complete_split_is_left_alone():
    pictures = [*many({"a": 3, "b": 3}, "train"), Picture("v.jpg", "a", "val")]

    assert split(inspected(*pictures), val=0.5, test=0.5, seed=0) == ["train"] * 6 + ["val"]


def test_a_class_that_cannot_be_trained_on_is_refused():
    pictures = many({"a": 20, "b": 2})

    with pytest.raises(DataError, match=r"the class 'b' has no picture to train on, of 2 in all"):
        split(inspected(*pictures), val=0.2, test=0.2, seed=0)


def test_no_validation_part_is_refused():
    with pytest.raises(DataError, match="there is no validation part"):
        split(inspected(*many({"a": 9, "b": 9})), val=0.0, test=0.2, seed=0)


def test_a_split_that_is_written_out_is_read_back(tmp_path):
    pictures = tuple(many({"猫, gatos": 2}, "train") + many({'"dogs"': 2}, "val"))
    write_split(tmp_path / "split.csv", LabelledData(tmp_path, pictures))

    assert read_data(tmp_path / "split.csv").pictures == pictures


def test_the_fingerprint_hangs_on_contents_labels_and_parts():
    inspection = inspected(*many({"a": 2, "b": 2}))
    parts = ["train", "val", "train", "val"]

    same = fingerprint(Inspection(inspection.looked[::-1], (), ()), parts[::-1])
    other = fingerprint(inspection, ["val", "train", "train", "val"])

    assert fingerprint(inspection, parts) == same != other
