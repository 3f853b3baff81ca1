"""ShuffleNet in pytorchcv."""

_PYTORCHCV = (
    (r"^features\.init_block\.conv\.", "stages.conv1.conv."),
    (r"^features\.init_block\.bn\.", "stages.conv1.norm."),
    *((rf"^features\.stage{i}\.", f"stages.stage{i + 1}.") for i in (1, 2, 3)),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(8)),  # it counts from one
    (r"\.compress_conv1\.", ".gconv1.conv."),
    (r"\.compress_bn1\.", ".gconv1.norm."),
    (r"\.dw_conv2\.", ".dwconv.conv."),
    (r"\.dw_bn2\.", ".dwconv.norm."),
    (r"\.expand_conv3\.", ".gconv2.conv."),
    (r"\.expand_bn3\.", ".gconv2.norm."),
    (r"^output\.", "head."),
)

KEYS = {"pytorchcv": _PYTORCHCV}
