"""A labelled set is re-ordered as a gallery without the query would be."""

from pathlib import Path

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.images.decode import decode
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile
from kkcv.search.quality.reordering import by_ranking, by_verification
from kkcv.search.verification.features import features
from tests.search.ranking.vectors import clusters


def test_a_set_is_ranked_as_a_gallery_ranks_it(tmp_path: Path, embedder: Embedder) -> None:
    vectors = clusters(40, dim=48)
    near = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable") + 1
    with Gallery.create(tmp_path / "gallery", embedder, vectors="float32") as gallery:
        with gallery.catalog.writing() as writer:
            for n, vector in enumerate(vectors):
                writer.add(PictureFile(f"/{n}.png", False, bytes([n]), 1, 1), vector, {"n": n})
        for name in ("expanded", "augmented", "reciprocal", "smoothed"):
            hits = gallery.search_id(1, 40, ranking=name)

            expected = by_ranking(name, vectors)(0, near)
            assert [hit.metadata["n"] for hit in hits] == expected.tolist()


def test_the_same_picture_comes_first_once_it_is_verified(pictures: Path) -> None:
    """Three sizes of one picture behind pictures that vectors took for nearer."""
    groups = [sorted((pictures / "near_dup_caltech" / g).iterdir())[:3] for g in ("g01", "g14")]
    paths = [groups[0][0], *groups[1], *groups[0][1:]]
    found = [features(decode(path)) for path in paths]

    order = by_verification(found, lambda query, near: near)(0, np.arange(1, len(paths)))

    assert set(order[:2].tolist()) == {len(paths) - 2, len(paths) - 1}
