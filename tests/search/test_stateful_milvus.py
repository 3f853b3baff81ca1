"""A whole gallery on Milvus against brute force: what test_stateful.py does to one in a folder."""

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from kkcv.embedding.runtimes import RUNTIMES

from .conftest import GridOfColors
from .test_stateful import GalleryAgainstBruteForce


@pytest.fixture(autouse=True, scope="module")
def server(milvus: str) -> Iterator[None]:
    RUNTIMES["grid"] = lambda *_: GridOfColors()
    OnMilvus.server = milvus
    yield
    del RUNTIMES["grid"]


class OnMilvus(GalleryAgainstBruteForce):
    in_a_folder = False
    server: str

    def new_address(self) -> str:
        return f"{self.server}/g{uuid.uuid4().hex}?files={self.home / 'files'}"


TestBriefly = OnMilvus.TestCase
TestBriefly.settings = settings(
    max_examples=3, stateful_step_count=20, deadline=None, derandomize=True
)


class AtLength(OnMilvus):
    """The same with other dice."""


TestAtLength = pytest.mark.slow(AtLength.TestCase)
TestAtLength.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
