"""Inverted lists of a bit a number, re-ranked from float16: Gao & Long 2024, arXiv:2405.12497."""

from .ivf import EFFORTS, lists_for, parameters
from .kind import Kind

KIND = Kind(
    "rabitq",
    factory=lambda n: f"IVF{lists_for(n)},RaBitQ,Refine(SQfp16)",
    effort=EFFORTS,
    parameters=parameters(refine=30),
    resident=lambda dim: dim // 8 + 8 + 8,  # the bits, two factors and an id
)
