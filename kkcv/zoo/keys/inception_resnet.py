"""Inception-ResNet v2 in timm and pytorchcv, and pytorchcv's v1, which has a module too many."""

_MIXED_5B = ("1x1", "5x5", "double_3x3", "pool")

_TIMM = (
    (r"^conv2d_1a\.", "stages.conv1."),
    (r"^conv2d_2a\.", "stages.conv2."),
    (r"^conv2d_2b\.", "stages.conv3."),
    (r"^conv2d_3b\.", "stages.conv4."),
    (r"^conv2d_4a\.", "stages.conv5."),
    *((rf"^mixed_5b\.branch{i}\.", f"stages.mixed_5b.{b}.") for i, b in enumerate(_MIXED_5B)),
    (r"^mixed_6a\.", "stages.reduction_a."),
    (r"^mixed_7a\.", "stages.reduction_b."),
    (r"^(repeat|repeat_1|repeat_2)\.(\d+)\.branch", r"\1.\2.branches.branch"),
    (r"^block8\.branch", "block8.branches.branch"),
    (r"^repeat\.", "stages.inception_resnet_a."),
    (r"^repeat_1\.", "stages.inception_resnet_b."),
    (r"^repeat_2\.", "stages.inception_resnet_c."),
    (r"^block8\.", "stages.inception_resnet_c.9."),
    (r"\.conv2d\.", ".linear."),
    (r"^conv2d_7b\.", "stages.conv_7b."),
    (r"\.branch(\d)\.(conv|bn)\.", r".branch\1.0.\2."),
    (r"\.bn\.", ".norm."),
    (r"^classif\.", "head.fc."),
)


def _pytorchcv(stem: str) -> tuple[tuple[str, str], ...]:
    return (
        *(
            (rf"^features\.init_block\.block\.branches\.branch{i}\.", f"stages.mixed_5b.{branch}.")
            for i, branch in enumerate(_MIXED_5B, start=1)
        ),
        (r"^features\.init_block\.", stem),
        (r"^features\.final_conv\.", "stages.conv_7b."),
        (r"^features\.stage2\.unit1\.branches\.", "stages.reduction_a."),
        (r"^features\.stage3\.unit1\.branches\.", "stages.reduction_b."),
        *(
            (rf"^features\.{stage}\.unit{i + first}\.", f"stages.inception_resnet_{kind}.{i}.")
            for stage, first, kind in (("stage1", 1, "a"), ("stage2", 2, "b"), ("stage3", 2, "c"))
            for i in range(20)
        ),
        (r"^(stages\.inception_resnet_\w\.\d+\.)conv\.", r"\1linear."),
        *((rf"\.branch{i + 1}\.", f".branch{i}.") for i in range(4)),  # it counts from one
        *((rf"\.conv_list\.conv{i + 1}\.", f".{i}.") for i in range(3)),
        (r"\.1x1\.conv\.(conv|bn)\.", r".1x1.\1."),
        (r"\.pool\.conv\.", ".pool.1."),
        (r"\.branch0\.conv\.", ".branch0.0."),
        (r"\.bn\.", ".norm."),
        (r"^output\.", "head."),
    )


KEYS = {
    "timm": _TIMM,
    "pytorchcv": _pytorchcv(stem="stages."),
    "pytorchcv, v1": _pytorchcv(stem="stages.stem."),
}
