"""MobileNet v2 in torchvision, timm and pytorchcv.

torchvision numbers all blocks in one list, timm starts again at each resolution or width, pytorchcv
has stages of its own. Where a block has no first step (widening), its other steps move up by one.
"""

from itertools import accumulate, pairwise

from .timm_blocks import BLOCK, without_expansion

_REPEATS = (1, 2, 3, 4, 3, 3, 1)  # of table 2
_STARTS = tuple(accumulate(_REPEATS, initial=1))  # block 0 is the stem

_TORCHVISION = (
    (r"^features\.0\.", "stages.conv1."),
    (r"^features\.1\.conv\.0\.", "stages.bottleneck1.0.depthwise."),
    (r"^features\.1\.conv\.1\.", "stages.bottleneck1.0.project.conv."),
    (r"^features\.1\.conv\.2\.", "stages.bottleneck1.0.project.norm."),
    (r"^features\.18\.", "stages.conv_last."),
    *(
        (rf"^features\.{block}\.", f"stages.bottleneck{row + 1}.{block - start}.")
        for row, (start, end) in enumerate(pairwise(_STARTS))
        for block in range(start, end)
    ),
    (r"\.conv\.0\.(\d)", r".expand.\1"),
    (r"\.conv\.1\.(\d)", r".depthwise.\1"),
    (r"\.conv\.2\.", ".project.conv."),
    (r"\.conv\.3\.", ".project.norm."),
    (r"(conv1|conv_last|expand|depthwise)\.0\.", r"\1.conv."),
    (r"(conv1|conv_last|expand|depthwise)\.1\.", r"\1.norm."),
    (r"^classifier\.1\.", "head.fc."),
)

_TIMM = (
    (r"^conv_stem\.", "stages.conv1.conv."),
    (r"^bn1\.", "stages.conv1.norm."),
    (r"^conv_head\.", "stages.conv_last.conv."),
    (r"^bn2\.", "stages.conv_last.norm."),
    (r"^classifier\.", "head.fc."),
    *without_expansion(r"stages.bottleneck1.\1"),
    *((rf"^blocks\.{row}\.", f"stages.bottleneck{row + 1}.") for row in range(1, 7)),
    *BLOCK,
)

_PYTORCHCV = (
    (r"^features\.init_block\.", "stages.conv1."),
    (r"^features\.final_block\.", "stages.conv_last."),
    *((rf"^features\.stage4\.unit{i}\.", f"stages.bottleneck5.{i - 5}.") for i in (5, 6, 7)),
    (r"^features\.stage5\.unit4\.", "stages.bottleneck7.0."),
    (r"^features\.stage5\.", "stages.bottleneck6."),
    *((rf"^features\.stage{i}\.", f"stages.bottleneck{i}.") for i in (1, 2, 3, 4)),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(4)),
    (r"\.(\d)\.conv1\.", r".\1.expand."),
    (r"\.(\d)\.conv2\.", r".\1.depthwise."),
    (r"\.(\d)\.conv3\.", r".\1.project."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head.fc."),
)

KEYS = {"torchvision": _TORCHVISION, "timm": _TIMM, "pytorchcv": _PYTORCHCV}
