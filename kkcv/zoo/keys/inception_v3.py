"""Inception v3 in torchvision, timm and pytorchcv."""

_TORCHVISION = (
    (r"^Conv2d_1a_3x3\.", "stages.conv1."),
    (r"^Conv2d_2a_3x3\.", "stages.conv2."),
    (r"^Conv2d_2b_3x3\.", "stages.conv3."),
    (r"^Conv2d_3b_1x1\.", "stages.conv4."),
    (r"^Conv2d_4a_3x3\.", "stages.conv5."),
    (r"^Mixed_", "stages.mixed_"),
    (r"\.branch(\dx\d)\.", r".\1."),
    (r"\.branch_pool\.", ".pool.1."),
    (r"\.branch(\dx\d)dbl_", r".branchdouble_\1_"),
    (r"\.branch7x7x3_", ".branch7x7_3x3_"),
    *((rf"\.branch(\w+)_{i + 1}([ab]?)\.", rf".\g<1>.{i}\g<2>.") for i in range(5)),  # from one
    (r"\.(\d)a\.", r".\1.1x3."),
    (r"\.(\d)b\.", r".\1.3x1."),
    (r"^AuxLogits\.conv1\.", "auxiliary.mixed_6e.conv2."),
    (r"^AuxLogits\.conv0\.", "auxiliary.mixed_6e.conv1."),
    (r"^AuxLogits\.", "auxiliary.mixed_6e."),
    (r"\.bn\.", ".norm."),
    (r"^fc\.", "head.fc."),
)

# The units of pytorchcv in order, and what its branches 1, 2, … are in each.
_A = ("1x1", "5x5", "double_3x3", "pool")
_B = ("1x1", "7x7", "double_7x7", "pool")
_C = ("1x1", "3x3", "double_3x3", "pool")
_UNITS: dict[str, dict[str, tuple[str, ...]]] = {
    "stage1": {"5b": _A, "5c": _A, "5d": _A},
    "stage2": {"6a": ("3x3", "double_3x3"), "6b": _B, "6c": _B, "6d": _B, "6e": _B},
    "stage3": {"7a": ("3x3", "7x7_3x3"), "7b": _C, "7c": _C},
}

_PYTORCHCV = (
    (r"^features\.init_block\.", "stages."),
    *(
        (rf"^features\.{stage}\.unit{u}\.branches\.branch{b}\.", f"stages.mixed_{name}.{branch}.")
        for stage, units in _UNITS.items()
        for u, (name, branches) in enumerate(units.items(), start=1)
        for b, branch in enumerate(branches, start=1)
    ),
    (r"\.mixed_6a\.3x3\.conv_list\.conv1\.", ".mixed_6a.3x3."),
    (r"\.1x1\.conv\.(conv|bn)\.", r".1x1.\1."),
    (r"\.pool\.conv\.", ".pool.1."),
    (r"\.3x3\.conv(1x3|3x1)\.", r".3x3.1.\1."),
    (r"\.double_3x3\.conv(1x3|3x1)\.", r".double_3x3.2.\1."),
    *((rf"\.conv_list\.conv{i + 1}\.", f".{i}.") for i in range(5)),  # it counts from one
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"torchvision": _TORCHVISION, "timm": _TORCHVISION, "pytorchcv": _PYTORCHCV}
