"""A classifier leaves as one ONNX file."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from kkcv import checkpoint
from kkcv.classify import Classifier
from kkcv.errors import TrainingError
from kkcv.training.data.source import Source
from kkcv.training.export import export_onnx
from kkcv.training.run import train

from .conftest import LENET


@pytest.fixture(scope="module")
def lenet_run(digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("lenet") / "run"
    train(Source(digits), LENET, out)
    return out


@pytest.fixture(scope="module")
def exported(lenet_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "lenet.onnx"
    export_onnx(checkpoint.load(lenet_run), path)
    return path


def test_the_file_answers_as_the_run_does_for_any_number_of_pictures(lenet_run, exported):
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])

    for count in (1, 5):
        images = np.random.default_rng(0).normal(size=(count, 1, 32, 32)).astype(np.float32)
        probabilities, embedding = session.run(["probabilities", "embedding"], {"images": images})

        expected = Classifier.load(str(lenet_run), device="cpu").probabilities(images)
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        assert embedding.shape == (count, 84)


def test_classes_and_preprocessing_travel_with_the_file(exported):
    facts = {p.key: p.value for p in onnx.load(exported).metadata_props}

    assert json.loads(facts["classes"]) == ["0", "1", "2"]
    assert json.loads(facts["preprocess"])["size"] == [32, 32]
    assert facts["network"] == "lenet5_modern"


def test_a_place_that_cannot_be_written_is_one_clear_error(lenet_run, tmp_path):
    with pytest.raises(TrainingError, match=r"x\.onnx cannot be written: there is no folder"):
        export_onnx(checkpoint.load(lenet_run), tmp_path / "nowhere" / "x.onnx")
