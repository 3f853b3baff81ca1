"""Questions that need torch are answered by one child process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kkcv.errors import MissingExtra, PictureError, UnknownNetwork
from kkcv.images.limits import Limits
from kkcv.worker.worker import Worker, child_of

MODEL = ("efficientnet_lite0", "imagenet")


def test_the_process_answers_and_comes_back_when_it_was_ended(album: list[Path]) -> None:
    """The service itself never imports torch, which some of its runtimes do not bear."""
    worker = Worker()
    picture = album[0].read_bytes()

    first = worker.classify(MODEL, picture, 1, "en")
    worker.close()
    again = worker.classify(MODEL, picture, 1, "en")
    with pytest.raises(PictureError, match="of no image format that is known"):
        worker.classify(MODEL, b"hello world", 1, "en", Limits())
    explanation = worker.explain(MODEL, picture, picture)
    worker.close()

    assert first == again
    assert first[0].label == "ant"
    assert explanation.score == pytest.approx(1)


def test_workers_share_one_child_until_the_last_is_closed(album: list[Path]) -> None:
    page, gallery = Worker(), Worker()
    page.classify(MODEL, album[0].read_bytes(), 1, "en")
    process = child_of(os.getpid())._process

    gallery.explain(MODEL, album[0].read_bytes(), album[1].read_bytes())
    same = child_of(os.getpid())._process is process
    gallery.close()
    assert process is not None
    alive = process.poll() is None
    page.close()

    assert same
    assert alive
    assert child_of(os.getpid())._process is None
    assert child_of(os.getpid() + 1) is not child_of(os.getpid())  # a fork has its own


def test_the_asking_side_does_not_import_what_answers() -> None:
    code = "import sys, kkcv.worker.worker; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())

    answering = {"torch", "PIL", "cv2", "kkcv.worker.answers", "kkcv.checkpoint", "kkcv.classify"}
    assert not loaded & answering
    assert len([name for name in loaded if name.startswith("kkcv.")]) < 15


def test_without_torch_the_default_network_classifies_and_the_rest_says_what_is_missing(
    album: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = Worker()
    worker.close()  # a child that has torch
    picture = album[0].read_bytes()

    (guess,) = worker.classify(MODEL, picture, 1, "en")
    with pytest.raises(MissingExtra) as error:
        worker.gradcam(MODEL, picture, 1, "en")
    worker.close()

    assert guess.label == "ant"
    assert str(error.value) == "PyTorch is not installed; to add it: pip install 'kkcv[zoo]'"


@pytest.mark.slow  # imports open_clip
def test_what_the_process_lacks_is_said(album: list[Path]) -> None:
    worker = Worker()

    with pytest.raises(UnknownNetwork) as error:
        worker.embed_texts(("open_clip:ViT-B-33", "none"), ["a red bus"])
    worker.close()

    assert str(error.value).startswith("no network 'ViT-B-33' in open_clip; the nearest: ViT-B-32")
