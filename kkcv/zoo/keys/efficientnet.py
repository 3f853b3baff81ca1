"""EfficientNet and EfficientNetV2 in torchvision, timm and pytorchcv.

torchvision numbers the stages, and in a block the steps that it has; timm names the steps one
behind where the first (widening) is missing, and the fused ones apart.
"""

from collections.abc import Iterable

from kkcv.zoo.efficientnet_v2 import STAGES as STAGES_V2

from .timm_blocks import BLOCK, ENDS, without_expansion

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


_TIMM = (
    *ENDS,
    *without_expansion(r"stages.stage1.\1"),
    *((rf"^blocks\.{i}\.", f"stages.stage{i + 1}.") for i in range(7)),
    *BLOCK,
)
_TIMM_V2 = (
    *ENDS,
    (r"^blocks\.0\.(\d+)\.conv\.", r"stages.stage1.\1.expand.conv."),
    (r"^blocks\.0\.(\d+)\.bn1\.", r"stages.stage1.\1.expand.norm."),
    (r"^blocks\.([12])\.(\d+)\.bn2\.", r"blocks.\1.\2.bn3."),
    (r"\.conv_exp\.", ".expand.conv."),
    *((rf"^blocks\.{i}\.", f"stages.stage{i + 1}.") for i in range(6)),
    *BLOCK,
)

KEYS = {"torchvision": _torchvision((_PLAIN, *[_WIDE] * 6)), "timm": _TIMM}
KEYS_V2 = {
    "torchvision": _torchvision(_FUSED if fused else _WIDE for fused, *_ in STAGES_V2),
    "timm": _TIMM_V2,
}
