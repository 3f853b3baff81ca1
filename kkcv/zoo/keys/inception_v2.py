"""BN-Inception in pytorchcv."""

# Its units in order, and what its branches 1, 2, … are in each.
_UNITS = {
    "stage1.unit1": "inception3a",
    "stage1.unit2": "inception3b",
    "stage2.unit1": "inception3c",
    "stage2.unit2": "inception4a",
    "stage2.unit3": "inception4b",
    "stage2.unit4": "inception4c",
    "stage2.unit5": "inception4d",
    "stage3.unit1": "inception4e",
    "stage3.unit2": "inception5a",
    "stage3.unit3": "inception5b",
}
_HALVING = ("3x3", "double_3x3")
_BRANCHES = ("1x1", "3x3", "double_3x3", "pool")

_PYTORCHCV = (
    (r"^features\.init_block\.conv1\.", "stages.conv1."),
    (r"^features\.init_block\.conv2\.conv1\.", "stages.conv2_reduce."),
    (r"^features\.init_block\.conv2\.conv2\.", "stages.conv2."),
    *(
        (rf"^features\.{unit}\.branches\.branch{i}\.", f"stages.{ours}.{branch}.")
        for unit, ours in _UNITS.items()
        for i, branch in enumerate(_HALVING if ours[-2:] in ("3c", "4e") else _BRANCHES, start=1)
    ),
    *((rf"\.(\w*3x3)\.conv{i + 1}\.", rf".\g<1>.{i}.") for i in range(3)),  # it counts from one
    (r"\.pool\.conv\.", ".pool.1."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head."),
)

KEYS = {"pytorchcv": _PYTORCHCV}
