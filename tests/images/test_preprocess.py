"""One specification makes the tensor that a network was trained on."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import Compose, Normalize, ToTensor

from kkcv.errors import PreprocessError
from kkcv.images.backends import BACKENDS
from kkcv.images.preprocess import Preprocess

IMAGENET = Preprocess(
    size=(224, 224),
    resize=256,
    interpolation="bicubic",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
GREY = Preprocess((32, 32), 32, "bilinear", (0.1307,), (0.3081,), channels=1)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_pixels_become_a_tensor_of_the_size():
    tensor = IMAGENET(noise(300, 400))

    assert tensor.shape == (3, 224, 224)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous


def test_values_are_normalized_as_torchvision_does():
    crops = np.stack([noise(224, 224, seed) for seed in range(3)])

    tensors = IMAGENET.normalize(crops)

    oracle = Compose([ToTensor(), Normalize(IMAGENET.mean, IMAGENET.std)])
    assert np.array_equal(tensors, np.stack([oracle(crop).numpy() for crop in crops]))


def test_a_call_is_the_crop_normalized():
    pixels = noise(300, 400)

    crops = IMAGENET.crop(pixels)[np.newaxis]

    assert np.array_equal(IMAGENET(pixels), IMAGENET.normalize(crops)[0])


def test_the_callers_pixels_are_not_changed():
    pixels = noise(300, 400)
    before = pixels.copy()
    pixels.flags.writeable = False

    for backend in BACKENDS:
        IMAGENET(pixels, backend)

    assert np.array_equal(pixels, before)


def test_grey_is_the_luma_that_pillow_computes():
    pixels = noise(32, 32)

    crop = GREY.crop(pixels)

    assert crop.shape == (32, 32, 1)
    assert np.array_equal(crop[..., 0], np.asarray(Image.fromarray(pixels).convert("L")))
    assert GREY(pixels).shape == (1, 32, 32)


def test_squashing_keeps_all_of_the_picture():
    squash = replace(IMAGENET, resize=None)
    half = np.zeros((100, 400, 3), np.uint8)
    half[:, 200:] = 255

    crop = squash.crop(half)

    assert crop.shape == (224, 224, 3)
    assert (crop[:, :108] == 0).all()
    assert (crop[:, 116:] == 255).all()


def test_the_size_may_be_other_than_square():
    wide = replace(IMAGENET, size=(96, 160), resize=180)

    assert wide(noise(300, 200)).shape == (3, 96, 160)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("channels", [1, 3])
@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), scale=st.sampled_from([1, 7]))
def test_pictures_of_every_shape_are_taken(backend, channels, height, width, scale):
    spec = Preprocess((24, 24), 27, "bicubic", (0.5,) * channels, (0.5,) * channels, channels)

    tensor = spec(noise(height * scale, width), backend)

    assert tensor.shape == (channels, 24, 24)
    assert np.isfinite(tensor).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(1, 1), (4, 3000), (3000, 4), (1, 100_000)])
def test_a_strip_costs_no_more_than_its_middle(backend, shape):
    pixels = np.full((*shape, 3), 255, np.uint8)
    middle = tuple(slice((side - 1) // 2, side // 2 + 1) for side in shape)
    pixels[middle] = 0

    crop = IMAGENET.crop(pixels, backend)

    assert crop.shape == (224, 224, 3)
    assert crop[112, 112].max() < 60, "the middle of the strip is the middle of the crop"


def test_a_one_pixel_picture_is_all_its_color():
    pixels = np.array([[[10, 200, 30]]], np.uint8)

    for backend in BACKENDS:
        assert (IMAGENET.crop(pixels, backend) == (10, 200, 30)).all()


def test_the_crop_ratio_and_the_target_follow_from_the_sizes():
    assert IMAGENET.crop_ratio == 0.875
    assert IMAGENET.target == 256
    assert replace(IMAGENET, resize=None).crop_ratio == 1
    assert replace(IMAGENET, resize=None, size=(96, 160)).target == 160


def test_a_specification_survives_json():
    for spec in (IMAGENET, GREY, replace(IMAGENET, resize=None)):
        assert Preprocess.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_specifications_can_be_compared_and_be_keys():
    same = Preprocess.from_dict(IMAGENET.to_dict())

    assert {IMAGENET: "a"}[same] == "a"
    assert replace(IMAGENET, resize=232) != IMAGENET


def test_an_unknown_or_missing_key_is_an_error():
    values = IMAGENET.to_dict()

    with pytest.raises(PreprocessError) as caught:
        Preprocess.from_dict({**values, "crop": 0.9})
    assert str(caught.value) == (
        "unknown key 'crop'; there are: channels, interpolation, mean, resize, size, std"
    )
    del values["mean"]
    with pytest.raises(PreprocessError, match=r"^the preprocessing has no 'mean'$"):
        Preprocess.from_dict(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (224,)}, "size must be height and width in pixels, got (224,)"),
        ({"size": (0, 224)}, "size must be height and width in pixels, got (0, 224)"),
        ({"size": 224}, "size must be a list of numbers, got 224"),
        (
            {"resize": 200},
            "resize must be a whole number from 224 up or None (squash), got 200",
        ),
        (
            {"resize": 256.0},
            "resize must be a whole number from 224 up or None (squash), got 256.0",
        ),
        (
            {"interpolation": "cubic"},
            "no interpolation 'cubic'; there are: bicubic, bilinear, nearest",
        ),
        ({"channels": 4}, "channels must be 3 (RGB) or 1 (grey), got 4"),
        ({"channels": 1}, "mean must be 1 numbers, one a channel, got (0.485, 0.456, 0.406)"),
        ({"std": (1, 1)}, "std must be 3 numbers, one a channel, got (1, 1)"),
        ({"std": (1, 1, 0)}, "std must be above zero, got (1, 1, 0)"),
        (
            {"mean": (0, 0, float("nan"))},
            "mean must be 3 numbers, one a channel, got (0, 0, nan)",
        ),
    ],
)
def test_a_specification_that_cannot_be_is_refused(change, message):
    with pytest.raises(PreprocessError) as caught:
        replace(IMAGENET, **change)

    assert str(caught.value) == message


def test_a_backend_that_is_none_is_refused():
    with pytest.raises(PreprocessError) as caught:
        IMAGENET(noise(8, 8), backend="skimage")

    assert str(caught.value) == "no backend 'skimage'; there are: pillow, opencv, torchvision"


@pytest.mark.parametrize(
    "pixels", [noise(8, 8)[..., 0], noise(8, 8).astype(float), noise(8, 8)[..., :2]]
)
def test_pixels_of_another_kind_are_refused(pixels):
    with pytest.raises(PreprocessError, match=r"^pixels must be uint8 \(height, width, 3\), got "):
        IMAGENET(pixels)


def test_pillow_and_opencv_need_no_torch():
    program = (
        "import sys, numpy as np\n"
        "from kkcv.images.preprocess import Preprocess\n"
        "spec = Preprocess((8, 8), 8, 'bicubic', (0.5,) * 3, (0.5,) * 3)\n"
        "for backend in ('pillow', 'opencv'):\n"
        "    spec(np.zeros((9, 9, 3), np.uint8), backend)\n"
        "assert 'torch' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
