"""Tables 11 to 15 of the MobileNet v4 paper, from the second row (the first is the stem) to the
last block before the pooling.

Equal rows that follow each other are one row with n repeats.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """A row: kernels of 0 are absent; attention has no kernels and does not expand."""

    block: str
    k1: int
    k2: int
    expanded: int
    out: int
    stride: int
    repeats: int


def table(*rows: tuple[str, int, int, int, int, int, int]) -> tuple[Row, ...]:
    return tuple(Row(*row) for row in rows)


# Table 11.
CONV_SMALL = table(
    # block, k1, k2, exp, out, s, n
    ("FusedIB", 0, 3, 32, 32, 2, 1),
    ("FusedIB", 0, 3, 96, 64, 2, 1),
    ("ExtraDW", 5, 5, 192, 96, 2, 1),
    ("IB", 0, 3, 192, 96, 1, 4),
    ("ConvNext", 3, 0, 384, 96, 1, 1),
    ("ExtraDW", 3, 3, 576, 128, 2, 1),
    ("ExtraDW", 5, 5, 512, 128, 1, 1),
    ("IB", 0, 5, 512, 128, 1, 1),
    ("IB", 0, 5, 384, 128, 1, 1),
    ("IB", 0, 3, 512, 128, 1, 2),
)
# Table 12.
CONV_MEDIUM = table(
    # block, k1, k2, exp, out, s, n
    ("FusedIB", 0, 3, 128, 48, 2, 1),
    ("ExtraDW", 3, 5, 192, 80, 2, 1),
    ("ExtraDW", 3, 3, 160, 80, 1, 1),
    ("ExtraDW", 3, 5, 480, 160, 2, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 2),
    ("ExtraDW", 3, 5, 640, 160, 1, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 1),
    ("ConvNext", 3, 0, 640, 160, 1, 1),
    ("FFN", 0, 0, 320, 160, 1, 1),
    ("ConvNext", 3, 0, 640, 160, 1, 1),
    ("ExtraDW", 5, 5, 960, 256, 2, 1),
    ("ExtraDW", 5, 5, 1024, 256, 1, 1),
    ("ExtraDW", 3, 5, 1024, 256, 1, 2),
    ("FFN", 0, 0, 1024, 256, 1, 1),
    ("ConvNext", 3, 0, 1024, 256, 1, 1),
    ("ExtraDW", 3, 5, 512, 256, 1, 1),
    ("ExtraDW", 5, 5, 1024, 256, 1, 1),
    ("FFN", 0, 0, 1024, 256, 1, 2),
    ("ConvNext", 5, 0, 512, 256, 1, 1),
)
# Table 14.
CONV_LARGE = table(
    # block, k1, k2, exp, out, s, n
    ("FusedIB", 0, 3, 96, 48, 2, 1),
    ("ExtraDW", 3, 5, 192, 96, 2, 1),
    ("ExtraDW", 3, 3, 384, 96, 1, 1),
    ("ExtraDW", 3, 5, 384, 192, 2, 1),
    ("ExtraDW", 3, 3, 768, 192, 1, 3),
    ("ExtraDW", 3, 5, 768, 192, 1, 1),
    ("ExtraDW", 5, 3, 768, 192, 1, 5),
    ("ConvNext", 3, 0, 768, 192, 1, 1),
    ("ExtraDW", 5, 5, 768, 512, 2, 1),
    ("ExtraDW", 5, 5, 2048, 512, 1, 3),
    ("ConvNext", 5, 0, 2048, 512, 1, 1),
    ("ExtraDW", 5, 3, 2048, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 2),
    ("ExtraDW", 5, 3, 2048, 512, 1, 1),
    ("ExtraDW", 5, 5, 2048, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 3),
)
# The authors' code (tensorflow/models, MobileNetV4HybridMedium): what was trained and released.
HYBRID_MEDIUM = table(
    # block, k1, k2, exp, out, s, n
    ("FusedIB", 0, 3, 128, 48, 2, 1),
    ("ExtraDW", 3, 5, 192, 80, 2, 1),
    ("ExtraDW", 3, 3, 160, 80, 1, 1),
    ("ExtraDW", 3, 5, 480, 160, 2, 1),
    ("FFN", 0, 0, 320, 160, 1, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 1),
    ("ExtraDW", 3, 5, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ConvNext", 3, 0, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ConvNext", 3, 0, 640, 160, 1, 1),
    ("ExtraDW", 5, 5, 960, 256, 2, 1),
    ("ExtraDW", 5, 5, 1024, 256, 1, 1),
    ("ExtraDW", 3, 5, 1024, 256, 1, 2),
    ("FFN", 0, 0, 512, 256, 1, 1),
    ("ExtraDW", 3, 5, 512, 256, 1, 1),
    ("FFN", 0, 0, 512, 256, 1, 1),
    ("FFN", 0, 0, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("ConvNext", 3, 0, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("ExtraDW", 5, 5, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("ConvNext", 5, 0, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("ConvNext", 5, 0, 1024, 256, 1, 1),
)
# Table 13 (of arXiv v2).
HYBRID_MEDIUM_TABLE_13 = table(
    # block, k1, k2, exp, out, s, n
    ("FusedIB", 0, 3, 128, 48, 2, 1),
    ("ExtraDW", 3, 5, 192, 80, 2, 1),
    ("ExtraDW", 3, 3, 160, 80, 1, 1),
    ("ExtraDW", 3, 5, 480, 160, 2, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 2),
    ("ExtraDW", 3, 5, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ExtraDW", 3, 3, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ConvNext", 3, 0, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("FFN", 0, 0, 640, 160, 1, 1),
    ("MQA", 0, 0, 0, 160, 1, 1),
    ("ConvNext", 3, 0, 640, 160, 1, 1),
    ("ExtraDW", 5, 5, 960, 256, 2, 1),
    ("ExtraDW", 5, 5, 1024, 256, 1, 1),
    ("ExtraDW", 3, 5, 1024, 256, 1, 2),
    ("FFN", 0, 0, 1024, 256, 1, 1),
    ("ConvNext", 3, 0, 1024, 256, 1, 1),
    ("ExtraDW", 3, 5, 512, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("ExtraDW", 5, 5, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("FFN", 0, 0, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("FFN", 0, 0, 1024, 256, 1, 1),
    ("MQA", 0, 0, 0, 256, 1, 1),
    ("ConvNext", 5, 0, 1024, 256, 1, 1),
)
# Table 15.
HYBRID_LARGE = table(
    # block, k1, k2, exp, out, s, n
    ("FusedIB", 0, 3, 96, 48, 2, 1),
    ("ExtraDW", 3, 5, 192, 96, 2, 1),
    ("ExtraDW", 3, 3, 384, 96, 1, 1),
    ("ExtraDW", 3, 5, 384, 192, 2, 1),
    ("ExtraDW", 3, 3, 768, 192, 1, 3),
    ("ExtraDW", 3, 5, 768, 192, 1, 1),
    ("ExtraDW", 5, 3, 768, 192, 1, 2),
    ("MQA", 0, 0, 0, 192, 1, 1),
    ("ExtraDW", 5, 3, 768, 192, 1, 1),
    ("MQA", 0, 0, 0, 192, 1, 1),
    ("ExtraDW", 5, 3, 768, 192, 1, 1),
    ("MQA", 0, 0, 0, 192, 1, 1),
    ("ExtraDW", 5, 3, 768, 192, 1, 1),
    ("MQA", 0, 0, 0, 192, 1, 1),
    ("ConvNext", 3, 0, 768, 192, 1, 1),
    ("ExtraDW", 5, 5, 768, 512, 2, 1),
    ("ExtraDW", 5, 5, 2048, 512, 1, 3),
    ("ConvNext", 5, 0, 2048, 512, 1, 1),
    ("ExtraDW", 5, 3, 2048, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 2),
    ("ExtraDW", 5, 3, 2048, 512, 1, 1),
    ("ExtraDW", 5, 5, 2048, 512, 1, 1),
    ("MQA", 0, 0, 0, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 1),
    ("MQA", 0, 0, 0, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 1),
    ("MQA", 0, 0, 0, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 1),
    ("MQA", 0, 0, 0, 512, 1, 1),
    ("ConvNext", 5, 0, 2048, 512, 1, 1),
)

# The tables say nothing of the heads of Mobile MQA; these are the authors' code's.
# By channels: heads, channels of a head, stride of keys and values.
Heads = dict[int, tuple[int, int, int]]
MEDIUM_HEADS: Heads = {160: (4, 64, 2), 256: (4, 64, 1)}
LARGE_HEADS: Heads = {192: (8, 48, 2), 512: (8, 64, 1)}
