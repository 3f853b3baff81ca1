"""Every network of the zoo by name. To add a family: its file, and its line here."""

import dataclasses
from os import PathLike

from . import (
    alexnet,
    convnext,
    densenet,
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
    googlenet,
    inception_resnet,
    inception_v2,
    inception_v3,
    inception_v4,
    lenet,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilenet_v4,
    resnet,
    resnet_v2,
    resnext,
    senet,
    shufflenet_v1,
    shufflenet_v2,
    squeezenet,
    vgg,
    wide_resnet,
    xception,
)
from .feature_maps import FeatureMaps
from .loading.load import load_into
from .network import Network, Spec
from .recorded import recorded
from .shapes import shapes_only
from .tensorflow import compute_as_tensorflow
from .weights import find

FAMILIES = (
    lenet,
    alexnet,
    vgg,
    googlenet,
    inception_v2,
    inception_v3,
    inception_v4,
    inception_resnet,
    xception,
    resnet,
    resnet_v2,
    resnext,
    wide_resnet,
    senet,
    densenet,
    squeezenet,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilenet_v4,
    shufflenet_v1,
    shufflenet_v2,
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
    convnext,
)

NETWORKS: dict[str, Spec] = {spec.name: spec for family in FAMILIES for spec in family.NETWORKS}
TRAINERS = ("pytorch", "tensorflow", "timm")  # pytorch: torchvision's and our own


def spec(name: str) -> Spec:
    """The facts of a network, which is not built for them, by name or everyday name, in any case.

    Raises UnknownNetwork with the nearest names.
    """
    return NETWORKS.get(name) or NETWORKS[recorded(name).name]


def create(
    name: str,
    weights: str | PathLike[str] | None = None,
    num_classes: int | None = None,
    in_channels: int | None = None,
    *,
    trained_in: str | None = None,
    pretrained: bool = False,
    features_only: bool = False,
    auxiliary: bool = False,
    ema: bool | None = None,
) -> Network:
    """Build a network, in eval mode, with its paper's initialization or with weights.

    Args:
        weights: None, ``"imagenet"`` (downloaded once, then cached), ``"imagenet:TAG"`` for other
            public weights than the network's default, or the path of a .pth or .safetensors file,
            ours or a peer's; ``PATH:ema`` and ``PATH:raw`` say ``ema`` with it.
        num_classes: With another number than the weights' own, or where they have no classifier,
            the classifier keeps its initialization. 0 is for no classifier: the scores are the
            embedding.
        in_channels: Channels of the pictures; the weights' own if not given. With 1, weights for 3
            are taken too: the first convolution is summed over its channels, and answers for a grey
            picture as it did for three equal channels.
        trained_in: ``"tensorflow"`` or ``"timm"`` computes as weights from there expect; published
            weights know where they were trained.
        pretrained: The same as ``weights="imagenet"``.
        features_only: The network answers with the maps of its stages (feature_maps.py).
        auxiliary: Adds the paper's auxiliary heads, with which the network answers TrainingScores
            in training mode.
        ema: For a file with an average of the weights (``state_dict_ema``, ``model_ema``, …): True
            takes the average, False the raw ones. None takes an average that fits, with a warning.

    Raises:
        UnknownNetwork: There is no such network; the nearest names.
        WeightsError: The weights cannot be found, read, or put into the network.
        ValueError: Counts that are too low, another ``trained_in``, or auxiliary heads where the
            paper has none.
    """
    known = spec(name)
    if pretrained and weights is None:
        weights = "imagenet"
    file = None if weights is None else find(known.name, weights)
    classes = known.num_classes if num_classes is None else num_classes
    if num_classes is None and file and file.published:
        classes = file.published.classes
    channels = known.input_size[0] if in_channels is None else in_channels
    if classes < 0 or channels < 1:
        raise ValueError(
            f"num_classes is 0 or more, in_channels 1 or more, got {classes}, {channels}"
        )
    where = trained_in or (file.trained_in if file else "pytorch")
    if where not in TRAINERS:
        raise ValueError(f"trained_in is one of {', '.join(TRAINERS)}, got {where!r}")
    options = dict(known.family.trained_in.get(where, {}))
    if auxiliary:
        options["auxiliary"] = True
        if not known.auxiliary:
            some = ", ".join(s.name for s in NETWORKS.values() if s.auxiliary)
            raise ValueError(f"{known.name} has no auxiliary heads; there are some in {some}")
    network = known.build(max(classes, 1), channels, **options).eval()
    network.spec = dataclasses.replace(
        known, num_classes=classes, input_size=(channels, *known.input_size[1:])
    )
    if where == "tensorflow":
        compute_as_tensorflow(network)
    if file is not None:
        load_into(
            network,
            file.path,
            new_classifier=num_classes is not None or classes == 0,
            ema=file.ema if ema is None else ema,
            others=NETWORKS.values(),
        )
    if classes == 0:
        network.reset_classifier(0)
    return FeatureMaps(network) if features_only else network


def create_on_meta(name: str) -> Network:
    """The network without memory: shapes and counts, no values."""
    with shapes_only():
        return create(name)
