"""The split is seeded, stratified, leakless where it is ours, and written out."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kkcv.errors import DataError
from kkcv.training.data.inspection import Inspection, Readable
from kkcv.training.data.labelled import Picture
from kkcv.training.data.split import fingerprint, read_split, split, write_split

NOTHING = np.zeros((16, 17), np.uint8)


def inspected(*pictures, groups=()):
    """Pictures with the groups that show the same; each other picture is one by itself."""
    readable = tuple(
        Readable(p._replace(sha256=f"sha of {p.path}"), (9, 9), NOTHING) for p in pictures
    )
    alone = set(range(len(pictures))).difference(*groups)
    return Inspection(readable, (), [*map(list, groups), *([i] for i in sorted(alone))])


def many(counts, part=""):
    return [
        Picture(f"{label}/{i}.jpg", label, part) for label, n in counts.items() for i in range(n)
    ]


def parts_of(pictures, groups=(), *, val=0.2, test=0.2, seed=0):
    return split(inspected(*pictures, groups=groups), val=val, test=test, seed=seed).parts


def shares(pictures, parts):
    return Counter((p.label, part) for p, part in zip(pictures, parts, strict=True))


def test_each_class_is_split_in_the_same_shares():
    pictures = many({"common": 200, "rare": 20})

    parts = parts_of(pictures, val=0.15, test=0.1)

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

    first, again, other = (split(inspection, val=0.2, test=0.2, seed=s).parts for s in (1, 1, 2))

    assert first == again
    assert first != other


def test_most_pictures_keep_their_part_when_others_come():
    few, more = many({"a": 90, "b": 90}), many({"a": 100, "b": 90})
    before = dict(zip(few, parts_of(few), strict=True))
    after = dict(zip(more, parts_of(more), strict=True))

    moved = [p for p in few if before[p] != after[p]]

    assert len(moved) <= 6


def test_pictures_that_show_the_same_stay_together():
    pictures = many({"a": 40, "b": 40})
    pairs = [(i, i + 1) for i in range(0, 80, 2)]

    parts = parts_of(pictures, pairs, val=0.25, test=0.25)

    assert all(parts[a] == parts[b] for a, b in pairs)
    assert shares(pictures, parts)["a", "val"] == 10


def test_parts_of_the_data_stay_and_a_missing_val_is_taken_from_train():
    pictures = [*many({"a": 20, "b": 20}, "train"), Picture("t.jpg", "a", "test")]

    parts = parts_of(pictures, val=0.25, test=0.5)

    assert parts[-1] == "test"
    assert Counter(parts) == {"train": 30, "val": 10, "test": 1}


def test_a_complete_split_is_left_alone():
    pictures = [*many({"a": 3, "b": 3}, "train"), Picture("v.jpg", "a", "val")]

    assert parts_of(pictures, val=0.5, test=0.5) == ["train"] * 6 + ["val"]


def test_a_class_without_a_picture_in_train_is_refused():
    pictures = [*many({"a": 20}, "train"), Picture("v.jpg", "b", "val")]

    with pytest.raises(DataError, match="the class 'b' has no picture to train on, of 1 in all"):
        split(inspected(*pictures), val=0.2, test=0.2, seed=0)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, ["train"]), (2, ["train", "val"]), (3, ["test", "train", "val"])]
)
def test_the_few_pictures_of_a_class_go_to_train_then_val_then_test(count, expected):
    pictures = many({"a": 40, "b": count})

    result = split(inspected(*pictures), val=0.15, test=0.15, seed=0)

    assert sorted(result.parts[40:]) == expected
    assert result.unmeasured == (["b"] if count == 1 else [])


def test_one_picture_a_class_is_too_few():
    with pytest.raises(DataError, match="nothing is left to validate on: each class has one"):
        split(inspected(*many({"a": 1, "b": 1})), val=0.15, test=0.15, seed=0)


def test_a_class_that_is_one_run_of_look_alikes_is_cut_in_the_order_of_its_files():
    pictures = many({"run": 40, "b": 40})

    result = split(inspected(*pictures, groups=[range(40)]), val=0.2, test=0.1, seed=0)

    assert result.parts[:40] == ["train"] * 28 + ["val"] * 8 + ["test"] * 4
    assert result.divided == {"run": 40}


def test_two_classes_that_look_alike_are_each_cut():
    pictures = many({"open": 40, "closed": 40})

    result = split(inspected(*pictures, groups=[range(80)]), val=0.2, test=0.1, seed=0)

    assert shares(pictures, result.parts)["open", "train"] == 28
    assert shares(pictures, result.parts)["closed", "val"] == 8
    assert result.divided == {"open": 40, "closed": 40}


@given(data=st.data())
def test_any_data_are_split_so_that_each_class_is_trained_on(data):
    counts = data.draw(st.dictionaries(st.text(min_size=1), st.integers(1, 12), min_size=2))
    pictures = many(counts)
    groups = data.draw(
        st.lists(
            st.integers(0, data.draw(st.integers(0, 9))),
            min_size=len(pictures),
            max_size=len(pictures),
        )
    )
    val, test = data.draw(st.floats(0.05, 0.5)), data.draw(st.floats(0, 0.4))
    together = [[i for i, g in enumerate(groups) if g == k] for k in set(groups)]
    inspection = inspected(*pictures, groups=together)
    assume(any(count > 1 for count in counts.values()))

    result = split(inspection, val=val, test=test, seed=0)

    found = shares(pictures, result.parts)
    assert all(found[label, "train"] for label in counts)
    assert set(result.parts) <= {"train", "val", "test"}
    cut = [g for g in together if len({result.parts[i] for i in g}) > 1]
    for group in cut:
        labels = {pictures[i].label for i in group}
        assert len(labels) > 1 or labels <= set(result.divided)


def test_no_validation_part_is_refused():
    with pytest.raises(DataError, match="there is no validation part"):
        split(inspected(*many({"a": 9, "b": 9})), val=0.0, test=0.2, seed=0)


def test_a_split_that_is_written_out_is_read_back(tmp_path):
    pictures = tuple(
        p._replace(sha256="0f")
        for p in (*many({"猫, gatos": 2}, "train"), *many({'"dogs"': 2, "b\udcff": 1}, "val"))
    )
    write_split(tmp_path / "split.csv", pictures)

    assert read_split(tmp_path / "split.csv") == pictures


def test_the_fingerprint_depends_on_contents_labels_and_parts():
    first, second = (p._replace(sha256=p.path) for p in many({"a": 2}, "train"))

    assert fingerprint([first, second]) == fingerprint([second, first])
    assert fingerprint([first, second]) == fingerprint([first._replace(path="x"), second])
    for other in ({"sha256": "x"}, {"label": "b"}, {"part": "val"}):
        assert fingerprint([first._replace(**other), second]) != fingerprint([first, second])
