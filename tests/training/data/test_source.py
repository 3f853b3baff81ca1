"""Labelled pictures are found however they lie."""

import re

import pytest

from kkcv.errors import DataError
from kkcv.training.data.labelled import Picture
from kkcv.training.run_folder import RunFolder
from tests.training.conftest import read_data


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


def test_kaggles_zips_are_taken_as_windows_unzips_them(tmp_path):
    make(tmp_path, "train/train/cat.0.jpg", "train/train/dog.0.jpg", "test1/test1/2.jpg")

    data = read_data(tmp_path)

    assert data.classes == ("cat", "dog")
    assert data.unlabelled == ("test1/test1/2.jpg",)
    assert not data.loose


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


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gbk"])
def test_a_csv_is_read_as_spreadsheets_write_it(tmp_path, encoding, separator):
    lines = [" File ; Label ", "x\\1.jpg;猫", '2.jpg;"狗; 大"', ";"]
    text = "\r\n".join(lines).replace("; 大", "@").replace(";", separator).replace("@", "; 大")
    table = tmp_path / "t.csv"
    table.write_bytes(text.encode(encoding))

    assert read_data(table).pictures == (Picture("x/1.jpg", "猫"), Picture("2.jpg", "狗; 大"))


def test_the_columns_of_a_csv_may_have_chinese_names(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("文件名;类别\n1.jpg;猫\n", "gbk")

    assert read_data(table).pictures == (Picture("1.jpg", "猫"),)


def test_a_western_csv_is_not_taken_for_chinese(tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes(
        "sep=;\npath;label\n1.jpg;Käfer\n2.jpg;Bär\n3.jpg;Châtaigne\n".encode("cp1252")
    )

    assert read_data(table).classes == ("Bär", "Châtaigne", "Käfer")


def test_paths_of_another_computer_are_found_below_the_root(tmp_path):
    make(tmp_path, "pets/cats/1.jpg", "pets/dogs/2.jpg")
    table = tmp_path / "t.csv"
    table.write_text("path,label\nC:\\me\\pets\\cats\\1.jpg,a\n.\\dogs\\2.jpg,b\n./dogs/3.jpg,b\n")

    data = read_data(table, root=tmp_path / "pets")

    assert [p.path for p in data.pictures] == ["cats/1.jpg", "dogs/2.jpg", "dogs/3.jpg"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path,label\n1.jpg,cat|dog\n2.jpg,cat\n3.jpg,dog", "several labels a cell, as 'cat|dog'"),
        ("path,label\n1.jpg,cat|dog\n2.jpg,cat", "several labels a cell, as 'cat|dog'"),
        ("path;label\n1.jpg;cat|dog\n2.jpg;bird|dog", "several labels a cell, as 'bird|dog'"),
        ('path,label\n1.jpg,"cat, dog"\n2.jpg,cat\n3.jpg,dog', "several labels a cell"),
        ("path,label\n1.jpg,\"['cat', 'dog']\"\n2.jpg,['cat']\n3.jpg,['dog']", "several labels"),
        ("path,cat,dog\n1.jpg,1,1\n2.jpg,0,1", "it has columns of 0 and 1: cat, dog"),
        ("path,tags\n1.jpg,haze primary\n2.jpg,clear", "it has a column 'tags'"),
    ],
)
def test_a_multi_label_table_is_refused_in_a_line_that_says_so(tmp_path, text, why):
    table = tmp_path / "t.csv"
    table.write_text(text)

    message = refusal(table)

    assert message.startswith(f"{table} is a multi-label table, which cannot be trained on: ")
    assert why in message
    assert "\n" not in message


def test_names_with_a_separator_are_trained_on_where_their_column_is_chosen(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n1.jpg,A|1\n2.jpg,A|2\n3.jpg,B|1\n")

    assert "as 'A|1'; if that is one name, choose --label-column label" in refusal(table)
    assert read_data(table, label_column="label").classes == ("A|1", "A|2", "B|1")


@pytest.mark.parametrize("rows", ["1.jpg,a|b\n2.jpg,b|c\n", "1.jpg,a|b\n2.jpg,b\n"])
def test_labels_that_stand_elsewhere_too_are_refused_in_a_chosen_column(tmp_path, rows):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n" + rows)

    assert "if that is one name, write it without '|'" in refusal(table, label_column="label")


def test_commas_in_names_are_not_several_labels(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text('path,label\n1.jpg,"Paris, France"\n2.jpg,"Lyon, France"\n3.jpg,Rome\n')

    assert read_data(table).classes == ("Lyon, France", "Paris, France", "Rome")


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 9)

    assert re.search(
        "is not a table|cannot be read as a CSV|has no column", refusal(tmp_path / "t.csv")
    )


@pytest.mark.parametrize("row", ["cats/1.jpg,1,0", "cats/1.JPG|cat", "0;cats/1.png"])
def test_a_table_without_a_header_is_refused_as_that(tmp_path, row):
    table = tmp_path / "t.csv"
    table.write_text(f"{row}\n{row}\n")

    assert refusal(table) == (
        f"{table} has no header: its first row is {', '.join(re.split('[,;|]', row))}; "
        "write one above it, as path,label"
    )


@pytest.mark.parametrize("option", ["path_column", "label_column", "root"])
def test_options_of_a_table_are_refused_for_a_folder(tmp_path, option):
    make(tmp_path, "cats/a.jpg", "dogs/b.jpg")

    assert refusal(tmp_path, **{option: "x"}) == (
        f"--{option.replace('_', '-')} is for a CSV, and {tmp_path} is a folder, whose subfolders "
        "are the classes; give the CSV itself"
    )


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
        f"{table} has no column labels (one of: label, class, category, target, 标签, 类别); "
        "it has: path, breed; choose with --label-column"
    )
    assert "no column 'kind'" in refusal(table, label_column="kind")


def test_a_row_without_a_label_is_named(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n1.jpg,a\n2.jpg,\n")

    assert refusal(table) == f"{table}, row 3: there is no label (column 'label')"


def test_a_part_that_is_none_is_named(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label,part\n1.jpg,a,holdout\n")

    assert refusal(table) == f"{table}, row 2: no part 'holdout'; there are: train, val, test"


def test_an_empty_class_folder_is_left_out_and_listed(tmp_path):
    make(tmp_path, "cats/a.jpg", "cows/b.jpg", "dogs/notes.txt")

    data = read_data(tmp_path)

    assert data.classes == ("cats", "cows")
    assert data.empty == ("dogs",)


def test_pictures_in_no_class_folder_are_left_out_and_listed(tmp_path):
    make(tmp_path, "a.jpg", "train/b.jpg", "more/c.jpg", "train/x/d.jpg", "train/y/e.jpg")
    make(tmp_path, "test1/f.jpg", "notes.txt", ".hidden/g.jpg")

    data = read_data(tmp_path)

    assert [picture.path for picture in data.pictures] == ["train/x/d.jpg", "train/y/e.jpg"]
    assert data.unlabelled == ("test1/f.jpg",)
    assert data.loose == ("a.jpg", "more/c.jpg", "train/b.jpg")


def test_hidden_folders_are_no_classes(tmp_path):
    make(tmp_path, "cats/a.jpg", "dogs/b.jpg", ".ipynb_checkpoints/c.jpg", "cats/.cache/d.jpg")

    assert [picture.path for picture in read_data(tmp_path).pictures] == [
        "cats/a.jpg",
        "dogs/b.jpg",
    ]


def test_a_run_beside_the_classes_is_none(tmp_path):
    make(tmp_path, "cats/a.jpg", "dogs/b.jpg", "run/plots/c.png")
    for name in (RunFolder(tmp_path / "run").recipe, RunFolder(tmp_path / "run").split):
        name.touch()

    data = read_data(tmp_path)

    assert (data.classes, data.empty, data.loose) == (("cats", "dogs"), (), ())


def test_a_hidden_folder_does_not_hide_that_pictures_have_no_class(tmp_path):
    make(tmp_path, "a.jpg", ".ipynb_checkpoints/b.jpg")

    assert "a.jpg has no class" in refusal(tmp_path)


def test_one_class_is_too_few_to_train_on(tmp_path):
    make(tmp_path, "cats/a.jpg", "dogs/notes.txt")

    with pytest.raises(DataError) as caught:
        read_data(tmp_path).check_trainable()

    assert str(caught.value) == (
        f"{tmp_path}: there is one class, 'cats' (without pictures: dogs); "
        "a classifier needs two or more"
    )


def test_a_folder_around_the_classes_is_named(tmp_path):
    make(tmp_path, "PetImages/cats/a.jpg", "PetImages/dogs/b.jpg")

    with pytest.raises(DataError, match=rf"are the classes, give {tmp_path}/PetImages$"):
        read_data(tmp_path).check_trainable()


def test_pictures_without_any_class_are_refused(tmp_path):
    make(tmp_path, "a.jpg", "b.jpg")

    assert "a.jpg has no class; pictures lie in one folder a class" in refusal(tmp_path)


def test_two_labels_for_one_picture_are_refused(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n1.jpg,a\n1.jpg,b\n")

    assert refusal(tmp_path / "t.csv") == (
        f"{table}: 1.jpg has two labels, 'a' and 'b'; multi-label data cannot be trained on: "
        "a picture has one label"
    )


@pytest.mark.parametrize("name", ["nothing", "pictures.zip"])
def test_what_is_no_data_is_refused_with_what_would_be(tmp_path, name):
    (tmp_path / "pictures.zip").write_bytes(b"PK")

    assert re.search(r"give a folder or a \.csv|no folder and no \.csv", refusal(tmp_path / name))
