"""What needs torch is asked of a child process."""

from pathlib import Path

import pytest

from kkcv.apart import Apart
from kkcv.errors import PictureError, UnknownNetwork
from kkcv.images.limits import Limits

MODEL = ("efficientnet_lite0", "imagenet")


def test_the_process_answers_and_comes_back_when_it_was_ended(album: list[Path]) -> None:
    """The service itself never imports torch, which some of its runtimes do not bear."""
    apart = Apart()
    picture = album[0].read_bytes()

    first = apart.classify(MODEL, picture, 1, "en")
    apart.close()
    again = apart.classify(MODEL, picture, 1, "en")
    with pytest.raises(PictureError, match="of no image format that is known"):
        apart.classify(MODEL, b"hello world", 1, "en", Limits())
    explanation = apart.explain(MODEL, picture, picture)
    apart.close()

    assert first == again
    assert first[0]["label"] == "ant"
    assert explanation.score == pytest.approx(1)


@pytest.mark.slow  # imports open_clip
def test_what_the_process_lacks_is_said(album: list[Path]) -> None:
    apart = Apart()

    with pytest.raises(UnknownNetwork) as error:
        apart.embed_texts(("open_clip:ViT-B-33", "none"), ["a red bus"])
    apart.close()

    assert str(error.value).startswith("no network 'ViT-B-33' in open_clip; the nearest: ViT-B-32")
