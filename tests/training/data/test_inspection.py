"""Every picture is looked at before it is trained on."""

import csv
import shutil
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import DataError
from kkcv.training.data.inspection import groups, inspect_pictures, lines, report
from kkcv.training.data.source import read_data


def test_damaged_pictures_are_listed_with_the_reason_and_left_out(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    whole = (root / "train/cats").iterdir().__next__().read_bytes()
    (root / "train/cats/half.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "train/dogs/text.jpg").write_text("woof")
    (root / "val/dogs/empty.jpg").touch()

    inspection = inspect_pictures(read_data(root))

    found = {u.picture.path: u.reason for u in inspection.unreadable}
    assert found == {
        "train/cats/half.jpg": "truncated",
        "train/dogs/text.jpg": "not-an-image",
        "val/dogs/empty.jpg": "empty",
    }
    assert len(inspection.looked) == 72


def test_every_nasty_file_is_either_looked_at_or_listed(pictures, tmp_path):
    with (pictures / "nasty/manifest.csv").open() as manifest:
        files = [row["file"] for row in csv.DictReader(manifest)]
    rows = [f"{file},{i % 2}" for i, file in enumerate(files) if "huge" not in file]
    table = tmp_path / "nasty.csv"
    table.write_text("\n".join(["path,label", *rows]))

    inspection = inspect_pictures(read_data(table, root=pictures / "nasty"))

    assert len(inspection.looked) + len(inspection.unreadable) == len(rows)
    assert len(inspection.unreadable) > 5


def test_a_class_without_a_readable_picture_is_refused(tmp_path, cats_dogs):
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs/a.jpg").write_text("woof")
    shutil.copytree(cats_dogs / "val/cats", tmp_path / "cats")

    with pytest.raises(DataError, match="no picture of the class 'dogs' can be read; the first: "):
        inspect_pictures(read_data(tmp_path))


def test_near_duplicates_are_found_and_no_other_pair(pictures, tmp_path):
    root = pictures / "near_dup_caltech"

    inspection = inspect_pictures(read_data(root))

    labels = [each.picture.label for each in inspection.looked]
    expected = {(a, b) for a, b in combinations(range(len(labels)), 2) if labels[a] == labels[b]}
    assert {(p.a, p.b) for p in inspection.pairs} == expected
    assert len(expected) == 165


def test_different_pictures_are_no_duplicates(digits, cats_dogs):
    assert not inspect_pictures(read_data(digits)).pairs
    assert not inspect_pictures(read_data(cats_dogs)).pairs


def test_copies_across_the_split_are_called_leaks(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    first, second, *_ = sorted((root / "train/cats").iterdir())
    shutil.copy(first, root / "val/cats/again.jpg")
    shutil.copy(second, root / "val/dogs/changed.jpg")
    with Image.open(second) as image:
        image.resize((image.width // 2, image.height // 2)).save(root / "val/cats/small.jpg")

    inspection = inspect_pictures(read_data(root))
    found = report(inspection, [each.picture.part for each in inspection.looked])

    assert found["leaks"] == 3
    assert found["label_conflicts"] == 1  # of equal files, the first stands for all
    assert [pair["paths"][1] for pair in found["copies"]] == [
        "val/cats/again.jpg",
        "val/dogs/changed.jpg",
    ]
    leak = f"  leak: train/cats/{first.name} (train) is like val/cats/again.jpg (val)"
    assert leak in lines(found)


def test_the_report_counts_classes_and_names_the_smallest(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    Image.fromarray(np.zeros((5, 9, 3), np.uint8)).save(root / "train/dogs/tiny.png")

    inspection = inspect_pictures(read_data(root))
    found = report(inspection, [each.picture.part for each in inspection.looked])

    assert found["classes"] == {"cats": {"train": 24, "val": 12}, "dogs": {"train": 25, "val": 12}}
    assert found["smallest"][0] == {"path": "train/dogs/tiny.png", "width": 9, "height": 5}


def test_groups_are_what_pairs_connect():
    from kkcv.training.data.inspection import Pair

    found = groups(6, [Pair(0, 3, 0), Pair(3, 5, 9), Pair(1, 2, 4)])

    assert sorted(map(sorted, found)) == [[0, 3, 5], [1, 2], [4]]
