"""DenseNet in torchvision, timm and pytorchcv."""

_TORCHVISION = (
    (r"\.(conv|norm)\.(\d)\.", r".\1\2."),  # as in torchvision's files of 2017
    (r"^features\.conv0\.", "stages.conv1.conv."),
    (r"^features\.norm0\.", "stages.conv1.norm."),
    (r"^features\.norm5\.", "stages.post_activation.norm."),
    (r"^features\.denseblock(\d)\.", r"stages.dense\1."),
    *((rf"\.denselayer{i + 1}\.", f".{i}.") for i in range(64)),  # it counts from one
    (r"(\.\d+)\.(norm|conv)([12])\.", r"\1.conv\3.\2."),
    (r"^features\.transition", "stages.transition"),
    (r"^classifier\.", "head."),
)

_PYTORCHCV = (
    (r"^features\.init_block\.conv\.", "stages.conv1.conv."),
    (r"^features\.init_block\.bn\.", "stages.conv1.norm."),
    (r"^features\.post_activ\.", "stages.post_activation."),
    *(
        (rf"^features\.stage{i + 1}\.trans{i + 1}\.conv\.", f"stages.transition{i}.")
        for i in (1, 2, 3)
    ),
    *((rf"^features\.stage{i}\.", f"stages.dense{i}.") for i in range(1, 5)),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(64)),  # it counts from one
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"torchvision": _TORCHVISION, "timm": _TORCHVISION, "pytorchcv": _PYTORCHCV}
