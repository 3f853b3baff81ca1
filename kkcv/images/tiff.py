"""TIFF as scanners and microscopes write it, which Pillow would show wrongly, or call damaged.

Pillow reads samples of up to 16 bits that lie together well. Floating point, 32 and 64 bits, signed
numbers, planes and more bands than colors are read with tifffile, an extra, or refused.
"""

import io
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from kkcv.errors import PictureError

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

# tags by their numbers in TIFF 6.0
BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLES = 258, 259, 262, 274, 277
PLANES, PREDICTOR, SAMPLE_FORMAT = 284, 317, 339
RAW, PACKBITS, RGB, SEPARATE, ASSOCIATED = 1, 32773, 2, 2, 1  # values of those tags
BIG_ENDIAN_BIGTIFF = b"MM\0+"  # Pillow 12 takes its header for that of a smaller TIFF
GREY = {0: "white is zero", 1: "black is zero"}
MOST_BYTES = 2**30  # of samples
EXTRA = "to add it: pip install 'kkcv[tiff]'"


def read_well_by_pillow(data: bytes) -> bool:
    """Whether Pillow shows such a TIFF rightly; compared with tifffile in tests/images."""
    if data.startswith(BIG_ENDIAN_BIGTIFF):
        return False
    try:
        tags = tags_of(data)
    except Exception:  # a damaged header, of which Pillow says what is wrong
        return True
    bits = {*tags.get(BITS, (1,))}
    samples = tags.get(SAMPLES, 1)
    whole = {*tags.get(SAMPLE_FORMAT, (1,))} <= {1, 4} and len(bits) == 1 and max(bits) <= 16
    compression, photometric = tags.get(COMPRESSION, RAW), tags.get(PHOTOMETRIC)
    if not whole or (compression == PACKBITS and tags.get(PREDICTOR, 1) != 1):
        return False
    if samples > 1 and max(bits) < 8:
        return False
    if samples > 1 and tags.get(PLANES, 1) == SEPARATE:
        return photometric == RGB and compression != RAW
    return samples <= (2 if photometric in GREY else 5) and opens(data)


def opens(data: bytes) -> bool:
    """Whether Pillow knows such samples at all."""
    try:
        Image.open(io.BytesIO(data), formats=["TIFF"]).close()
    except (Image.UnidentifiedImageError, SyntaxError):
        return False
    except Exception:  # a bomb, which is met where it is opened
        return True
    return True


def tags_of(data: bytes) -> "ImageFileDirectory_v2":
    """The tags of the first picture."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    big = b"+" in data[2:4]
    # the header of a BigTIFF is twice as long
    tags = ImageFileDirectory_v2(data[: 16 if big else 8])
    file = io.BytesIO(data)
    file.seek(tags.next)
    tags.load(file)
    return tags


class Deep(NamedTuple):
    """The first picture of a TIFF for tifffile; ``size`` is width and height as they are stored."""

    page: Any
    size: tuple[int, int]
    orientation: int
    label: str

    @classmethod
    def of(cls, data: bytes, label: str) -> "Deep":
        """Raises PictureError: unsupported, corrupt."""
        try:
            from tifffile import TiffFile
        except ImportError:
            what = "a TIFF with such samples is opened with tifffile"
            raise PictureError(f"{label}{what}; {EXTRA}", "unsupported") from None
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # the error below says enough
        try:
            page: Any = TiffFile(io.BytesIO(data)).pages.first
            size = (page.imagewidth, page.imagelength)
            known = int(page.tags.valueof(ORIENTATION, 1))
        except Exception:  # tifffile raises anything for a damaged header
            raise PictureError(f"{label}its header is damaged", "corrupt") from None
        return cls(page, size, known if 1 <= known <= 8 else 1, label)

    def rgb(self) -> Image.Image:
        """The pixels as they are stored, on white paper (PictureError)."""
        page = self.page
        colors = 1 if page.photometric in GREY else 3
        alpha = page.extrasamples[0] if page.extrasamples else 0
        if page.photometric not in (*GREY, RGB):
            raise self.unsupported(f"colors as {page.photometric.name} of {page.dtype}")
        if page.imagedepth > 1 or page.dtype is None or page.dtype.kind not in "uifb":
            raise self.unsupported("samples of a volume or of a special kind")
        if page.bitspersample < 8 and page.samplesperpixel > 1:
            raise self.unsupported(f"{page.samplesperpixel} bands of {page.bitspersample} bits")
        if colors == 1 and page.samplesperpixel > (2 if alpha else 1):
            raise self.unsupported(f"{page.samplesperpixel} bands that are no colors")
        if alpha and page.dtype.kind == "i":
            raise self.unsupported("opacity of signed numbers")
        if page.nbytes > MOST_BYTES:
            message = f"{self.label}{page.nbytes:,} bytes of samples are more than {MOST_BYTES:,}"
            raise PictureError(message, "too-many-pixels")
        samples = self.samples()
        shown = scaled(samples[..., :colors], page.dtype, page.bitspersample)
        if page.photometric == 0:
            shown = 1 - shown
        if alpha and samples.shape[2] > colors:
            cover = scaled(samples[..., colors : colors + 1], page.dtype, page.bitspersample, True)
            shown = shown * (1 if alpha == ASSOCIATED else cover) + 1 - cover
        grey = (255 * shown).clip(0, 255).round().astype(np.uint8)
        return Image.fromarray(np.ascontiguousarray(np.broadcast_to(grey, (*grey.shape[:2], 3))))

    def samples(self) -> np.ndarray:
        """(H, W, S)"""
        try:
            array = np.asarray(self.page.asarray())
        except Exception as error:
            if "imagecodecs" in str(error) or "not supported" in str(error):
                name = getattr(self.page.compression, "name", self.page.compression)
                raise self.unsupported(f"the compression {name}") from None
            raise PictureError(f"{self.label}its data are damaged", "corrupt") from None
        if array.ndim == 2:
            return array[..., np.newaxis]
        return np.moveaxis(array, 0, 2) if self.page.planarconfig == SEPARATE else array

    def unsupported(self, what: str) -> PictureError:
        return PictureError(f"{self.label}kkcv does not open TIFF with {what}", "unsupported")


def scaled(samples: np.ndarray, kind: np.dtype, bits: int, full: bool = False) -> np.ndarray:
    """Samples from 0 to 1, float32: whole numbers of up to 16 bits by their range, others by the
    least and the greatest that there are; floating point between 0 and 1 stays as it is for colors.

    ``full`` takes the whole range of the type, as for opacity.
    """
    if kind.kind == "b":
        return samples.astype(np.float32)
    if kind.kind == "u" and (bits <= 16 or full):
        return samples.astype(np.float32) / np.float32(2**bits - 1)
    finite = samples[np.isfinite(samples)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if kind.kind == "f" and (full or samples.shape[2] > 1) and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    if kind.kind == "i" and full:
        low, high = 0.0, float(np.iinfo(kind).max)
    reach = high - low or 1.0
    found = (samples.astype(np.float64) - low) / reach
    return np.nan_to_num(found, nan=0, posinf=1, neginf=0).astype(np.float32)
