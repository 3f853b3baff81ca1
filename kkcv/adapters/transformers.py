"""Networks of transformers: ``transformers:FOLDER``, or a repository of the Hugging Face hub.

The folder is what ``save_pretrained`` writes. Of CLIP and its kin the vectors in the space that
pictures and texts share; of other networks the pooled output, or that of the first token.
"""

import json
from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kkcv.disk import sha256_of, typed
from kkcv.environment import offline
from kkcv.errors import CheckpointError, RequestError, WeightsError
from kkcv.images.preprocess import Preprocess
from kkcv.zoo.network import Network
from kkcv.zoo.weights import WeightsFile

from .adapter import Adapter, Found, Texts
from .foreign import INTERPOLATIONS, Calling, Tower, as_network, no_weights

FILES = ("model.safetensors", "pytorch_model.bin")


class Transformers(Adapter):
    """Whatever ``AutoModel`` opens that looks at pictures. Code of a repository is never run."""

    def find(self, name: str, weights: str) -> Found:
        library()
        folder = local(name)
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            kind = str((config.get("architectures") or [config["model_type"]])[0])
            preprocess = preprocess_of(processor_of(folder))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{folder} holds no model for pictures: {error!r}") from None
        network = f"transformers:{kind}"
        text = "text_config" in config
        place = str(Path(typed(name)).absolute()) if is_folder(name) else name
        if weights == "none":
            return Found(f"transformers:{place}", network, None, weights, preprocess, text)
        if weights != "imagenet":
            raise WeightsError(f"the weights of {network} lie in its folder, not in {weights!r}")
        file = next((folder / each for each in FILES if (folder / each).is_file()), None)
        if file is None:
            raise WeightsError(f"{folder} holds no {' or '.join(FILES)}")
        found = WeightsFile(file.absolute(), sha256_of(file))
        return Found(f"transformers:{place}", network, found, weights, preprocess, text)

    def build(self, name: str, weights: str, file: Path | None, preprocess: Preprocess) -> Network:
        model = created(name, weights)
        pictures = Calling(model, lambda images: pooled(model, images))
        return as_network(
            f"transformers:{name}", pictures, nn.Identity(), nn.Identity(), preprocess
        )

    def texts(self, name: str, weights: str) -> Texts:
        model = created(name, weights)
        if not hasattr(model, "get_text_features"):
            raise RequestError(f"transformers:{name} reads no text")
        tokenizer = library().AutoTokenizer.from_pretrained(local(name))
        fixed = model.config.model_type.startswith("siglip")  # trained on padded texts only

        @torch.inference_mode()
        def embed(texts: Sequence[str]) -> np.ndarray:
            tokens = tokenizer(
                list(texts),
                padding="max_length" if fixed else True,
                truncation=True,
                max_length=model.config.text_config.max_position_embeddings,
                return_tensors="pt",
            )
            return vector(model.get_text_features(**tokens)).float().numpy()

        return embed

    def tower(self, name: str, weights: str) -> Tower:
        raise RequestError(f"the text tower of transformers:{name} is not exported")


def is_folder(name: str) -> bool:
    return Path(typed(name)).is_dir()


def local(name: str) -> Path:
    """The folder of a model; a repository of the hub is downloaded (WeightsError)."""
    if is_folder(name):
        return Path(typed(name))
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise CheckpointError(
            f"{name} is neither a folder nor a repository of the hub (OWNER/NAME)"
        )
    from huggingface_hub import snapshot_download

    try:
        wanted = ("*.json", "*.txt", "*.model", *FILES)
        return Path(
            snapshot_download(name, allow_patterns=list(wanted), local_files_only=bool(offline()))
        )
    except Exception as error:  # of the hub, of the network, of the disk
        raise no_weights(f"transformers:{name}", error) from None


def created(name: str, weights: str) -> Any:
    """The model with its weights in float32, in eval mode."""
    auto = library()
    folder = local(name)
    try:
        if weights == "none":
            return auto.AutoModel.from_config(auto.AutoConfig.from_pretrained(folder)).eval()
        return auto.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    except (RuntimeError, OSError, ValueError) as error:
        raise no_weights(f"transformers:{name}", error) from None


def pooled(model: Any, images: Tensor) -> Tensor:
    """One vector a picture."""
    if hasattr(model, "get_image_features"):
        return vector(model.get_image_features(pixel_values=images))
    return vector(model(pixel_values=images))


def vector(output: Any) -> Tensor:
    """The embedding in a model's output, as (N, D)."""
    if isinstance(output, Tensor):
        return output
    if (found := getattr(output, "pooler_output", None)) is None:
        last = output.last_hidden_state
        # the class token of a transformer; else the mean of a map
        found = last[:, 0] if last.ndim == 3 else last.mean((2, 3))
    return found.flatten(1)  # of convolutional networks it is (N, D, 1, 1)


def processor_of(folder: Path) -> dict[str, Any]:
    """An image processor's settings, as ``save_pretrained`` wrote them alone or with others."""
    file = folder / "preprocessor_config.json"
    if file.is_file():
        return json.loads(file.read_text(encoding="utf-8"))
    return json.loads((folder / "processor_config.json").read_text(encoding="utf-8"))[
        "image_processor"
    ]


def preprocess_of(spec: dict[str, Any]) -> Preprocess:
    """An image processor as ours (RequestError for what ours cannot do)."""
    size, crop = spec["size"], spec.get("crop_size")
    if isinstance(size, int):
        size = {"shortest_edge": size}
    # 1/255 as floats of 32 bits have it
    if abs(spec.get("rescale_factor", 1 / 255) * 255 - 1) > 1e-6:
        raise RequestError("this network wants its pixels on another scale than 0 to 1")
    if "height" in size and not spec.get("do_center_crop"):
        target, resize = (size["height"], size["width"]), None
    elif "shortest_edge" in size:
        resize = size["shortest_edge"]
        if "crop_pct" in spec and not crop:  # ConvNeXt: the size is that of the crop
            target = (resize, resize)
            resize = floor(resize / spec["crop_pct"])
        elif spec.get("do_center_crop") and crop:
            crop = {"height": crop, "width": crop} if isinstance(crop, int) else crop
            target = (crop["height"], crop["width"])
        else:
            target = (resize, resize)
    else:
        raise RequestError(f"this network wants its pictures of size {size}, which kkcv cannot do")
    normal = spec.get("do_normalize", True)
    return Preprocess(
        size=target,
        resize=resize,
        # 3: bicubic
        interpolation=INTERPOLATIONS[spec.get("resample", 3)],
        mean=tuple(spec["image_mean"]) if normal else (0.0, 0.0, 0.0),
        std=tuple(spec["image_std"]) if normal else (1.0, 1.0, 1.0),
    )


def library() -> Any:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    return transformers
