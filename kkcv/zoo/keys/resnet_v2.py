"""ResNet v2 in timm (``resnetv2_*`` here) and pytorchcv (``preresnet*`` here)."""

_TIMM = (
    (r"\.downsample\.conv\.", ".projection."),
    (r"\.norm1\.", ".activation.norm."),
    (r"\.conv1\.", ".residual.conv1."),
    (r"\.conv([23])\.", r".residual.conv\1.conv."),
    (r"\.norm([23])\.", r".residual.conv\1.norm."),
    *((rf"^stages\.{i}\.blocks\.", f"stages.conv{i + 2}_x.") for i in range(4)),
    (r"^stem\.conv\.", "stages.conv1."),
    (r"^norm\.", "stages.post_activation.norm."),
    (r"^head\.fc\.", "head."),
)

_PYTORCHCV = (
    (r"^features\.init_block\.conv\.", "stages.conv1.conv."),
    (r"^features\.init_block\.bn\.", "stages.conv1.norm."),
    (r"^features\.post_activ\.bn\.", "stages.post_activation.norm."),
    *((rf"^features\.stage{i}\.", f"stages.conv{i + 1}_x.") for i in range(1, 5)),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(36)),  # it counts from one
    (r"\.identity_conv\.", ".projection."),
    (r"\.body\.conv1\.bn\.", ".activation.norm."),
    (r"\.body\.conv1\.conv\.", ".residual.conv1."),
    (r"\.body\.", ".residual."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"timm": _TIMM, "pytorchcv": _PYTORCHCV}
