"""Every picture is looked at before it is trained on."""

import csv
import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import DataError
from kkcv.training.data.inspection import inspect_pictures
from kkcv.training.data.report import Small, report
from kkcv.training.data.split import Split
from tests.training.conftest import read_data


def test_damaged_pictures_are_listed_with_the_reason_and_left_out(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    whole = (root / "train/cats").iterdir().__next__().read_bytes()
    (root / "train/cats/half.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "train/dogs/text.jpg").write_text("woof")
    (root / "val/dogs/empty.jpg").touch()

    inspection = inspect_pictures(read_data(root))

    found = {u.path: u.reason for u in inspection.unreadable}
    assert found == {
        "train/cats/half.jpg": "truncated",
        "train/dogs/text.jpg": "not-an-image",
        "val/dogs/empty.jpg": "empty",
    }
    assert len(inspection.readable) == 72


def test_paths_that_begin_elsewhere_are_counted_and_the_option_is_named(digits, tmp_path):
    (tmp_path / "t").mkdir()
    table = tmp_path / "t/t.csv"
    rows = [
        f"digits/{path.relative_to(digits)},{path.parent.name}" for path in digits.rglob("*.png")
    ]
    table.write_text("\n".join(["path,label", *rows]))

    with pytest.raises(DataError) as caught:
        inspect_pictures(read_data(table))

    first = rows[0].partition(",")[0]
    assert str(caught.value) == (
        f"60 of 60 paths are not found below {tmp_path / 't'}, the first: {first}; "
        "--root names the folder where they begin"
    )


def test_every_nasty_file_is_either_looked_at_or_listed(pictures, tmp_path):
    with (pictures / "nasty/manifest.csv").open() as manifest:
        files = [row["file"] for row in csv.DictReader(manifest)]
    rows = [f"{file},{i % 2}" for i, file in enumerate(files) if "huge" not in file]
    table = tmp_path / "nasty.csv"
    table.write_text("\n".join(["path,label", *rows]))

    inspection = inspect_pictures(read_data(table, root=pictures / "nasty"))

    assert len(inspection.readable) + len(inspection.unreadable) == len(rows)
    assert len(inspection.unreadable) > 5


def test_a_class_without_a_readable_picture_is_refused(tmp_path, cats_dogs):
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs/a.jpg").write_text("woof")
    shutil.copytree(cats_dogs / "val/cats", tmp_path / "cats")

    with pytest.raises(DataError, match="no picture of the class 'dogs' can be read; the first: "):
        inspect_pictures(read_data(tmp_path))


def test_resized_copies_are_found_and_nothing_else(pictures):
    inspection = inspect_pictures(read_data(pictures / "near_dup_caltech"))

    labels = [picture.label for picture in inspection.pictures]
    expected = {label: [i for i, x in enumerate(labels) if x == label] for label in labels}
    assert sorted(inspection.groups) == sorted(expected.values())
    assert len(expected) == 17


def test_different_pictures_are_no_duplicates(digits, cats_dogs):
    assert alike(digits) == alike(cats_dogs) == []


def test_flat_pictures_are_not_alike_by_accident(tmp_path):
    for label, greys in (("blank", range(200, 240)), ("dark", range(10, 20))):
        (tmp_path / label).mkdir()
        for grey in greys:
            Image.new("RGB", (60, 80), (grey, grey, grey)).save(tmp_path / label / f"{grey}.png")

    assert alike(tmp_path) == []


def test_ten_thousand_links_to_one_file_are_one_group(tmp_path):
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 255, (9, 9, 3), np.uint8)).save(tmp_path / "one.png")
    Image.fromarray(generator.integers(0, 255, (9, 9, 3), np.uint8)).save(tmp_path / "two.png")
    for label, target, count in (("a", "one.png", 10_000), ("b", "two.png", 3)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(count):
            (tmp_path / "data" / label / f"{i}.png").symlink_to(tmp_path / target)

    inspection = inspect_pictures(read_data(tmp_path / "data"))

    assert [len(group) for group in inspection.groups] == [10_000, 3]


def test_groups_are_told_by_size_and_first_members_however_large_they_are(tmp_path):
    generator = np.random.default_rng(0)
    for label, count in (("camera", 300), *((f"twins {i}", 2) for i in range(12))):
        (tmp_path / label).mkdir()
        scene = generator.integers(0, 255, (9, 9, 3), np.uint8)
        for i in range(count):
            noise = generator.integers(-2, 3, scene.shape)
            changed = np.clip(scene + noise, 0, 255).astype(np.uint8)
            Image.fromarray(changed).resize((72, 72)).save(tmp_path / label / f"{i:03}.png")
    data = read_data(tmp_path)
    inspection = inspect_pictures(data)

    found = report(data, inspection, Split(["train"] * len(inspection.pictures)))

    lines = [line for line in found.lines() if "alike" in line or "more" in line]
    first = ", ".join(f"camera/{i:03}.png" for i in range(5))
    assert lines[0] == f"  alike: 300 pictures (300 train): {first}, …"
    assert lines[10] == "  … and 3 more, all in data.json"
    assert [group.size for group in found.duplicates] == [300, *[2] * 12]
    assert len(json.dumps(asdict(found))) < 10_000


def alike(root):
    return [group for group in inspect_pictures(read_data(root)).groups if len(group) > 1]


def test_copies_across_the_split_are_called_leaks(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    first, second, *_ = sorted((root / "train/cats").iterdir())
    shutil.copy(first, root / "val/cats/again.jpg")
    shutil.copy(second, root / "val/dogs/changed.jpg")
    with Image.open(second) as image:
        image.resize((image.width // 2, image.height // 2)).save(root / "val/cats/small.jpg")

    data = read_data(root)
    inspection = inspect_pictures(data)
    found = report(data, inspection, Split([picture.part for picture in inspection.pictures]))

    assert [group.paths for group in found.leaks] == [
        [f"train/cats/{second.name}", "val/cats/small.jpg", "val/dogs/changed.jpg"],
        [f"train/cats/{first.name}", "val/cats/again.jpg"],
    ]
    assert [group.copies for group in found.leaks] == [1, 1]
    assert [group.labels for group in found.conflicts] == [{"cats": 2, "dogs": 1}]
    assert "2 exact copies, 1 near duplicates; 2 groups across the split, 1 with two labels" in (
        found.lines()
    )
    assert f"  alike: 2 pictures (1 train, 1 val): {', '.join(found.leaks[1].paths)}" in (
        found.lines()
    )


def test_the_report_counts_classes_and_names_the_smallest(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    Image.fromarray(np.zeros((5, 9, 3), np.uint8)).save(root / "train/dogs/tiny.png")
    (root / "train/loose.png").symlink_to(root / "train/dogs/tiny.png")

    data = read_data(root)
    inspection = inspect_pictures(data)
    found = report(data, inspection, Split([picture.part for picture in inspection.pictures]))

    assert found.classes == {"cats": {"train": 24, "val": 12}, "dogs": {"train": 25, "val": 12}}
    assert found.smallest[0] == Small("train/dogs/tiny.png", 9, 5)
    assert "left out, in no class folder: train/loose.png" in found.lines()


def test_classes_whose_names_are_nearly_the_same_are_told(cats_dogs, copy_of):
    root = copy_of(cats_dogs)
    picture = next((root / "train/dogs").iterdir())
    for name in ("Hot dogs", "hot_dogs"):
        (root / "train" / name).mkdir()
        (root / "train" / name / picture.name).symlink_to(picture)

    inspection = inspect_pictures(read_data(root))
    parts = [picture.part for picture in inspection.pictures]
    lines = report(read_data(root), inspection, Split(parts)).lines()

    warning = "their names differ in case or spaces alone: 'Hot dogs', 'hot_dogs'"
    assert [line for line in lines if "warning" in line and line.endswith(warning)]
