"""The table of public weights, against what the publishers' own packages say of them."""

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import metadata
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import timm
import torch
from pytorchcv.model_provider import get_model
from pytorchcv.models.common import model_store
from torch import Tensor, nn
from torchvision import models

from docs.zoo_pages.weights import markdown
from kkcv import zoo
from kkcv.zoo import parity, registry, weights
from kkcv.zoo.loading.conversion import convert
from kkcv.zoo.peers import Peer, parse, peers, peers_of
from kkcv.zoo.weights import Published, table

from .conftest import COUNTED

PUBLISHED = pytest.mark.parametrize("row", table(), ids=lambda row: f"{row.network}:{row.tag}")
TRANSFORM_INPUT = ("googlenet", "inception_v3")  # change normalized pixels in their forward
HALVES = (0.5, 0.5, 0.5)


@cache
def of_torchvision() -> Mapping[str, tuple[str, Any]]:
    """torchvision's (name, weights) by URL."""
    return {
        w.url: (name, w)
        for name in models.list_models(module=models)
        for w in models.get_model_weights(name)
    }


@cache
def of_timm() -> Mapping[str, tuple[str, Any]]:
    """timm's (name, configuration) by hub repository, or by URL where there is no repository."""
    configured = ((n, timm.get_pretrained_cfg(n)) for n in timm.list_pretrained())
    return {f"hub:{c.hf_hub_id}" if c.hf_hub_id else c.url: (n, c) for n, c in configured}


def theirs(row: Published, **options: object) -> nn.Module:
    """The publisher's network, as it is built for these weights."""
    if row.source in of_torchvision():
        name, _ = of_torchvision()[row.source]
        if name in TRANSFORM_INPUT:
            options |= {"aux_logits": True, "transform_input": True, "init_weights": False}
        return models.get_model(name, weights=None, **options)
    if row.tag == "pytorchcv":
        return get_model(row.file_name.partition("-")[0], **options)
    return timm.create_model(of_timm()[row.source][0].partition(".")[0], **options)


def downloadable() -> list[Published]:
    return [row for row in table() if row.url]


@PUBLISHED
def test_every_row_is_of_a_network_of_the_zoo(row: Published) -> None:
    assert row.network in registry.NETWORKS


def test_every_tag_and_every_file_is_there_once() -> None:
    tags = Counter((row.network, row.tag) for row in table())
    files = Counter((row.file_name, row.size) for row in table())

    assert set(tags.values()) == {1}
    assert set(files.values()) == {1}


def test_a_tag_with_a_size_is_the_same_file_for_larger_pictures() -> None:
    rows = {(row.network, row.tag): row for row in table()}
    larger = [row for row in table() if "@" in row.tag]

    assert len(larger) > 30
    for row in larger:
        tag, _, size = row.tag.partition("@")
        trained = rows[row.network, tag]
        assert row.size == int(size) > trained.size
        assert (
            replace(row, tag=tag, size=trained.size, resize=trained.resize, top1=trained.top1)
            == trained
        )
        assert row.top1 > trained.top1


def test_the_rows_of_a_network_stand_together() -> None:
    networks = [network for network, _ in groupby(table(), key=lambda row: row.network)]

    assert len(networks) == len(set(networks))


@PUBLISHED
def test_every_source_is_complete(row: Published) -> None:
    if row.source.startswith("hub:"):
        assert re.fullmatch(r"hub:timm/[\w.]+", row.source)
        assert row.digest == ""  # told by the hub as it sends the file
        assert row.url == f"https://huggingface.co/{row.source[4:]}/resolve/main/model.safetensors"
    elif row.source.startswith("package:"):
        assert re.fullmatch("[0-9a-f]{64}", row.digest)
    elif row.source.endswith(".zip"):
        kind, _, digits = row.digest.partition(":")
        assert (kind, len(digits)) == ("sha1", 40)
        assert row.source.endswith(f"-{digits[:8]}.pth.zip")
    else:
        parts = urlsplit(row.source)
        assert parts.scheme == "https"
        assert parts.hostname in ("download.pytorch.org", "github.com")
        assert re.fullmatch("[0-9a-f]{8,}", row.digest)
        assert row.source.endswith(f"-{row.digest}.pth")


@PUBLISHED
def test_every_preprocessing_is_complete(row: Published) -> None:
    assert row.size <= row.resize <= 1.2 * row.size
    assert row.size >= registry.NETWORKS[row.network].min_size
    assert row.interpolation in ("bilinear", "bicubic")
    assert len(row.mean) == len(row.std) == 3
    assert all(0 <= mean < 1 and 0 < std <= 1 for mean, std in zip(row.mean, row.std, strict=True))
    assert row.trained_in in registry.TRAINERS


