"""Media types of picture files, by what their bytes are and not by what they are called."""

from kkcv.images.formats import sniff

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
    "JPEG2000": "image/jp2",
    "ICO": "image/x-icon",
    "PPM": "image/x-portable-anymap",
    "PSD": "image/vnd.adobe.photoshop",
    "QOI": "image/qoi",
}


def media_type(data: bytes) -> str:
    """``image/jpeg`` and so on."""
    found = sniff(data)
    return MEDIA_TYPES.get(found.name if found else "", "application/octet-stream")
