"""Small requests that cost a service much: each did once, or is of the same kind."""

import base64
import io
import json
import struct
from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple

from PIL import Image

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=mark"
MOST = 64_000_000  # pixels of one picture, by default


class Attack(NamedTuple):
    """A request, the statuses that it may have, and the pixels that it makes the service decode."""

    method: str
    path: str
    body: Callable[[], bytes] = bytes
    statuses: frozenset[int] = frozenset({200})
    pixels: int = 0
    kind: str = JSON


@cache
def one_color(
    width: int = 8000, height: int = 8000, format: str = "PNG", mode: str = "RGB", **options: Any
) -> str:
    """Many pixels in few bytes, as base64."""
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, format, **options)
    return base64.b64encode(out.getvalue()).decode()


@cache
def qoi() -> str:
    """16 megapixels, which Pillow decodes in Python."""
    head = b"qoif" + (3990).to_bytes(4, "big") * 2 + b"\3\0"
    data = head + b"\xfd" * (3990 * 3990 // 62 + 1) + bytes(7) + b"\1"
    return base64.b64encode(data).decode()


@cache
def scans() -> str:
    """A progressive JPEG that comes in 20,000 scans, each over 64 megapixels."""
    out = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    frame = data.index(b"\xff\xc2")
    data = data[: frame + 5] + struct.pack(">HH", 8000, 8000) + data[frame + 9 :]
    first = data.index(b"\xff\xda")
    tables, at = b"", first
    while (at := data.find(b"\xff\xc4", at)) >= 0:
        size = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        tables += data[at : at + size]
        at += size
    coarse = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x01\x00"
    fine = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x02\x00"
    return base64.b64encode(data[:first] + tables + coarse + fine * 20_000 + b"\xff\xd9").decode()


def image(picture: Callable[[], str], **fields: Any) -> Callable[[], bytes]:
    return lambda: json.dumps({"image": picture(), **fields}).encode()


def several(name: str, count: int, picture: Callable[[], str]) -> Callable[[], bytes]:
    return lambda: json.dumps({name: list(repeat({"image": picture()}, count))}).encode()


def new_pictures() -> bytes:
    sent = [{"image": one_color(8000, 8000 - n)} for n in range(16)]
    return json.dumps({"pictures": sent}).encode()


def two(picture: Callable[[], str]) -> Callable[[], bytes]:
    return lambda: json.dumps({"query": {"image": picture()}, "hit": {"image": picture()}}).encode()


def fields(count: int) -> str:
    return "&".join(f"f{n}=" for n in range(count)) + "&f0="


def parts(count: int) -> bytes:
    part = '--mark\r\nContent-Disposition: form-data; name="f{}"\r\n\r\n\r\n'
    return "".join(part.format(n) for n in range(count)).encode() + b"--mark--\r\n"


FILTER = " or ".join(f"id > {n} and bytes < {n}" for n in range(70))
REFUSED, TOO_LARGE = frozenset({422}), frozenset({413})

# The first are those that were measured: the short form of the tests has them.
MEASURED = {
    "two pictures of 64 megapixels": Attack(
        "POST", "/v1/explain/picture", two(one_color), pixels=2 * MOST
    ),
    "a form of 64,000 fields": Attack(
        "POST", "/search", lambda: fields(64_000).encode(), REFUSED, kind=FORM
    ),
    "an address of 9,000 fields": Attack(
        "GET", f"/v1/images/1/similar?{fields(9000)}", statuses=REFUSED
    ),
    "a list of two million items": Attack(
        "POST", "/v1/search", lambda: json.dumps({"fields": ["x"] * 2_000_000}).encode(), REFUSED
    ),
    "700,000 unknown fields": Attack(
        "POST",
        "/v1/search",
        lambda: json.dumps({f"name {n}": 0 for n in range(700_000)}).encode(),
        REFUSED,
    ),
    "a filter of 390 values": Attack("GET", f"/v1/images?where=id in {list(range(390))}"),
    "a QOI, which is slow to decode": Attack("POST", "/v1/search", image(qoi), TOO_LARGE),
    "sixteen strips of 1 × 64 million pixels": Attack(
        "POST",
        "/v1/batch/search",
        several("queries", 16, lambda: one_color(1, MOST)),
        TOO_LARGE,
    ),
}
ATTACKS = MEASURED | {
    "one picture of 64 megapixels": Attack("POST", "/v1/search", image(one_color), pixels=MOST),
    "a part of 64 megapixels": Attack(
        "POST",
        "/v1/search",
        image(one_color, region={"left": 0, "top": 0, "width": 1, "height": 0.9}),
        pixels=MOST,
    ),
    "64 megapixels with verification": Attack(
        "POST", "/v1/search", image(one_color, verify=True, k=100), pixels=2 * MOST
    ),
    "64 megapixels, transparent": Attack(
        "POST", "/v1/search", image(lambda: one_color(mode="RGBA")), pixels=MOST
    ),
    "64 megapixels of 16 bits": Attack(
        "POST", "/v1/search", image(lambda: one_color(mode="I;16")), pixels=MOST
    ),
    "a TIFF of 64 megapixels of 32 bits": Attack(
        "POST",
        "/v1/search",
        image(lambda: one_color(format="TIFF", mode="F", compression="tiff_lzw")),
        TOO_LARGE,
    ),
    "a TIFF of 64 megapixels in CIELAB": Attack(
        "POST",
        "/v1/search",
        image(lambda: one_color(format="TIFF", mode="LAB", compression="tiff_lzw")),
        pixels=MOST,
    ),
    "a WebP of 64 megapixels": Attack(
        "POST",
        "/v1/search",
        image(lambda: one_color(format="WEBP", lossless=True, method=0)),
        TOO_LARGE,
    ),
    "an AVIF of 50 megapixels": Attack(
        "POST",
        "/v1/search",
        image(lambda: one_color(7000, 7000, format="AVIF", speed=10)),
        pixels=49_000_000,
    ),
    "a JPEG 2000 of 64 megapixels": Attack(
        "POST", "/v1/search", image(lambda: one_color(format="JPEG2000")), TOO_LARGE
    ),
    "a JPEG of 20,000 scans": Attack("POST", "/v1/search", image(scans), REFUSED),
    "sixteen pictures of 64 megapixels": Attack(
        "POST",
        "/v1/batch/search",
        several("queries", 16, one_color),
        TOO_LARGE,
        4 * MOST,
    ),
    "sixteen likes of 64 megapixels": Attack(
        "POST", "/v1/search/like", several("like", 16, one_color), TOO_LARGE, 4 * MOST
    ),
    "sixteen new pictures of 64 megapixels": Attack(
        "POST", "/v1/batch/images", new_pictures, pixels=4 * MOST
    ),
    "a text of 1,000 words": Attack(
        "POST", "/v1/search/text", lambda: json.dumps({"text": "a " * 499}).encode(), REFUSED
    ),
    "two pictures of 64 megapixels, as numbers": Attack(
        "POST", "/v1/explain", two(one_color), pixels=2 * MOST
    ),
    "64 megapixels to name": Attack("POST", "/v1/classify", image(one_color), pixels=MOST),
    "a new picture of 64 megapixels": Attack(
        "POST", "/v1/images", image(one_color), frozenset({200, 201}), MOST
    ),
    "another picture of 64 megapixels": Attack(
        "PUT", "/v1/images/1", image(lambda: one_color(7999)), frozenset({200, 409}), MOST
    ),
    "a thumbnail of 64 megapixels": Attack("GET", "/v1/images/1/thumbnail?size=512", pixels=MOST),
    "a file": Attack("GET", "/v1/images/1/file"),
    "ten million empty lists as metadata": Attack(
        "PATCH", "/v1/images/1", lambda: b'{"metadata":{"a":[' + b"[]," * 10_000_000, REFUSED
    ),
    "metadata 100,000 deep": Attack(
        "PATCH",
        "/v1/images/1",
        lambda: b'{"metadata":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        frozenset({400, 422}),
    ),
    "metadata of 400,000 keys": Attack(
        "PATCH",
        "/v1/images/2",
        lambda: json.dumps({"metadata": {f"{n}": 0 for n in range(400_000)}}).encode(),
        REFUSED,
    ),
    "100,000 parts": Attack("POST", "/search", lambda: parts(100_000), REFUSED, kind=MULTIPART),
    "a filter of 140 comparisons": Attack("GET", f"/v1/images?limit=500&where={FILTER}"),
    "a long list of hits": Attack("GET", "/v1/images/2/similar?k=1000&ranking=best&fold=0.5"),
    "all duplicates": Attack("GET", "/v1/duplicates?min_score=0.5&limit=500"),
    "a picture's facts": Attack("GET", "/v1/images/2"),
    "a removal": Attack("DELETE", f"/v1/images/{2**62}", statuses=frozenset({404})),
    "500 pictures that nobody knows": Attack(
        "POST",
        "/v1/duplicates/keep",
        lambda: json.dumps({"ids": [2**62 + n for n in range(500)]}).encode(),
        frozenset({404}),
    ),
    "10,000 removals": Attack(
        "POST",
        "/v1/batch/remove",
        lambda: json.dumps({"ids": [2**62 + n for n in range(10_000)]}).encode(),
    ),
    "10,000 to undo": Attack(
        "POST",
        "/v1/undo",
        lambda: json.dumps({"ids": [2**62 + n for n in range(10_000)]}).encode(),
        frozenset({409}),
    ),
    "all galleries": Attack("GET", "/v1/galleries"),
    "figures": Attack("GET", "/v1/stats"),
    "the network": Attack("GET", "/v1/model"),
    "metrics": Attack("GET", "/metrics"),
    "health": Attack("GET", "/healthz"),
    "readiness": Attack("GET", "/readyz"),
}
