"""Every line of the table says what the library itself says of the network."""

from pathlib import Path

import pytest
import torch

from docs.embedder_tables import figures as quoted
from docs.embedder_tables import table, terms
from kkcv.adapters.preset import preprocess_of
from kkcv.errors import RequestError, UnknownNetwork
from kkcv.presets.preset import Preset, find, near, presets
from kkcv.presets.table import EMBEDDED, figures, rows
from kkcv.zoo.recorded import recorded
from kkcv.zoo.weights import published

WORDS = [
    "dinov3-small",
    "dinov3-base",
    "dinov3-large",
    "dinov3-convnext-tiny",
    "dinov2-small",
    "siglip2-base",
    "siglip2-large",
    "pe-core-small",
    "pe-core-base",
    "pe-core-large",
    "mobileclip2-s0",
    "mobileclip2-s2",
]
OF_TIMM = [preset for preset in presets().values() if preset.library == "timm"]
OF_OPEN_CLIP = [preset for preset in presets().values() if preset.library == "open_clip"]


def test_there_is_a_line_for_each_word() -> None:
    assert list(presets()) == WORDS


@pytest.mark.parametrize("preset", OF_TIMM, ids=lambda p: p.name)
def test_a_line_says_what_timm_says(preset: Preset) -> None:
    import timm

    with torch.device("meta"):
        model = timm.create_model(preset.model, num_classes=0, pretrained=False)
    config = timm.data.resolve_model_data_config(model)
    spec = preprocess_of(preset)

    assert timm.get_pretrained_cfg(preset.model).hf_hub_id == preset.repository
    assert sum(p.numel() for p in model.parameters()) == preset.parameters
    assert model.num_features == preset.numbers
    assert (3, *spec.size) == config["input_size"]
    assert (config["crop_mode"], config["crop_pct"]) == ("center", 1.0)
    assert spec.resize == preset.pixels
    assert spec.interpolation == config["interpolation"]
    assert (spec.mean, spec.std) == (config["mean"], config["std"])


@pytest.mark.parametrize("preset", OF_OPEN_CLIP, ids=lambda p: p.name)
def test_a_line_says_what_open_clip_says(preset: Preset) -> None:
    import open_clip

    (tag,) = open_clip.list_pretrained_tags_by_model(preset.model)
    public = open_clip.get_pretrained_cfg(preset.model, tag)
    config = open_clip.get_model_config(preset.model)
    spec = preprocess_of(preset)

    assert public["hf_hub"].rstrip("/") == preset.repository
    assert config["embed_dim"] == preset.numbers
    assert config["text_cfg"]["context_length"] == preset.context
    assert config["vision_cfg"]["image_size"] == preset.pixels
    assert public["resize_mode"] == {"squash": "squash", "crop": "shortest"}[preset.resize]
    assert (spec.resize is None) == (preset.resize == "squash")
    assert spec.interpolation == public["interpolation"]
    assert (spec.mean, spec.std) == (tuple(public["mean"]), tuple(public["std"]))


@pytest.mark.slow  # large networks, though without their numbers
@pytest.mark.parametrize("preset", OF_OPEN_CLIP, ids=lambda p: p.name)
def test_a_line_counts_the_parameters_of_open_clip(preset: Preset) -> None:
    import open_clip

    model = open_clip.create_model(preset.model, pretrained=None, device="meta")

    assert sum(p.numel() for p in model.parameters()) == preset.parameters


def test_the_embedded_network_is_that_of_the_zoo() -> None:
    known, weights = recorded("efficientnet_lite0"), published("efficientnet_lite0")[0]

    assert (EMBEDDED["parameters"], EMBEDDED["numbers"]) == (known.parameters, known.embedding_dim)
    assert EMBEDDED["input"] == known.input_size[1]
    assert EMBEDDED["megabytes"] == round(4 * known.parameters / 1e6)
    assert weights.license == "Apache-2.0"
    assert rows()[0]["name"] == "efficientnet_lite0"


def test_every_published_figure_is_of_a_network_in_the_table_and_names_its_source() -> None:
    assert set(figures()) <= {row["name"] for row in rows()}
    assert all("arXiv:" in f["source"] for found in figures().values() for f in found)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_show_the_table(lang: str) -> None:
    page = "docs/embedders.md" if lang == "en" else "docs/zh/embedders.md"
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")

    assert all(part in text for part in (table(lang), terms(lang), quoted(lang)))


def test_a_side_that_the_network_takes_may_be_asked_for() -> None:
    larger = find("dinov3-small@448")

    assert larger is not None
    assert (larger.pixels, larger.word) == (448, "dinov3-small@448")
    assert preprocess_of(larger).size == (448, 448)
    assert find("dinov3-small@256").word == "dinov3-small"
    assert find("resnet50") is None
    for wrong in ("450", "0", "", "-16", "16.0", "2048", "²"):
        with pytest.raises(RequestError, match="takes pictures of 256 pixels, or of another mul"):
            find(f"dinov3-small@{wrong}")


def test_a_word_that_is_mistyped_is_told_the_nearest() -> None:
    from kkcv.checkpoint import resolve

    assert near("dinov3") == [name for name in WORDS if name.startswith("dinov3")]
    with pytest.raises(UnknownNetwork, match=r"'siglip2_bse' in .*nearest presets: siglip2-base"):
        resolve("siglip2_bse")
    with pytest.raises(UnknownNetwork, match=r"the nearest: mobilenet.*presets: mobileclip2-s0"):
        resolve("mobilenet_v2_100")
    with pytest.raises(UnknownNetwork, match="in the zoo"):
        resolve("resnet51")
