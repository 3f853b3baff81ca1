"""Inception v4 in timm and pytorchcv."""

# What the peers' branches are: timm counts them from 0, pytorchcv from 1.
_BRANCHES = {
    "mixed_3a": ("pool", "3x3"),
    "mixed_4a": ("3x3", "7x7_3x3"),
    "mixed_5a": ("3x3", "pool"),
    "inception_a": ("1x1", "3x3", "double_3x3", "pool"),
    "reduction_a": ("3x3", "double_3x3", "pool"),
    "inception_b": ("1x1", "7x7", "double_7x7", "pool"),
    "reduction_b": ("3x3", "7x7_3x3", "pool"),
    "inception_c": ("1x1", "3x3", "double_3x3", "pool"),
}


def _branches(first: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        (rf"^stages\.{stage}(\.\d)?\.branch{i}([._])", rf"stages.{stage}\1.{branch}\2")
        for stage, branches in _BRANCHES.items()
        for i, branch in enumerate(branches, start=first)
    )


_TIMM = (
    *((rf"^features\.{i}\.", f"stages.conv{i + 1}.") for i in range(3)),
    (r"^features\.([35])\.conv\.", r"stages.mixed_\1a.3x3."),
    (r"^features\.4\.", "stages.mixed_4a."),
    *((rf"^features\.{i}\.", f"stages.inception_a.{i - 6}.") for i in range(6, 10)),
    (r"^features\.10\.", "stages.reduction_a."),
    *((rf"^features\.{i}\.", f"stages.inception_b.{i - 11}.") for i in range(11, 18)),
    (r"^features\.18\.", "stages.reduction_b."),
    *((rf"^features\.{i}\.", f"stages.inception_c.{i - 19}.") for i in range(19, 22)),
    *_branches(first=0),
    (r"3x3_(\d)a\.", r"3x3.\1.1x3."),
    (r"3x3_(\d)b\.", r"3x3.\1.3x1."),
    (r"3x3_(\d)\.", r"3x3.\1."),
    (r"\.bn\.", ".norm."),
    (r"^last_linear\.", "head.fc."),
)

_PYTORCHCV = (
    *(
        (rf"^features\.init_block\.block{i}\.branches\.", f"stages.mixed_{i + 2}a.")
        for i in (1, 2, 3)
    ),
    (r"^features\.init_block\.", "stages."),
    (r"^features\.stage2\.unit1\.branches\.", "stages.reduction_a."),
    (r"^features\.stage3\.unit1\.branches\.", "stages.reduction_b."),
    *(
        (rf"^features\.{stage}\.unit{i + first}\.branches\.", f"stages.{ours}.{i}.")
        for stage, first, ours in (
            ("stage1", 1, "inception_a"),
            ("stage2", 2, "inception_b"),
            ("stage3", 2, "inception_c"),
        )
        for i in range(7)
    ),
    *_branches(first=1),
    (r"(_[35]a|\.\d)\.(1x1|3x3)\.conv\.(conv|bn)\.", r"\1.\2.\3."),
    (r"\.reduction_a\.3x3\.conv_list\.conv1\.", ".reduction_a.3x3."),
    (r"\.pool\.conv\.", ".pool.1."),
    (r"\.3x3\.conv(1x3|3x1)\.", r".3x3.1.\1."),
    (r"\.double_3x3\.conv(1x3|3x1)\.", r".double_3x3.3.\1."),
    *((rf"\.conv_list\.conv{i + 1}\.", f".{i}.") for i in range(5)),  # it counts from one
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"timm": _TIMM, "pytorchcv": _PYTORCHCV}
