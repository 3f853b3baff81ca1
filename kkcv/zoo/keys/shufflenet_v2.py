"""ShuffleNet V2 in torchvision and pytorchcv (its shufflenetv2_* and shufflenetv2b_*)."""

_TORCHVISION = (
    *(  # by the number of each convolution, whose norm comes next; a ReLU counts one
        (rf"^(stage\d\.\d+)\.branch{b}\.{n + i}\.", rf"\1.{side}.{place}.{layer}.")
        for b, side, numbers in ((1, "left", (0, 2)), (2, "right", (0, 3, 5)))
        for place, n in enumerate(numbers)
        for i, layer in enumerate(("conv", "norm"))
    ),
    (r"^(conv\d)\.0\.", r"\1.conv."),
    (r"^(conv\d)\.1\.", r"\1.norm."),
    (r"^(conv|stage)", r"stages.\1"),
    (r"^fc\.", "head."),
)

_PYTORCHCV = (
    (r"^features\.init_block\.conv\.", "stages.conv1."),
    (r"^features\.final_block\.", "stages.conv5."),
    *((rf"^features\.stage{i}\.", f"stages.stage{i + 1}.") for i in (1, 2, 3)),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(8)),  # it counts from one
    (r"\.compress_(conv|bn)1\.", r".right.0.\1."),
    (r"\.dw_(conv|bn)2\.", r".right.1.\1."),
    (r"\.expand_(conv|bn)3\.", r".right.2.\1."),
    (r"\.dw_(conv|bn)4\.", r".left.0.\1."),
    (r"\.expand_(conv|bn)5\.", r".left.1.\1."),
    (r"\.shortcut_dconv\.", ".left.0."),
    (r"\.shortcut_conv\.", ".left.1."),
    (r"(\.\d)\.conv1\.", r"\1.right.0."),
    (r"(\.\d)\.dconv\.", r"\1.right.1."),
    (r"(\.\d)\.conv2\.", r"\1.right.2."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"torchvision": _TORCHVISION, "pytorchcv": _PYTORCHCV}
