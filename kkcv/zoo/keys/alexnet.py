"""AlexNet in torchvision and pytorchcv."""

_TORCHVISION = (
    *((rf"^features\.{n}\.", f"stages.conv{i}.conv.") for i, n in enumerate((0, 3, 6, 8, 10), 1)),
    (r"^classifier\.1\.", "neck.fc6."),
    (r"^classifier\.4\.", "neck.fc7."),
    (r"^classifier\.6\.", "head.fc."),
)

_PYTORCHCV = (
    (r"^features\.stage([12])\.unit1\.", r"stages.conv\1."),
    *((rf"^features\.stage3\.unit{i}\.", f"stages.conv{i + 2}.") for i in (1, 2, 3)),
    (r"^output\.fc1\.fc\.", "neck.fc6."),
    (r"^output\.fc2\.fc\.", "neck.fc7."),
    (r"^output\.fc3\.", "head.fc."),
)

KEYS = {"torchvision": _TORCHVISION, "pytorchcv": _PYTORCHCV}
