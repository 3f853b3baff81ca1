"""MobileNet v3 in torchvision and timm.

torchvision numbers a block's steps: widening is missing in the first block, squeeze-and-excite in
some, and known by its fc1 and fc2. timm numbers the blocks of one width or resolution together.
"""

from .timm_blocks import BLOCK, without_expansion

_TORCHVISION = (
    (r"^features\.0\.", "stages.conv1."),
    (r"^features\.(12|16)\.(?=\d)", "stages.conv_last."),
    (r"^features\.(\d+)\.block\.\d\.fc", r"stages.bneck\1.se.fc"),
    (r"^features\.1\.block\.0\.", "stages.bneck1.depthwise."),
    (r"^features\.1\.block\.[12]\.", "stages.bneck1.project."),
    (r"^features\.(\d+)\.block\.0\.", r"stages.bneck\1.expand."),
    (r"^features\.(\d+)\.block\.1\.", r"stages.bneck\1.depthwise."),
    (r"^features\.(\d+)\.block\.[23]\.", r"stages.bneck\1.project."),
    (r"^(stages\..*)\.0\.", r"\1.conv."),
    (r"^(stages\..*)\.1\.", r"\1.norm."),
    (r"^classifier\.0\.", "neck.fc."),
    (r"^classifier\.3\.", "head.fc."),
)


def _timm(blocks: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """``blocks`` counts the bnecks of each of timm's groups."""
    places = [(group, i) for group, n in enumerate(blocks) for i in range(n)]
    return (
        (r"^conv_stem\.", "stages.conv1.conv."),
        (r"^bn1\.", "stages.conv1.norm."),
        (rf"^blocks\.{len(blocks)}\.0\.conv\.", "stages.conv_last.conv."),
        (rf"^blocks\.{len(blocks)}\.0\.bn1\.", "stages.conv_last.norm."),
        (r"^conv_head\.", "neck.fc."),
        (r"^classifier\.", "head.fc."),
        *without_expansion("stages.bneck1"),
        *(
            (rf"^blocks\.{group}\.{i}\.", f"stages.bneck{n + 1}.")
            for n, (group, i) in enumerate(places)
        ),
        *BLOCK,
    )


KEYS = {
    "torchvision": _TORCHVISION,
    "timm, large": _timm((1, 2, 3, 4, 2, 3)),
    "timm, small": _timm((1, 2, 3, 2, 3)),
}
