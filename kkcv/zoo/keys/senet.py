"""SENet in timm (``legacy_*`` is the Caffe release), in timm's later form, and in pytorchcv."""

_BLOCKS = (
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^(layer\d\.\d+)\.conv(\d)\.", r"\1.conv\2.conv."),
    (r"^(layer\d\.\d+)\.bn(\d)\.", r"\1.conv\2.norm."),
    *((rf"^layer{i}\.", f"stages.conv{i + 1}_x.") for i in range(1, 5)),
)

_TIMM_LEGACY = (
    *((rf"^layer0\.conv{i + 1}\.", f"stages.conv1.{i}.conv.") for i in range(3)),
    *((rf"^layer0\.bn{i + 1}\.", f"stages.conv1.{i}.norm.") for i in range(3)),
    (r"\.se_module\.", ".se."),
    (r"^last_linear\.", "head.fc."),
    *_BLOCKS,
)

_TIMM = (
    (r"^conv1\.", "stages.conv1.0.conv."),
    (r"^bn1\.", "stages.conv1.0.norm."),
    (r"^fc\.", "head.fc."),
    *_BLOCKS,
)

# SENet-154's stem is a sequence of conv, bn, relu, conv, bn, relu, conv; its last norm is bn1.
_TIMM_154 = (
    (r"^conv1\.0\.", "stages.conv1.0.conv."),
    (r"^conv1\.1\.", "stages.conv1.0.norm."),
    (r"^conv1\.3\.", "stages.conv1.1.conv."),
    (r"^conv1\.4\.", "stages.conv1.1.norm."),
    (r"^conv1\.6\.", "stages.conv1.2.conv."),
    (r"^bn1\.", "stages.conv1.2.norm."),
    (r"^fc\.", "head.fc."),
    *_BLOCKS,
)

_PYTORCHCV = (
    (r"^features\.init_block\.conv\.", "stages.conv1.0."),
    *((rf"^features\.init_block\.conv{i + 1}\.", f"stages.conv1.{i}.") for i in range(3)),
    *((rf"^features\.stage{i}\.", f"stages.conv{i + 1}_x.") for i in range(1, 5)),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(36)),  # it counts from one
    (r"\.se\.conv(\d)\.", r".se.fc\1."),
    (r"\.body\.", "."),
    (r"\.identity_conv\.", ".shortcut."),
    (r"\.bn\.", ".norm."),
    (r"^output\.(?:fc\.)?", "head.fc."),
)

KEYS = {
    "timm legacy": _TIMM_LEGACY,
    "timm": _TIMM,
    "timm senet154": _TIMM_154,
    "pytorchcv": _PYTORCHCV,
}
