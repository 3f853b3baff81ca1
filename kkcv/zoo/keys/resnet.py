"""ResNet in torchvision, timm and pytorchcv."""

_TORCHVISION = (
    (r"^(layer\d+\.\d+\.)downsample\.0\.", r"\1shortcut.conv."),
    (r"^(layer\d+\.\d+\.)downsample\.1\.", r"\1shortcut.norm."),
    (r"(^|\.)conv(\d)\.", r"\1conv\2.conv."),
    (r"(^|\.)bn(\d)\.", r"\1conv\2.norm."),
    (r"^conv1\.", "stages.conv1."),
    (r"^layer1\.", "stages.conv2_x."),
    (r"^layer2\.", "stages.conv3_x."),
    (r"^layer3\.", "stages.conv4_x."),
    (r"^layer4\.", "stages.conv5_x."),
    (r"^fc\.", "head."),
    (r"shortcut\.conv\.conv\.", "shortcut.conv."),
)

_PYTORCHCV = (
    (r"^features\.init_block\.conv\.conv\.", "stages.conv1.conv."),
    (r"^features\.init_block\.conv\.bn\.", "stages.conv1.norm."),
    (r"^features\.stage1\.", "stages.conv2_x."),
    (r"^features\.stage2\.", "stages.conv3_x."),
    (r"^features\.stage3\.", "stages.conv4_x."),
    (r"^features\.stage4\.", "stages.conv5_x."),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(36)),  # it counts from one
    (r"\.body\.", "."),
    (r"\.identity_conv\.", ".shortcut."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"torchvision": _TORCHVISION, "timm": _TORCHVISION, "pytorchcv": _PYTORCHCV}
