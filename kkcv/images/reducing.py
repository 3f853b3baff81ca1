"""Large pictures made smaller while they are decoded, for those who want a small one.

What is left is so much finer than wanted that the embedding stays the same to 0.999.
"""

from PIL import Image

# Of other formats than JPEG: a smaller picture is used as it is, pixel by pixel.
LARGE = 16_000_000
FINER = 4  # the shortest side that is left, over that of the target; 2 is enough for JPEG
CODESTREAM, CODING = b"\xff\x4f\xff\x51", b"\xff\x52"  # markers of JPEG 2000
LEVELS = 9  # bytes after the second: how often the width and height can be halved


def ask_for_less(image: Image.Image, data: bytes, target: int) -> None:
    """Let the decoder of JPEG and JPEG 2000 leave out what is finer than needed."""
    if image.format in ("JPEG", "MPO"):
        image.draft(image.mode, (2 * target, 2 * target))
    elif image.format == "JPEG2000" and is_large(image):
        halvings = (min(image.size) // (FINER * target)).bit_length() - 1
        image.reduce = max(0, min(halvings, levels(data)))  # type: ignore[method-assign, assignment]


def reduced(rgb: Image.Image, target: int) -> Image.Image:
    """A large picture averaged over squares of pixels; others as they are."""
    side = min(rgb.size) // (FINER * target)
    return rgb.reduce(side) if is_large(rgb) and side > 1 else rgb


def is_large(image: Image.Image) -> bool:
    return image.width * image.height > LARGE


def levels(data: bytes) -> int:
    """How many smaller pictures a JPEG 2000 holds."""
    at = data.find(CODING, data.find(CODESTREAM)) + LEVELS
    return data[at] if LEVELS <= at < len(data) else 0
