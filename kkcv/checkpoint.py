"""Checkpoints: network, weights, preprocessing and class names, kept together.

A checkpoint is a description; the weights stay in their file until a network is built. One that
kkcv trained is a folder with ``best.safetensors`` and ``best.json`` side by side; one of the public
weights is a row of the zoo's table.
"""

import json
import os
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kkcv import adapters, zoo
from kkcv.disk import atomic_write, sha256_of, write_file
from kkcv.errors import CheckpointError, UnknownNetwork, WeightsError
from kkcv.extras import need
from kkcv.images.preprocess import Preprocess
from kkcv.presets import preset as presets
from kkcv.zoo.loading.averages import may_hold_average, no_average, with_ending
from kkcv.zoo.recorded import recorded
from kkcv.zoo.richness import PARTS, joined, of_network, split
from kkcv.zoo.weights import EMBEDDED, Published, WeightsFile, choose, find, is_here, name_of

if TYPE_CHECKING:
    from kkcv.zoo.network import Network

DEFAULT_NETWORK = "efficientnet_lite0"
# of ImageNet's training pictures, from 0 to 1
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROP_RATIO = 0.875  # side of the center crop over the shortest side, 224 of 256
FORMAT = 1  # of the JSON beside the weights


@dataclass(frozen=True)
class Checkpoint:
    """A network that is ready to be built.

    ``weights`` is None for the paper's initialization, seeded so that it is the same every time;
    Published for weights in a package that is looked for only when the network is built.
    ``classes`` is None for the 1000 ImageNet classes. ``resolve(name, weights_name)`` finds it
    again, from whatever folder. Scores are divided by ``temperature`` before they become
    probabilities. ``text`` says that the network embeds texts too, in the same space. With
    ``whole`` it classifies by the mean over the center crop and the whole picture.
    """

    name: str
    network: str
    weights: WeightsFile | Published | None
    preprocess: Preprocess
    classes: tuple[str, ...] | None = None
    trained_in: str = "pytorch"
    temperature: float = 1.0
    weights_name: str = "none"
    text: bool = False
    whole: bool = False

    @property
    def weights_id(self) -> str:
        """The sha256 of the weights file, behind ``ema:`` for an average in it, or ``random``."""
        if isinstance(self.weights, Published):
            return self.weights.digest
        return self.weights.id if self.weights else "random"

    @property
    def views(self) -> tuple[Preprocess, ...]:
        """The views of a picture that are classified; the first is the one that is embedded."""
        crop = self.preprocess
        return (crop, crop.of_whole()) if self.whole else (crop,)

    @property
    def parts(self) -> bool:
        """Whether parts of pictures are embedded too (embedding/windows.py)."""
        return PARTS in split(self.name)[1]

    def weights_path(self) -> Path | None:
        """The file of the weights; None for random ones (WeightsError)."""
        if isinstance(self.weights, Published):
            return find(self.network, self.weights_name).path
        return self.weights.path if self.weights else None

    def weights_argument(self) -> str | None:
        """The same for ``zoo.create``, with the ending that says which weights in it are meant."""
        ema = self.weights.ema if isinstance(self.weights, WeightsFile) else None
        path = self.weights_path()
        return None if path is None else with_ending(path, ema)

    def num_classes(self) -> int | None:
        """How many classes the head has; None for ImageNet's 1000."""
        if self.classes:
            return len(self.classes)
        row = self.weights.published if isinstance(self.weights, WeightsFile) else self.weights
        # the zoo's heads have 1000 unless told otherwise
        return row.classes if row and row.classes != 1000 else None

    def build(self) -> "Network":
        """The network in eval mode, with its weights (WeightsError, MissingExtra)."""
        for module in (*adapters.modules_of(self.name), "torch"):
            need(module)
        import torch

        name, richness = split(self.name)
        if richness := of_network(richness):
            from kkcv.zoo.richer import Richer

            network, _ = split(self.network)
            plain = replace(self, name=name, network=network)
            return Richer(plain.build(), richness).eval()
        if name != self.name:
            return replace(self, name=name).build()
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
            torch.manual_seed(0)  # random weights are the same for everybody
            if adapters.split(self.name):
                return adapters.build(
                    self.name, self.weights_name, self.weights_path(), self.preprocess
                )
            return zoo.create(
                self.network,
                weights=self.weights_argument(),
                num_classes=self.num_classes(),
                in_channels=self.preprocess.channels,
                trained_in=self.trained_in,
            )


def pretrained(network: str = DEFAULT_NETWORK, weights: str = "imagenet") -> Checkpoint:
    """A network of the zoo with public weights, weights from a file, or none (``"none"``).

    Raises UnknownNetwork, WeightsError.
    """
    if weights == "none":
        return Checkpoint(network, recorded(network).name, None, usual_preprocess(network))
    network = recorded(network).name
    if is_public(weights):
        row = choose(network, weights.partition(":")[2])
        name = name_of(row) if weights == "imagenet" else weights
        if row.network == EMBEDDED and not row.url:
            return public(row, name, row)  # the bundled network does without their package
        if not is_here(row):
            need("torch")  # before a download that nothing here could use
        return public(row, name, find(network, weights))
    file = find(network, weights)
    if file.published:
        return public(file.published, file.name, file)
    if file.ema is not False and may_hold_average(file.path):
        file = replace(file, ema=file.ema or average_in(file.path, network))
    elif file.ema:
        raise no_average(file.path)
    return Checkpoint(network, network, file, usual_preprocess(network), weights_name=file.name)


