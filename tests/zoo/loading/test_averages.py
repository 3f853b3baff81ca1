"""A file with an average of weights beside the raw ones: which are taken, and their ids."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from kkcv import zoo
from kkcv.checkpoint import Checkpoint, pretrained, resolve
from kkcv.disk import sha256_of
from kkcv.embedding.embedder import Embedder
from kkcv.errors import EmbedderMismatch, WeightsError
from kkcv.search.gallery import Gallery
from kkcv.zoo.loading.averages import may_hold_average

NETWORK = "shufflenet_v2_x0_5"
SAID = r"holds an average of the weights \(state_dict_ema\), which is taken"


def weights(seed: int) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return zoo.create(NETWORK).state_dict()


@pytest.fixture(scope="module")
def raw() -> dict[str, Tensor]:
    return weights(1)


@pytest.fixture(scope="module")
def average() -> dict[str, Tensor]:
    return weights(2)


@pytest.fixture
def both(tmp_path: Path, raw: dict[str, Tensor], average: dict[str, Tensor]) -> Path:
    path = tmp_path / "both.pth"
    torch.save({"state_dict": raw, "state_dict_ema": average}, path)
    return path


def built(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.build().state_dict()["head.weight"]


def test_the_id_of_an_average_names_it_and_that_of_raw_weights_is_the_files(both: Path) -> None:
    with pytest.warns(RuntimeWarning, match=SAID):
        average = pretrained(NETWORK, str(both))
    raw = pretrained(NETWORK, f"{both}:raw")

    assert average.weights_id == f"ema:{sha256_of(both)}"
    assert raw.weights_id == sha256_of(both)


def test_what_the_id_says_is_what_is_built(
    both: Path, raw: dict[str, Tensor], average: dict[str, Tensor]
) -> None:
    with pytest.warns(RuntimeWarning, match=SAID):
        chosen = pretrained(NETWORK, str(both))

    assert built(chosen).equal(average["head.weight"])
    assert built(pretrained(NETWORK, f"{both}:raw")).equal(raw["head.weight"])


def test_the_name_of_weights_that_were_found_finds_the_same_without_a_word(both: Path) -> None:
    with pytest.warns(RuntimeWarning, match=SAID):
        found = pretrained(NETWORK, str(both))

    assert found.weights_name == f"{both}:ema"
    assert resolve(NETWORK, found.weights_name) == found


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda raw: raw, id="plain"),
        pytest.param(lambda raw: {"state_dict": raw, "args": {"model_ema": True}}, id="an option"),
    ],
)
def test_a_file_without_an_average_has_its_sha256_for_an_id(
    raw: dict[str, Tensor], tmp_path: Path, content: Callable[[object], object]
) -> None:
    path = tmp_path / "w.pth"
    torch.save(content(raw), path)

    found = pretrained(NETWORK, str(path))

    assert (found.weights_id, found.weights_name) == (sha256_of(path), str(path))


def test_an_average_that_does_not_fit_leaves_the_id_of_the_raw_weights(
    raw: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "w.pth"
    torch.save({"model": raw, "ema": {"a.weight": torch.ones(3)}}, path)

    with pytest.warns(RuntimeWarning, match="does not fit; the raw ones are taken"):
        found = pretrained(NETWORK, str(path))

    assert found.weights_id == sha256_of(path)
    assert built(found).equal(raw["head.weight"])


def test_an_average_that_is_not_there_is_refused(raw: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save(raw, path)
    refusal = rf"^{path} holds no average of weights; leave ema=True \(--ema\) out$"

    with pytest.raises(WeightsError, match=refusal):
        zoo.create(NETWORK, weights=path, ema=True)
    with pytest.raises(WeightsError, match=refusal):
        pretrained(NETWORK, f"{path}:ema")


def test_ema_takes_the_average_without_a_word(both: Path, average: dict[str, Tensor]) -> None:
    network = zoo.create(NETWORK, weights=both, ema=True)

    assert network.state_dict()["head.weight"].equal(average["head.weight"])


def test_an_average_is_found_under_any_name_in_its_entry(
    raw: dict[str, Tensor], average: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "w.pth"
    torch.save({"model": raw, "ema": {"decay": 0.99, "shadow": average}}, path)

    network = zoo.create(NETWORK, weights=path, ema=True)

    assert network.state_dict()["head.weight"].equal(average["head.weight"])


def test_an_ending_that_is_in_the_name_of_the_file_is_part_of_it(
    raw: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "w:raw"
    torch.save(raw, path)

    assert zoo.create(NETWORK, weights=path).state_dict()["head.weight"].equal(raw["head.weight"])


@pytest.mark.parametrize("zipped", [True, False])
def test_names_in_a_pickle_tell_whether_it_may_hold_an_average(
    tmp_path: Path, zipped: bool
) -> None:
    noise = torch.randint(256, (1 << 20,), dtype=torch.uint8)  # has the letters "ema" by chance
    torch.save({"w": noise}, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    torch.save({"EMA": noise}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)

    assert may_hold_average(tmp_path / "a.pth")
    assert not zipped or not may_hold_average(tmp_path / "w.pth")


def test_names_in_safetensors_tell_whether_they_may_be_an_average(tmp_path: Path) -> None:
    noise = torch.randint(256, (1 << 20,), dtype=torch.uint8)
    save_file({"w": noise}, tmp_path / "w.safetensors")
    save_file({"ema.w": noise}, tmp_path / "a.safetensors")

    assert may_hold_average(tmp_path / "a.safetensors")
    assert not may_hold_average(tmp_path / "w.safetensors")


def loaded(name: str) -> Embedder:
    return Embedder.load(NETWORK, name, runtime="pytorch")


def test_a_gallery_refuses_the_other_weights_of_its_file(both: Path, tmp_path: Path) -> None:
    Gallery.create(tmp_path / "g.kkcv", loaded(f"{both}:ema")).close()

    with pytest.raises(EmbedderMismatch) as caught:
        Gallery.open(tmp_path / "g.kkcv", loaded(f"{both}:raw"))

    digest = sha256_of(both)
    assert f"weights ema:{digest[:8]}… here, {digest[:12]}… there" in str(caught.value)


def test_a_gallery_of_a_kkcv_that_took_no_averages_goes_on_with_the_raw_weights(
    both: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_RUNTIME", "pytorch")
    as_named_then = replace(pretrained(NETWORK, f"{both}:raw"), weights_name=str(both))
    Gallery.create(tmp_path / "g.kkcv", Embedder(as_named_then, runtime="pytorch")).close()

    with Gallery.open(tmp_path / "g.kkcv") as gallery:
        assert gallery.embedder.checkpoint.weights_name == f"{both}:raw"
