"""Which files are pictures, in which order."""

import errno
import os

import pytest

from kkcv.errors import DataError, PictureError
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures, labelled_pictures


@pytest.fixture
def album(tmp_path):
    """Writes files below a folder, and gives the folder."""

    def write(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"picture")
        return tmp_path

    return write


def names_in(folder, **options):
    return [path.relative_to(folder).as_posix() for path in find_pictures([folder], **options)]


def test_pictures_are_found_by_extension_in_the_order_of_names(album):
    folder = album("b.jpg", "a.PNG", "2024/z.HEIC", "2024/a.webp", "notes.txt", "Makefile")

    assert names_in(folder) == ["a.PNG", "b.jpg", "2024/a.webp", "2024/z.HEIC"]


def test_subfolders_can_be_left_out(album):
    folder = album("b.jpg", "2024/z.jpg")

    assert names_in(folder, recursive=False) == ["b.jpg"]


def test_hidden_files_and_thumbnails_of_the_system_are_left_out(album):
    folder = album(
        "a.jpg", "._a.jpg", ".thumbnails/a.jpg", "@eaDir/a.jpg/SYNO.jpg", "__MACOSX/._a.jpg"
    )

    assert names_in(folder) == ["a.jpg"]


def test_a_hidden_folder_that_is_asked_for_is_searched(album):
    folder = album(".album/a.jpg") / ".album"

    assert names_in(folder) == ["a.jpg"]


def test_a_folder_named_as_a_picture_is_a_folder(album):
    folder = album("holiday.jpg/inside.jpg")

    assert names_in(folder) == ["holiday.jpg/inside.jpg"]


def test_a_path_given_by_itself_is_taken_whatever_its_extension(album):
    folder = album("scan", "a.jpg")

    assert list(find_pictures([folder / "scan", folder / "a.jpg"])) == [
        folder / "scan",
        folder / "a.jpg",
    ]


def test_one_path_needs_no_list(album):
    folder = album("a.jpg")

    assert list(find_pictures(str(folder))) == [folder / "a.jpg"]


def test_a_loop_of_links_is_walked_once(album):
    folder = album("a.jpg", "deep/b.jpg")
    (folder / "deep" / "up").symlink_to(folder, target_is_directory=True)

    assert names_in(folder) == ["a.jpg", "deep/b.jpg"]


def test_a_linked_folder_is_searched(album, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "c.jpg").write_bytes(b"picture")
    folder = album("a.jpg")
    (folder / "more").symlink_to(elsewhere, target_is_directory=True)

    assert names_in(folder) == ["a.jpg", "more/c.jpg"]


def test_a_broken_link_is_found_so_that_it_is_reported(album):
    folder = album("a.jpg")
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")

    assert names_in(folder) == ["a.jpg", "gone.jpg"]
    with pytest.raises(PictureError) as caught:
        decode(folder / "gone.jpg")
    assert caught.value.reason == "not-found"


def test_a_path_that_does_not_exist_is_told_before_anything_is_found(album):
    folder = album("a.jpg")

    with pytest.raises(PictureError) as caught:
        find_pictures([folder, folder / "missing"])

    assert caught.value.reason == "not-found"
    assert str(caught.value) == f"{folder / 'missing'}: there is no file at this path"


@pytest.mark.parametrize("number", [errno.ESTALE, errno.ENOTCONN, errno.EIO])
def test_a_dead_mount_that_is_named_does_not_stop_the_others(album, monkeypatch, number):
    folder = album("a.jpg")
    dead = str(folder / "dead")
    lstat = os.lstat

    def of_the_system(path, **words):
        if os.fspath(path) == dead:
            raise OSError(number, os.strerror(number), dead)
        return lstat(path, **words)

    monkeypatch.setattr(os, "lstat", of_the_system)

    found = [str(path) for path in find_pictures([dead, folder])]

    assert found == [dead, str(folder / "a.jpg")]


def test_the_nasty_folder_lists_each_picture_once(pictures):
    found = list(find_pictures([pictures / "nasty"]))

    assert len(found) == len(set(found))
    assert pictures / "nasty/generated/UPPER.JPG" in found
    assert pictures / "nasty/generated/folder_named.jpg/inside.jpg" in found
    assert pictures / "nasty/generated/folder_named.jpg" not in found
    assert pictures / "nasty/generated/naïve café 猫🐱.jpg" in found
    assert pictures / "nasty/generated/no_extension" not in found
    assert pictures / "nasty/manifest.csv" not in found


def test_subfolders_are_classes(album):
    folder = album("cats/b.jpg", "cats/a.jpg", "dogs/rex/a.jpg", "README.md")

    assert labelled_pictures(folder) == [
        (folder / "cats/a.jpg", "cats"),
        (folder / "cats/b.jpg", "cats"),
        (folder / "dogs/rex/a.jpg", "dogs"),
    ]


def test_a_labelled_set_has_its_classes_and_numbers(pictures):
    pairs = labelled_pictures(pictures / "imagenette")

    assert len(pairs) == 1000
    assert len({label for _, label in pairs}) == 10


def test_a_folder_without_subfolders_has_no_classes(album):
    folder = album("a.jpg")

    with pytest.raises(DataError) as caught:
        labelled_pictures(folder)

    assert str(caught.value) == (
        f"{folder}: it has no subfolders; each class needs one, as cats/ dogs/"
    )


def test_a_class_without_pictures_is_left_out_and_listed(album):
    folder = album("cats/a.jpg", "dogs/notes.txt")
    without = []

    assert labelled_pictures(folder, without) == [(folder / "cats/a.jpg", "cats")]
    assert without == [folder / "dogs"]


def test_classes_without_any_picture_are_an_error(album):
    folder = album("cats/notes.txt", "dogs/notes.txt")

    with pytest.raises(DataError, match=r"there are no pictures in its subfolders$"):
        labelled_pictures(folder)


def test_a_labelled_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(DataError, match="there is no folder at this path"):
        labelled_pictures(tmp_path / "missing")
