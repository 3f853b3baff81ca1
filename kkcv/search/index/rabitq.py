"""Inverted lists of a bit a number, re-ranked from float16: Gao & Long 2024, arXiv:2405.12497."""

from .ivf import EFFORTS, lists, lists_for
from .kind import Kind

KIND = Kind(
    "rabitq",
    factory=lambda n: f"IVF{lists_for(n)},RaBitQ,Refine(SQfp16)",
    efforts=lambda k: EFFORTS,
    # a bit tells shots of one moment apart by chance only, and such shots fill whole lists
    opened=lists(candidates=30, candidates_a_list=16),
    resident=lambda dim: dim // 8 + 8 + 8,  # the bits, two factors and an id
)