@pytest.mark.parametrize("row", [r for r in downloadable() if r.source in of_torchvision()])
def test_torchvisions_rows_say_what_torchvision_says(row: Published) -> None:
    name, theirs = of_torchvision()[row.source]
    transforms, normalized = theirs.transforms(), name not in TRANSFORM_INPUT

    assert row.top1 == theirs.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert [row.size] == transforms.crop_size
    assert [row.resize] == transforms.resize_size
    assert row.interpolation == transforms.interpolation.value
    assert row.mean == (tuple(transforms.mean) if normalized else HALVES)
    assert row.std == (tuple(transforms.std) if normalized else HALVES)
    assert row.license == "BSD-3-Clause"
    assert row.trained_in == "pytorch"


@pytest.mark.parametrize("row", [r for r in downloadable() if r.source in of_timm()])
def test_timms_rows_say_what_timm_says(row: Published) -> None:
    name, theirs = of_timm()[row.source]
    tests = "@" in row.tag

    size, crop = (
        (theirs.test_input_size, theirs.test_crop_pct or theirs.crop_pct)
        if tests
        else (theirs.input_size, theirs.crop_pct)
    )
    assert (3, row.size, row.size) == size
    assert row.resize == math.floor(row.size / crop)
    assert theirs.crop_mode == "center"
    assert row.interpolation == theirs.interpolation
    assert row.mean == theirs.mean
    assert row.std == theirs.std
    assert row.license.lower() == theirs.license
    assert theirs.num_classes == row.classes
    assert (row.top1 is None) == (row.classes != 1000)
    assert not theirs.label_offset
    assert row.trained_in == ("tensorflow" if name.startswith("tf_") else "timm")


@pytest.mark.parametrize("row", [r for r in table() if r.tag == "pytorchcv"])
def test_pytorchcvs_rows_say_what_pytorchcv_says(row: Published) -> None:
    name = next(name for name in pytorchcvs(row.network) if f"/{name}-" in row.source)

    _, error, sha1, release = model_store.get_model_metainfo(name)

    assert row.url.endswith(f"/releases/download/{release}/{name}-{error}-{sha1[:8]}.pth.zip")
    assert row.url.startswith(model_store.imgclsmob_repo_url)
    assert row.digest == f"sha1:{sha1}"
    assert row.file_name == f"{name}-{error}-{sha1[:8]}.pth"
    assert (row.license, row.trained_in) == ("MIT", "pytorch")
    assert (row.size, row.resize) == (224, 256)


def pytorchcvs(network: str) -> list[str]:
    """The names of a network in pytorchcv, where it is the same network."""
    return [
        parse(peer.call)[0]
        for peer in peers_of(network)
        if peer.library == "pytorchcv" and not peer.differs
    ]


@pytest.mark.parametrize("row", [r for r in table() if r.tag == "pytorchcv"])
def test_pytorchcvs_accuracies_are_those_of_its_readme(row: Published) -> None:
    readme = metadata("pytorchcv")["Description"] or metadata("pytorchcv").get_payload()
    file = row.file_name.removesuffix(".pth")

    (line,) = {line for line in str(readme).splitlines() if f"/{file}.pth.log" in line}

    assert row.top1 == pytest.approx(100 - float(line.split("|")[2]))


def test_the_accuracies_are_those_that_the_reference_found(shared: Path) -> None:
    """timm's package does not tell them: they are in a table of its repository."""
    entries = json.loads((shared / "reference" / "zoo_reference.json").read_text())["entries"]
    reported = {
        (found["weights"], found["input"]): found["acc1"]
        for entry in entries
        for found in entry["published_top1"] or ()
        if found["source"].startswith("timm results")
    }
    rows = [row for row in downloadable() if row.source in of_timm()]

    known = [row for row in rows if (of_timm()[row.source][0], row.size) in reported]

    assert len(known) > 100
    assert all(row.top1 == reported[of_timm()[row.source][0], row.size] for row in known)
    newer = {registry.NETWORKS[row.network].family.name for row in rows if row not in known}
    assert newer <= set(COUNTED)  # families that the reference does not know


def test_every_network_that_a_peer_has_weights_for_has_a_row() -> None:
    offered = {peer.network for peer in peers() if not peer.differs and weights_of(peer)}

    assert len(offered) > 70
    assert offered <= {row.network for row in table()}


