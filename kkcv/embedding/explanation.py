"""Why two pictures score what they do: which positions of each made them match.

The score is the cosine of two embeddings, and an embedding is a sum over the positions of the last
feature map (parts.py). So the score is a sum over all pairs of positions, one of each picture:

    cos(q, h) = Σp Σr ⟨partₚ(q), partᵣ(h)⟩ / (|q| |h|)

Summed over the positions of the other picture it is a heat map; each of the two adds up to the
score, together with a ``rest`` that belongs to no position. After Stylianou, Souvenir and Pless:
Visualizing Deep Similarity Networks, WACV 2019, arXiv:1901.00536.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

SMALL = 0.05  # scores around zero are not scaled,
FAR = 0.25  # nor those that differ by more than this share

Seen = tuple[float, float, float, float]  # left, top, width, height as fractions of a picture


class Parts(NamedTuple):
    """An embedding, not yet of unit length, as a sum over positions, in float32."""

    parts: np.ndarray  # (h, w, D)
    rest: np.ndarray  # (D,)

    @property
    def embedding(self) -> np.ndarray:
        """The sum: float64 (D,)."""
        return self.parts.sum((0, 1), dtype=np.float64) + self.rest

    def through(self, matrix: np.ndarray) -> "Parts":
        """The parts after a projection: each times a matrix, float (D, d)."""
        matrix = matrix.astype(np.float32)
        return Parts(self.parts @ matrix, self.rest @ matrix)


@dataclass(frozen=True)
class Side:
    """One picture's share of a score.

    ``heat`` is float32 (h, w): what each position adds; ``heat.sum() + rest`` is the score.
    ``seen`` is the part of the picture under the map, as fractions: left, top, width, height.
    """

    heat: np.ndarray
    rest: float
    seen: Seen

    def within(self, part: Seen) -> "Side":
        """The same of the picture that this one is a part of."""
        left, top, width, height = part
        x, y, wide, tall = self.seen
        seen = left + x * width, top + y * height, wide * width, tall * height
        return replace(self, seen=seen)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"heat": self.heat.tolist(), "rest": self.rest, "seen": list(self.seen)}


@dataclass(frozen=True)
class Explanation:
    """The cosine of two pictures, and what each position of both adds to it.

    ``pairs`` is float32 (h, w, h', w'): what each position of the query adds together with each of
    the hit. ``whole`` is the score of the whole pictures, where the score is that of a part of the
    hit.
    """

    score: float
    query: Side
    hit: Side
    pairs: np.ndarray
    whole: float | None = None

    def of_score(self, score: float) -> "Explanation":
        """The same for the score of a search, whose runtime computes less exactly than float32.

        Every share grows or shrinks with it. Scores that are too far apart for this stay apart.
        """
        if abs(self.score) < SMALL or abs(score / self.score - 1) > FAR:
            return self
        by = score / self.score
        query, hit = (
            replace(s, heat=s.heat * np.float32(by), rest=s.rest * by)
            for s in (self.query, self.hit)
        )
        return Explanation(score, query, hit, self.pairs * np.float32(by))

    def of_part(self, part: Seen, whole: float) -> "Explanation":
        """The same for a hit of which ``part`` was explained, as fractions of the whole."""
        return replace(self, hit=self.hit.within(part), whole=whole)

    @property
    def title(self) -> str:
        """The score in words."""
        if self.whole is None:
            return f"score {self.score:.4f}"
        return f"score {self.score:.4f} of a part of the hit, {self.whole:.4f} of the whole"

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the pairs."""
        sides = {"query": self.query.to_dict(), "hit": self.hit.to_dict()}
        return {"score": self.score, "whole": self.whole, **sides}


def explained(
    query: Parts, hit: Parts, query_seen: Seen = (0, 0, 1, 1), hit_seen: Seen = (0, 0, 1, 1)
) -> Explanation:
    """The cosine of two embeddings, shared out among their parts."""
    first, second = unit_length(query), unit_length(hit)
    q, h = first.embedding, second.embedding
    return Explanation(
        float(q @ h),
        Side((first.parts @ h).astype(np.float32), float(first.rest @ h), query_seen),
        Side((second.parts @ q).astype(np.float32), float(second.rest @ q), hit_seen),
        np.tensordot(first.parts, second.parts, (2, 2)),
    )


def unit_length(parts: Parts) -> Parts:
    """The parts of the unit vector; of a vector of zeros they stay zeros."""
    length = max(float(np.linalg.norm(parts.embedding)), float(np.finfo(np.float32).tiny))
    return Parts(parts.parts / np.float32(length), parts.rest / np.float32(length))
