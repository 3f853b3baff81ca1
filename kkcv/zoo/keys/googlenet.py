"""GoogLeNet in torchvision."""

_TORCHVISION = (
    (r"^conv1\.", "stages.conv1."),
    (r"^conv2\.", "stages.conv2_reduce."),
    (r"^conv3\.", "stages.conv2."),
    (r"^inception", "stages.inception"),
    (r"\.branch1\.", ".1x1."),
    (r"\.branch2\.", ".3x3."),
    (r"\.branch3\.", ".5x5."),
    (r"\.branch4\.", ".pool."),
    (r"\.bn\.", ".norm."),
    (r"^aux1\.", "auxiliary.inception4a."),
    (r"^aux2\.", "auxiliary.inception4d."),
    (r"^fc\.", "head.fc."),
)

KEYS = {"torchvision": _TORCHVISION}