def average_in(file: Path, network: str) -> bool | None:
    """Whether the file's average of weights is taken, which is said; None if it has none."""
    need("torch")
    from kkcv.zoo.loading.load import takes_average
    from kkcv.zoo.registry import create_on_meta

    return takes_average(create_on_meta(network), file)


def is_public(weights: str) -> bool:
    """Whether ``imagenet`` or ``imagenet:TAG`` is meant, and not a file."""
    return weights.partition(":")[0] == "imagenet"


def public(row: Published, weights_name: str, weights: WeightsFile | Published) -> Checkpoint:
    """A network with public weights, under the name that finds them again."""
    return Checkpoint(
        row.network,
        row.network,
        weights,
        published_preprocess(row),
        trained_in=row.trained_in,
        weights_name=weights_name,
    )


def published_preprocess(row: Published) -> Preprocess:
    """The preprocessing that public weights were trained with."""
    return Preprocess(
        size=(row.size, row.size),
        resize=row.resize,
        interpolation=row.interpolation,
        mean=row.mean,
        std=row.std,
        channels=len(row.mean),
    )


def usual_preprocess(network: str) -> Preprocess:
    """The preprocessing of most ImageNet trainings, at the network's own input size."""
    channels, height, width = recorded(network).input_size
    grey = channels == 1
    return Preprocess(
        size=(height, width),
        resize=round(min(height, width) / CROP_RATIO),
        interpolation="bicubic",
        mean=(0.5,) if grey else IMAGENET_MEAN,
        std=(0.5,) if grey else IMAGENET_STD,
        channels=channels,
    )


def load(path: str | PathLike[str]) -> Checkpoint:
    """A checkpoint that kkcv saved: a run folder (its best), or a ``.json`` or ``.safetensors``.

    Raises CheckpointError.
    """
    path = Path(path)
    file = (path / "best.json" if os.path.isdir(path) else path).with_suffix(".json")
    if not os.path.isfile(file):
        raise CheckpointError(
            f"{path} holds no checkpoint; there is one where best.json and best.safetensors lie"
        )
    weights = file.with_suffix(".safetensors")
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        if facts["format"] > FORMAT:
            raise CheckpointError(f"{file} was written by a newer kkcv; update kkcv to read it")
        digest = sha256_of(weights)  # the two files may be of different runs after a copy by hand
        if digest != facts["sha256"]:
            raise CheckpointError(f"{weights} is damaged or another's: its sha256 is not {file}'s")
        return Checkpoint(
            str(path.absolute()),
            facts["network"],
            WeightsFile(weights, digest),
            Preprocess.from_dict(facts["preprocess"]),
            tuple(facts["classes"]),
            facts["trained_in"],
            float(facts.get("temperature", 1)),
            whole=bool(facts.get("whole", False)),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file} is not a checkpoint of kkcv: {error}") from None


def save(
    network: "Network",
    path: str | PathLike[str],
    *,
    preprocess: Preprocess,
    classes: tuple[str, ...],
    trained_in: str = "pytorch",
    facts: dict[str, Any] | None = None,
) -> Checkpoint:
    """Write ``path``.safetensors, then ``path``.json beside it; the second makes it valid.

    ``facts`` (metrics, versions, …) are kept in the JSON as they are.
    """
    from safetensors.torch import save_file

    assert network.spec is not None
    weights, file = Path(f"{path}.safetensors"), Path(f"{path}.json")
    file.unlink(missing_ok=True)  # else it would describe other weights for a while
    with atomic_write(weights) as part:
        save_file({k: v.contiguous().cpu() for k, v in network.state_dict().items()}, part)
    document = {
        "format": FORMAT,
        "network": network.spec.name,
        "trained_in": trained_in,
        "classes": list(classes),
        "preprocess": preprocess.to_dict(),
        "sha256": sha256_of(weights),
        **(facts or {}),
    }
    write_file(file, json.dumps(document, indent=1, ensure_ascii=False))
    return load(file)


def resolve(model: str = DEFAULT_NETWORK, weights: str = "imagenet") -> Checkpoint:
    """The checkpoint that a user named: a network of the zoo or of an adapter, a preset, a file.

    ``+gem`` and the like behind it ask for a richer embedding (zoo/richness.py).

    Raises UnknownNetwork, WeightsError, CheckpointError, MissingExtra, RequestError.
    """
    name, richness = split(model)
    if not name:
        raise UnknownNetwork(
            f"{model!r} names no network; name one of kkcv zoo list, or the folder of a run"
        )
    if richness:
        plain = resolve(name, weights)
        return replace(
            plain,
            name=joined(plain.name, richness),
            network=joined(plain.network, of_network(richness)),
        )
    if (found := adapters.find(model, weights)) is not None:
        return Checkpoint(
            found.name,
            found.network,
            found.weights,
            found.preprocess,
            weights_name=found.weights_name,
            text=found.text,
        )
    # a typo in a path is not looked for in the zoo
    if os.path.exists(model) or Path(model).suffix in (".json", ".safetensors") or "/" in model:
        if weights not in ("imagenet", "none"):
            raise WeightsError(f"{model} has weights of its own; leave out the weights {weights!r}")
        return load(model)
    try:
        return pretrained(model, weights)
    except UnknownNetwork as error:
        if near := presets.near(model):
            raise UnknownNetwork(
                f"{error}; the nearest presets: {', '.join(near)} (kkcv models)"
            ) from None
        raise
