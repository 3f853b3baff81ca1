"""Weights that mean nothing, but in which no layer is silent, for the presets' own networks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kkcv.presets.preset import Preset, presets


def shaken(model: nn.Module) -> nn.Module:
    """The model with random weights that let each part count.

    As they begin, DINOv3 scales each block by 0.00001, and MobileCLIP2's norms are all alike.
    """
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, each in [*model.named_parameters(), *model.named_buffers()]:
            if not each.is_floating_point() or "rope" in name:
                continue
            if "gamma" in name:
                each.uniform_(0.1, 0.4, generator=random)
            elif name.endswith("running_var"):
                each.uniform_(0.5, 1.5, generator=random)
            elif name.endswith(("bias", "running_mean")):
                each.add_(0.01 * torch.randn(each.shape, generator=random))
            elif each.ndim == 1:
                each.add_(0.1 * torch.randn(each.shape, generator=random))
            else:
                each.mul_(2)
    return model.eval()


def theirs(preset: Preset) -> nn.Module:
    """The library's own network, as its documentation makes it, except for the weights."""
    torch.manual_seed(2)
    if preset.library == "timm":
        import timm

        options = {} if preset.vector == "mean of the map" else {"global_pool": "token"}
        return shaken(timm.create_model(preset.model, pretrained=False, num_classes=0, **options))
    import open_clip

    return shaken(open_clip.create_model(preset.model, pretrained=None))


Network = Callable[[str], tuple[Preset, Any, Path]]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """``network("dinov3-small")`` → its line, the library's network, and a file of its weights."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("weights")
    made: dict[str, tuple[Preset, Any, Path]] = {}

    def make(name: str) -> tuple[Preset, Any, Path]:
        if name not in made:
            made.clear()  # one at a time: the large ones take gigabytes
            preset = presets()[name]
            model, file = theirs(preset), folder / f"{name}.safetensors"
            state = {key: value.contiguous().clone() for key, value in model.state_dict().items()}
            save_file(state, file)
            made[name] = preset, model, file
        return made[name]

    return make


def tokenizer_files() -> dict[str, bytes]:
    """A tokenizer of a few words, as a repository of SigLIP 2 has one."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    words = ["<pad>", "<eos>", "<unk>", "a", "red", "bus", "photo", "of", "two", "dogs"]
    made = Tokenizer(WordLevel({word: id for id, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "eos_token": "<eos>",
        "unk_token": "<unk>",
    }
    return {
        "tokenizer.json": made.to_str().encode(),
        "tokenizer_config.json": json.dumps(config).encode(),
    }
