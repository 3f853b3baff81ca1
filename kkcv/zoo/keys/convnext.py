"""ConvNeXt in torchvision, timm and the authors' own files.

torchvision numbers all stages through, and the steps of a block with its permutations.
"""

_TORCHVISION = (
    (r"^features\.0\.0\.", "stages.stem.conv."),
    (r"^features\.0\.1\.", "stages.stem.norm."),
    *((rf"^features\.{2 * i - 3}\.", f"stages.res{i}.") for i in (2, 3, 4, 5)),
    *((rf"^features\.{2 * i - 4}\.0\.", f"stages.downsample{i}.norm.") for i in (3, 4, 5)),
    *((rf"^features\.{2 * i - 4}\.1\.", f"stages.downsample{i}.conv.") for i in (3, 4, 5)),
    (r"\.block\.0\.", ".depthwise."),
    (r"\.block\.2\.", ".norm."),
    (r"\.block\.3\.", ".widen."),
    (r"\.block\.5\.", ".narrow."),
    (r"\.layer_scale$", ".scale.gamma"),
    (r"^classifier\.0\.", "neck.norm."),
    (r"^classifier\.2\.", "head."),
)

_TIMM = (
    (r"^stem\.0\.", "stem.conv."),
    (r"^stem\.1\.", "stem.norm."),
    *((rf"^stages\.{i}\.blocks\.", f"res{i + 2}.") for i in range(4)),
    *((rf"^stages\.{i}\.downsample\.0\.", f"downsample{i + 2}.norm.") for i in (1, 2, 3)),
    *((rf"^stages\.{i}\.downsample\.1\.", f"downsample{i + 2}.conv.") for i in (1, 2, 3)),
    (r"^(stem|res|downsample)", r"stages.\1"),
    (r"\.conv_dw\.", ".depthwise."),
    (r"\.mlp\.fc1\.", ".widen."),
    (r"\.mlp\.fc2\.", ".narrow."),
    (r"\.gamma$", ".scale.gamma"),
    (r"^head\.norm\.", "neck.norm."),
    (r"^head\.fc\.", "head."),
)

_AUTHORS = (
    (r"^downsample_layers\.0\.0\.", "stem.conv."),
    (r"^downsample_layers\.0\.1\.", "stem.norm."),
    *((rf"^downsample_layers\.{i}\.0\.", f"downsample{i + 2}.norm.") for i in (1, 2, 3)),
    *((rf"^downsample_layers\.{i}\.1\.", f"downsample{i + 2}.conv.") for i in (1, 2, 3)),
    *((rf"^stages\.{i}\.", f"res{i + 2}.") for i in range(4)),
    (r"^(stem|res|downsample)", r"stages.\1"),
    (r"\.dwconv\.", ".depthwise."),
    (r"\.pwconv1\.", ".widen."),
    (r"\.pwconv2\.", ".narrow."),
    (r"\.gamma$", ".scale.gamma"),
    (r"^norm\.", "neck.norm."),
)

KEYS = {"torchvision": _TORCHVISION, "timm": _TIMM, "authors": _AUTHORS}
