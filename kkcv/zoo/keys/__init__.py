"""How the peers name the same parameters: one file a family, a table of renamings a peer.

A table is a tuple of (pattern, replacement) pairs; ``re.sub`` applies each, in order, to every
key of the peer's state dict, and the result must be the keys of our network. Replacing a whole
key by nothing drops it.
"""

from collections.abc import Mapping

from . import (
    alexnet,
    convnext,
    densenet,
    efficientnet,
    efficientnet_lite,
    googlenet,
    inception_resnet,
    inception_v2,
    inception_v3,
    inception_v4,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilenet_v4,
    resnet,
    resnet_v2,
    senet,
    shufflenet_v1,
    shufflenet_v2,
    squeezenet,
    vgg,
    xception,
)

Renamings = tuple[tuple[str, str], ...]

KEYS: Mapping[str, Mapping[str, Renamings]] = {
    "alexnet": alexnet.KEYS,
    "vgg": vgg.KEYS,
    "googlenet": googlenet.KEYS,
    "inception_v2": inception_v2.KEYS,
    "inception_v3": inception_v3.KEYS,
    "inception_v4": inception_v4.KEYS,
    "inception_resnet": inception_resnet.KEYS,
    "xception": xception.KEYS,
    "resnet": resnet.KEYS,
    "resnet_v2": resnet_v2.KEYS,
    "resnext": resnet.KEYS,
    "wide_resnet": resnet.KEYS,
    "senet": senet.KEYS,
    "densenet": densenet.KEYS,
    "squeezenet": squeezenet.KEYS,
    "mobilenet_v1": mobilenet_v1.KEYS,
    "mobilenet_v2": mobilenet_v2.KEYS,
    "mobilenet_v3": mobilenet_v3.KEYS,
    "mobilenet_v4": mobilenet_v4.KEYS,
    "shufflenet_v1": shufflenet_v1.KEYS,
    "shufflenet_v2": shufflenet_v2.KEYS,
    "efficientnet": efficientnet.KEYS,
    "efficientnet_lite": efficientnet_lite.KEYS,
    "efficientnet_v2": efficientnet.KEYS_V2,
    "convnext": convnext.KEYS,
}
