"""A user's program, as a type checker sees it; test_typing.py runs mypy over it."""

import asyncio
from pathlib import Path
from typing import assert_type

import numpy as np

from kkcv import Classifier, Embedder, Gallery, Hit, Hits, zoo


def search(gallery: Gallery, picture: Path, pixels: np.ndarray) -> float:
    hits = gallery.search(picture, k=5, where={"label": "cat"}, min_score=0.2, verify="ties")
    assert_type(hits, Hits)
    assert_type(hits[0], Hit)
    assert_type(hits[:2], Hits)
    assert_type(gallery.search([picture, pixels, 17]), list[Hits])
    assert_type(gallery.search(pixels).ids, list[int])
    for each in gallery:
        if each.id in gallery:
            print(each.added.year, gallery.path(each).name)
    return hits[0].score


async def search_beside_other_work(gallery: Gallery) -> Hits:
    return await asyncio.to_thread(gallery.search, "cat.jpg", k=3)


def networks() -> None:
    vectors: np.ndarray = Embedder("resnet50").embed(["a.jpg", "b.jpg"])
    label: str = Classifier("runs/pets").predict("a.jpg")[0].label
    names: list[str] = zoo.list_models("resnet*", pretrained=True)
    zoo.create(names[0], pretrained=True, in_channels=1).reset_classifier(len(label))
    print(vectors.shape)
