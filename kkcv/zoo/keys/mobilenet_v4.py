"""MobileNet v4 in timm."""

_TIMM = (
    (r"^conv_stem\.", "stages.conv1.conv."),
    (r"^bn1\.", "stages.conv1.norm."),
    (r"^blocks\.4\.0\.conv\.", "stages.conv_last.conv."),
    (r"^blocks\.4\.0\.bn1\.", "stages.conv_last.norm."),
    (r"^conv_head\.", "neck.fc."),
    (r"^norm_head\.", "neck.norm."),
    (r"^classifier\.", "head.fc."),
    # FusedIB: in the small network two plain convolutions
    (r"^blocks\.([01])\.0\.conv\.", r"blocks.\1.0.expand.conv."),
    (r"^blocks\.([01])\.1\.conv\.", r"blocks.\1.0.project.conv."),
    (r"^blocks\.([01])\.1\.bn1\.", r"blocks.\1.0.project.norm."),
    (r"\.conv_exp\.", ".expand.conv."),
    (r"\.bn1\.", ".expand.norm."),
    (r"\.conv_pwl\.", ".project.conv."),
    (r"\.bn2\.", ".project.norm."),
    *((rf"^blocks\.{i}\.", f"stages.stage{i + 1}.") for i in range(4)),
    # the universal inverted bottleneck
    (r"\.dw_start\.", ".start."),
    (r"\.pw_exp\.", ".expand."),
    (r"\.dw_mid\.", ".middle."),
    (r"\.pw_proj\.", ".project."),
    (r"\.bn\.", ".norm."),
    # Mobile MQA
    (r"\.attn\.query\.proj\.", ".query."),
    (r"\.attn\.(key|value)\.down_conv\.", r".\1.shrink.conv."),
    (r"\.attn\.(key|value)\.norm\.", r".\1.shrink.norm."),
    (r"\.attn\.(key|value)\.proj\.", r".\1.project."),
    (r"\.attn\.output\.proj\.", ".project."),
    (r"\.layer_scale\.", ".end.scale."),
)

KEYS = {"timm": _TIMM}
