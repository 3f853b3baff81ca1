"""Xception in timm and pytorchcv.

timm numbers the steps of a block: ReLU, separable convolution and norm count one each, and the
first block begins without a ReLU.
"""

_TIMM = (
    *((rf"^block1\.rep\.{i}\.", f"block1.rep.{i + 1}.") for i in (4, 3, 1, 0)),
    *((rf"\.rep\.{3 * i + 1}\.", f".separable.{i}.") for i in range(3)),
    *((rf"\.rep\.{3 * i + 2}\.", f".separable.{i}.norm.") for i in range(3)),
    (r"\.skip\.", ".shortcut.conv."),
    (r"\.skipbn\.", ".shortcut.norm."),
    *((rf"^block{i}\.", f"stages.entry{i}.") for i in (1, 2, 3)),
    *((rf"^block{i}\.", f"stages.middle.{i - 4}.") for i in range(4, 12)),
    (r"^block12\.", "stages.exit."),
    (r"^conv([12])\.weight", r"stages.conv\1.conv.weight"),
    (r"^bn([12])\.", r"stages.conv\1.norm."),
    (r"^bn3\.", "stages.separable1.norm."),
    (r"^bn4\.", "stages.separable2.norm."),
    (r"^conv3\.", "stages.separable1."),
    (r"^conv4\.", "stages.separable2."),
    (r"\.conv1\.weight", ".depthwise.weight"),
    (r"^fc\.", "head.fc."),
)

_PYTORCHCV = (
    (r"^features\.init_block\.", "stages."),
    (r"^features\.stage([12])\.unit1\.", r"stages.entry\1."),
    (r"^features\.stage3\.unit1\.", "stages.entry3."),
    *((rf"^features\.stage3\.unit{i + 2}\.", f"stages.middle.{i}.") for i in range(8)),
    (r"^features\.stage4\.unit1\.", "stages.exit."),
    (r"^features\.final_block\.conv(\d)\.", r"stages.separable\1."),
    *((rf"\.body\.block{i + 1}\.", f".separable.{i}.") for i in range(3)),
    (r"\.conv\.dw_conv\.", ".depthwise."),
    (r"\.conv\.pw_conv\.", ".pointwise."),
    (r"\.identity_conv\.", ".shortcut."),
    (r"\.bn\.", ".norm."),
    (r"^output\.", "head.fc."),
)

KEYS = {"timm": _TIMM, "pytorchcv": _PYTORCHCV}
