"""timm's names of what MobileNets and EfficientNets share: their ends, and their blocks."""

ENDS = (
    (r"^conv_stem\.", "stages.stem.conv."),
    (r"^bn1\.", "stages.stem.norm."),
    (r"^conv_head\.", "stages.conv_head.conv."),
    (r"^bn2\.", "stages.conv_head.norm."),
    (r"^classifier\.", "head.fc."),
)
BLOCK = (
    (r"\.conv_pw\.", ".expand.conv."),
    (r"\.bn1\.", ".expand.norm."),
    (r"\.conv_dw\.", ".depthwise.conv."),
    (r"\.bn2\.", ".depthwise.norm."),
    (r"\.se\.conv_reduce\.", ".se.fc1."),
    (r"\.se\.conv_expand\.", ".se.fc2."),
    (r"\.conv_pwl\.", ".project.conv."),
    (r"\.bn3\.", ".project.norm."),
)


def without_expansion(ours: str) -> tuple[tuple[str, str], ...]:
    """The blocks of the first stage, whose names are one step behind: they do not widen first."""
    steps = {
        "conv_dw": "depthwise.conv",
        "bn1": "depthwise.norm",
        "conv_pw": "project.conv",
        "bn2": "project.norm",
    }
    return tuple(
        (rf"^blocks\.0\.(\d+)\.{theirs}\.", f"{ours}.{step}.") for theirs, step in steps.items()
    )
