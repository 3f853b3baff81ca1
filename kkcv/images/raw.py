"""Camera raw: the preview in the file where it is large enough, else developed by LibRaw."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from kkcv.errors import PictureError

from .tiff import COMPRESSION, PHOTOMETRIC, tags_of

WIDE = 1000  # pixels of a preview that is large enough
EXTRA = "pip install 'kkcv[raw]'"
DNG_VERSION, CFA, LINEAR_RAW, SUBFILE, SUB_IFDS = 50706, 32803, 34892, 254, 330
OF_CAMERAS = {34713, 32767, 32769, 65535, 65000}  # compressions: Nikon, Sony, …, Pentax
MAGIC = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb")
TURNS = {3: 3, 5: 8, 6: 6}  # LibRaw's flip as the orientation of EXIF


def is_raw(data: bytes) -> bool:
    """Whether it is a RAW photograph, by its first bytes, or by its tags if it is TIFF inside."""
    # CR3, and the mark of CR2 behind a TIFF header
    if data.startswith(MAGIC) or data[4:12] == b"ftypcrx " or data[8:10] == b"CR":
        return True
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return False
    try:
        tags = tags_of(data)
    except Exception:  # damaged tags make the reader raise anything; the TIFF decoder says more
        return False
    reduced = tags.get(SUBFILE, 0) == 1 and SUB_IFDS in tags  # the picture itself lies below
    of_camera = tags.get(COMPRESSION) in OF_CAMERAS or tags.get(PHOTOMETRIC) in (CFA, LINEAR_RAW)
    return DNG_VERSION in tags or reduced or of_camera


@dataclass(frozen=True)
class Raw:
    """``size`` is width and height as they are stored."""

    file: Any
    preview: Image.Image | None
    size: tuple[int, int]
    orientation: int
    label: str

    @classmethod
    def of(cls, data: bytes, label: str) -> "Raw":
        """Raises PictureError: unsupported, corrupt."""
        try:
            import rawpy
        except ImportError:
            message = f"{label}camera raw is opened with rawpy; to add it: {EXTRA}"
            raise PictureError(message, "unsupported") from None
        try:
            file = rawpy.imread(io.BytesIO(data))
        except rawpy.LibRawFileUnsupportedError:
            message = f"{label}this camera's raw is not one that LibRaw opens"
            raise PictureError(message, "unsupported") from None
        except rawpy.LibRawError:
            raise PictureError(f"{label}its data are damaged", "corrupt") from None
        preview = preview_of(file)
        if preview is None:
            return cls(file, None, (file.sizes.iwidth, file.sizes.iheight), 1, label)
        turn = preview.getexif().get(0x0112) or TURNS.get(file.sizes.flip, 1)
        return cls(file, preview, preview.size, turn if turn in range(1, 9) else 1, label)

    def rgb(self) -> Image.Image:
        """The pixels, turned already if there is no preview (PictureError)."""
        if self.preview is not None:
            return self.preview.convert("RGB")
        import rawpy

        try:
            return Image.fromarray(self.file.postprocess(use_camera_wb=True))
        except rawpy.LibRawError:
            raise PictureError(f"{self.label}its data are damaged", "corrupt") from None


def preview_of(file: Any) -> Image.Image | None:
    """The JPEG that the camera has made, if it is ``WIDE``."""
    import rawpy

    try:
        thumb = file.extract_thumb()
    except rawpy.LibRawError:
        return None
    if thumb.format != rawpy.ThumbFormat.JPEG:
        return None
    preview = Image.open(io.BytesIO(thumb.data), formats=["JPEG"])
    return preview if max(preview.size) >= WIDE else None
