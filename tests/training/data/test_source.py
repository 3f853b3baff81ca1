"""Labelled pictures are found however they lie."""

import re

import pytest

from kkcv.errors import DataError
from kkcv.training.data.labelled import Picture
from kkcv.training.data.source import read_data


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not looked at")
    return root


def test_folders_are_classes(tmp_path):
    make(tmp_path, "dogs/b.jpg", "dogs/deep/c.PNG", "cats/a.jpg", "cats/notes.txt")

    data = read_data(tmp_path)

    assert data.classes == ("cats", "dogs")
    assert data.pictures == (
        Picture("cats/a.jpg", "cats"),
        Picture("dogs/b.jpg", "dogs"),
        Picture("dogs/deep/c.PNG", "dogs"),
    )


def test_train_val_and_test_are_parts(tmp_path):
    names = [f"{part}/{label}/1.jpg" for part in ("train", "valid", "test") for label in "ab"]
    make(tmp_path, *names)

    data = read_data(tmp_path)

    assert [p.path for p in data.of("val")] == ["valid/a/1.jpg", "valid/b/1.jpg"]
    assert len(data.of("train")) == len(data.of("test")) == 2


def test_a_class_may_be_called_test(tmp_path):
    make(tmp_path, "test/1.jpg", "exam/1.jpg")

    assert read_data(tmp_path).classes == ("exam", "test")


def test_kaggles_zip_is_taken_as_it_unzips(tmp_path):
    make(tmp_path, "train/cat.0.jpg", "train/dog.0.jpg", "train/dog.10.jpg", "test1/2.jpg")

    data = read_data(tmp_path)

    assert data.pictures == (
        Picture("train/cat.0.jpg", "cat"),
        Picture("train/dog.0.jpg", "dog"),
        Picture("train/dog.10.jpg", "dog"),
    )
    assert data.unlabelled == ("test1/2.jpg",)
    assert read_data(tmp_path / "train").classes == ("cat", "dog")


def test_a_test_folder_without_classes_is_unlabelled(tmp_path):
    make(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "test/x.jpg")

    data = read_data(tmp_path)

    assert data.unlabelled == ("test/x.jpg",)
    assert not data.of("test")


def test_a_csv_names_path_label_and_part(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("\ufefffile,Label,split\nx/1.jpg,猫,train\n2.jpg,狗,validation\n", "utf-8")

    data = read_data(table)

    assert data.root == tmp_path
    assert data.pictures == (Picture("x/1.jpg", "猫", "train"), Picture("2.jpg", "狗", "val"))


def test_columns_of_a_csv_can_be_chosen(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("id,breed,label\n1.jpg,pug,x\n2.jpg,boxer,x\n")

    data = read_data(table, path_column="id", label_column="breed", root=tmp_path / "pictures")

    assert data.classes == ("boxer", "pug")
    assert data.root == tmp_path / "pictures"


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read_data(path, **options)
    return str(caught.value)


def test_a_missing_label_column_is_named_with_those_that_there_are(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,breed\n1.jpg,pug\n")

    assert refusal(table) == (
        f"{table} has no column labels (one of: label, class, category, target); "
        "it has: path, breed; choose with --label-column"
    )
    assert "no column 'kind'" in refusal(table, label_column="kind")


def test_a_row_without_a_label_is_named(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n1.jpg,a\n2.jpg,\n")

    assert refusal(table) == f"{table}, row 3: there is no label (column 'path' or 'label')"


def test_a_part_that_is_none_is_named(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label,part\n1.jpg,a,holdout\n")

    assert refusal(table) == f"{table}, row 2: no part 'holdout'; there are: train, val, test"


def test_an_empty_class_folder_is_refused(tmp_path):
    make(tmp_path, "cats/a.jpg", "dogs/notes.txt")

    assert refusal(tmp_path) == f"{tmp_path / 'dogs'}: there are no pictures of this class"


def test_one_class_is_refused(tmp_path):
    make(tmp_path, "cats/a.jpg")

    assert refusal(tmp_path) == (
        f"{tmp_path}: there is one class, 'cats'; a classifier needs two or more"
    )


def test_pictures_without_any_class_are_refused(tmp_path):
    make(tmp_path, "a.jpg", "b.jpg")

    assert "a.jpg says no class; pictures lie in one folder a class" in refusal(tmp_path)


def test_two_labels_for_one_picture_are_refused(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n1.jpg,a\n1.jpg,b\n")

    assert refusal(tmp_path / "t.csv") == f"{table}: 1.jpg has two labels, 'a' and 'b'"


@pytest.mark.parametrize("name", ["nothing", "pictures.zip"])
def test_what_is_no_data_is_refused_with_what_would_be(tmp_path, name):
    (tmp_path / "pictures.zip").write_bytes(b"PK")

    assert re.search(r"give a folder or a \.csv|no folder and no \.csv", refusal(tmp_path / name))
