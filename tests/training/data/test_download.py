"""Cats and dogs are fetched, or it is said how to do it by hand."""

import shutil
import zipfile

import pytest

from kkcv import extras
from kkcv.errors import DataError, MissingExtra
from kkcv.training.data.download import arrange_pets, fetch_cats_dogs, unpack_kaggle
from tests.training.conftest import read_data


def test_without_a_network_it_says_what_to_do_by_hand(tmp_path):
    with pytest.raises(DataError) as caught:
        fetch_cats_dogs(tmp_path / "pets", "kaggle", offline="KKCV_OFFLINE")

    assert str(caught.value) == (
        "KKCV_OFFLINE is set, so nothing is fetched; by hand: log in at "
        "https://www.kaggle.com/c/dogs-vs-cats/data, download, unzip train.zip and test1.zip into "
        f"{tmp_path / 'pets'}, then: kkcv train {tmp_path / 'pets'} --out RUN"
    )


def test_without_the_library_it_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda module: None)

    with pytest.raises(MissingExtra, match=r"^kagglehub, .* pip install 'kkcv\[train\]'$"):
        fetch_cats_dogs(tmp_path / "pets", "kaggle")


def test_a_folder_with_pictures_is_left_alone(tmp_path):
    (tmp_path / "mine.jpg").touch()

    with pytest.raises(DataError, match="is not empty"):
        fetch_cats_dogs(tmp_path, "pets")

    assert (tmp_path / "mine.jpg").exists()


def test_kaggles_zips_become_labelled_pictures(pictures, tmp_path):
    cat = sorted((pictures / "cats_dogs/train/cats").iterdir())[0]
    with zipfile.ZipFile(tmp_path / "train.zip", "w") as archive:
        archive.write(cat, "train/cat.0.jpg")
        archive.write(cat, "train/dog.0.jpg")
    with zipfile.ZipFile(tmp_path / "test1.zip", "w") as archive:
        archive.write(cat, "test1/1.jpg")

    unpack_kaggle(tmp_path, tmp_path / "data")

    data = read_data(tmp_path / "data")
    assert data.classes == ("cat", "dog")
    assert data.unlabelled == ("test1/1.jpg",)


def test_the_oxford_pets_become_cats_and_dogs(pictures, tmp_path):
    base = tmp_path / "downloaded/oxford-iiit-pet"
    (base / "annotations").mkdir(parents=True)
    (base / "images").mkdir()
    rows = {"trainval": ["Abyssinian_1 1 1 1", "pug_1 2 2 1"], "test": ["pug_2 2 2 1"]}
    for split, lines in rows.items():
        (base / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")
        for line in lines:
            source = sorted((pictures / "cats_dogs/train/dogs").iterdir())[0]
            shutil.copy(source, base / "images" / f"{line.split()[0]}.jpg")
    (base / "annotations/trimaps").mkdir()

    arrange_pets(tmp_path, download=False)

    data = read_data(tmp_path)
    assert [(p.path, p.label, p.part) for p in data.pictures] == [
        ("test/dogs/pug_2.jpg", "dogs", "test"),
        ("train/cats/Abyssinian_1.jpg", "cats", "train"),
        ("train/dogs/pug_1.jpg", "dogs", "train"),
    ]
