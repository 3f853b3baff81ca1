"""EfficientNet and EfficientNetV2 in torchvision, timm and pytorchcv.

torchvision numbers the stages, and in a block the steps that it has; timm names the steps one
behind where the first (widening) is missing, and the fused ones apart.
"""

from collections.abc import Iterable

from kkcv.zoo.efficientnet_v2 import STAGES as STAGES_V2

# Steps of a block by torchvision's number: without widening, with it, and fused.
_PLAIN = ("depthwise", "se", "project")
_WIDE = ("expand", "depthwise", "se", "project")
_FUSED = ("expand", "project")


def _torchvision(kinds: Iterable[tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """``kinds`` are the steps of the blocks of each stage."""
    table, number = [(r"^features\.0\.", "stages.stem.")], 1
    for steps in kinds:
        for i, step in enumerate(steps):
            table.append(
                (rf"^features\.{number}\.(\d+)\.block\.{i}\.", rf"stages.stage{number}.\1.{step}.")
            )
        number += 1
    return (
        *table,
        (rf"^features\.{number}\.", "stages.conv_head."),
        (r"^(stages\.(?:stem|conv_head|.*\.(?:expand|depthwise|project)))\.0\.", r"\1.conv."),
        (r"^(stages\.(?:stem|conv_head|.*\.(?:expand|depthwise|project)))\.1\.", r"\1.norm."),
        (r"^classifier\.1\.", "head.fc."),
    )


_TIMM_ENDS = (
    (r"^conv_stem\.", "stages.stem.conv."),
    (r"^bn1\.", "stages.stem.norm."),
    (r"^conv_head\.", "stages.conv_head.conv."),
    (r"^bn2\.", "stages.conv_head.norm."),
    (r"^classifier\.", "head.fc."),
)
_TIMM_WIDE = (
    (r"\.conv_pw\.", ".expand.conv."),
    (r"\.bn1\.", ".expand.norm."),
    (r"\.conv_dw\.", ".depthwise.conv."),
    (r"\.bn2\.", ".depthwise.norm."),
    (r"\.se\.conv_reduce\.", ".se.fc1."),
    (r"\.se\.conv_expand\.", ".se.fc2."),
    (r"\.conv_pwl\.", ".project.conv."),
    (r"\.bn3\.", ".project.norm."),
)
_TIMM = (
    *_TIMM_ENDS,
    (r"^blocks\.0\.(\d+)\.conv_dw\.", r"stages.stage1.\1.depthwise.conv."),
    (r"^blocks\.0\.(\d+)\.bn1\.", r"stages.stage1.\1.depthwise.norm."),
    (r"^blocks\.0\.(\d+)\.conv_pw\.", r"stages.stage1.\1.project.conv."),
    (r"^blocks\.0\.(\d+)\.bn2\.", r"stages.stage1.\1.project.norm."),
    *((rf"^blocks\.{i}\.", f"stages.stage{i + 1}.") for i in range(7)),
    *_TIMM_WIDE,
)
_TIMM_V2 = (
    *_TIMM_ENDS,
    (r"^blocks\.0\.(\d+)\.conv\.", r"stages.stage1.\1.expand.conv."),
    (r"^blocks\.0\.(\d+)\.bn1\.", r"stages.stage1.\1.expand.norm."),
    (r"^blocks\.([12])\.(\d+)\.bn2\.", r"blocks.\1.\2.bn3."),
    (r"\.conv_exp\.", ".expand.conv."),
    *((rf"^blocks\.{i}\.", f"stages.stage{i + 1}.") for i in range(6)),
    *_TIMM_WIDE,
)

KEYS = {"torchvision": _torchvision((_PLAIN, *[_WIDE] * 6)), "timm": _TIMM}
KEYS_V2 = {
    "torchvision": _torchvision(_FUSED if fused else _WIDE for fused, *_ in STAGES_V2),
    "timm": _TIMM_V2,
}