def weights_of(peer: Peer) -> list[str]:
    """The names of a peer's ImageNet weights; none for widths that only an argument makes."""
    name, arguments = parse(peer.call)
    if arguments.keys() - {"aux_logits"}:
        return []
    if peer.library == "torchvision":
        return [w.name for w in models.get_model_weights(name)]
    if peer.library == "pytorchcv":
        trained = model_store.get_model_metainfo_dict().get(name)
        return [name] if trained and trained[1] != "NA" else []
    if peer.library == "timm":
        tags = timm.list_pretrained(f"{name}.*")
        return [tag for tag in tags if timm.get_pretrained_cfg(tag).num_classes == 1000]
    return []


def test_of_torchvisions_weights_only_those_without_a_classifier_are_left_out() -> None:
    ours = {row.source for row in table()}
    names = {of_torchvision()[source][0] for source in ours & of_torchvision().keys()}

    left_out = {url for url, (name, _) in of_torchvision().items() if name in names} - ours

    assert {url.rpartition("/")[2] for url in left_out} == {"vgg16_features-amdegroot-88682ab5.pth"}


def publisher(row: Published) -> str:
    if row.source in of_torchvision():
        return "torchvision"
    return "timm" if row.source in of_timm() else "pytorchcv"


def one_of_each_build() -> list[Published]:
    """Of each network and publisher the first row: its other rows have the same tensors."""
    builds = {(row.network, publisher(row)): row for row in reversed(downloadable())}
    return list(reversed(builds.values()))


@pytest.mark.parametrize("row", one_of_each_build(), ids=lambda row: f"{row.network}:{row.tag}")
def test_the_publishers_names_and_shapes_become_ours(row: Published) -> None:
    with torch.device("meta"):
        ours = registry.NETWORKS[row.network].build(1000, 3)
        state = convert(theirs(row).state_dict(), ours, registry.NETWORKS[row.network].family.name)

    used = {k: v.shape for k, v in state.items() if not k.startswith("auxiliary.")}
    assert used == {k: v.shape for k, v in ours.state_dict().items()}


def one_of_each_kind() -> list[Published]:
    """Of each family, publisher, arithmetic and normalization the first row: a small network.

    Of pytorchcv one is enough: all have one normalization, and ``test_proof_parity.py`` the rest.
    """
    kinds: dict[object, Published] = {}
    for row in downloadable():
        family = "" if row.tag == "pytorchcv" else registry.NETWORKS[row.network].family.name
        kinds.setdefault((family, publisher(row), row.trained_in, row.mean), row)
    return list(kinds.values())


@pytest.mark.parametrize("row", one_of_each_kind(), ids=lambda row: f"{row.network}:{row.tag}")
def test_ours_and_the_publishers_network_score_the_same_pixels_alike(
    row: Published, tmp_path: Path
) -> None:
    """Each with its own normalization: what one does in its forward, ours has in the table."""
    side = 299 if row.network == "inception_v3" else 96  # its auxiliary head takes no less
    pixels = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    mean, std = publishers_normalization(row)
    with torch.device("meta"):
        network = theirs(row)
    if row.tag == "pytorchcv":
        parity.accept_any_size(network)
    parity.settle(parity.fill(network), normalized(pixels, mean, std))
    torch.save(network.state_dict(), tmp_path / "weights.pth")

    ours = zoo.create(row.network, weights=tmp_path / "weights.pth", trained_in=row.trained_in)

    with torch.no_grad():
        scores = ours(normalized(pixels, row.mean, row.std))
        expected = network(normalized(pixels, mean, std))
    assert parity.difference(scores, expected) < 1e-4
    assert parity.difference(expected[:1], expected[1:]) > 0.01  # they do depend on the picture


def publishers_normalization(row: Published) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if row.source in of_torchvision():
        transforms = of_torchvision()[row.source][1].transforms()
        return tuple(transforms.mean), tuple(transforms.std)
    if row.tag == "pytorchcv":  # "the same ordinary normalization" for all, says its README
        return (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return of_timm()[row.source][1].mean, of_timm()[row.source][1].std


def normalized(pixels: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    return (pixels - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)


def test_the_table_in_the_documentation_is_this_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "weights.md"

    assert markdown() in page.read_text(encoding="utf-8")


def test_the_documentation_says_how_many_networks_have_weights_and_why_others_have_none() -> None:
    page = (Path(__file__).parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("## Networks without public weights")
    section, _, _ = rest.partition("\n## ")
    reasons = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]

    networks, weighted = set(zoo.names()), {row.network for row in table()}
    named = {name for names, why in reasons for name in re.findall("`([^`]+)`", names) if why}
    assert named == networks - weighted
    assert f"{len(weighted)} of {len(networks)} networks have public weights." in section


def test_the_file_has_no_column_that_nobody_reads() -> None:
    with (Path(weights.__file__).parent / "weights.csv").open(encoding="utf-8") as lines:
        columns = next(csv.reader(lines))

    assert tuple(columns) == tuple(Published.__dataclass_fields__)
