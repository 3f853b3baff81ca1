"""MobileNet v1 in timm and pytorchcv."""

# Both number the blocks of one resolution together; five of the 14² blocks are one row of table 1.
_ROWS = {
    (0, 0): "1.0",
    (1, 0): "2.0",
    (1, 1): "3.0",
    (2, 0): "4.0",
    (2, 1): "5.0",
    (3, 0): "6.0",
    **{(3, i): f"7.{i - 1}" for i in range(1, 6)},
    (4, 0): "8.0",
    (4, 1): "9.0",
}

_TIMM = (
    (r"^conv_stem\.", "stages.conv1.conv."),
    (r"^bn1\.", "stages.conv1.norm."),
    (r"^classifier\.", "head."),
    *((rf"^blocks\.{i}\.{j}\.", f"stages.separable{row}.") for (i, j), row in _ROWS.items()),
    (r"\.conv_dw\.", ".depthwise.conv."),
    (r"\.bn1\.", ".depthwise.norm."),
    (r"\.conv_pw\.", ".pointwise.conv."),
    (r"\.bn2\.", ".pointwise.norm."),
)

_PYTORCHCV = (
    (r"^features\.init_block\.", "stages.conv1."),
    *(
        (rf"^features\.stage{i + 1}\.unit{j + 1}\.", f"stages.separable{row}.")
        for (i, j), row in _ROWS.items()
    ),
    (r"\.dw_conv\.", ".depthwise."),
    (r"\.pw_conv\.", ".pointwise."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"timm": _TIMM, "pytorchcv": _PYTORCHCV}
