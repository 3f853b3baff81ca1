"""Heat maps over pictures, and two pictures side by side with matching points."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .sheet import BACKDROP, FAINT, GAP, INK, LINE, PAPER, Font, fitted, font_for, write

SIDE = 448  # of the square that each picture is fitted into
UNSEEN = 0.35  # brightness of the part that the network does not see
STRONGEST = 0.65  # opacity of the color at the hottest place
# From cold to hot, as in a flame; each place between is mixed.
FLAME = np.array([(20, 11, 52), (132, 32, 107), (229, 92, 48), (246, 215, 70)], np.float32)
MOST_LINES = 60  # between two pictures
LINES = ("#2563eb", "#db2777", "#059669", "#d97706", "#7c3aed", "#0891b2")

WHOLE = (0.0, 0.0, 1.0, 1.0)  # left, top, width and height of all of a picture, as fractions

Match = tuple[tuple[float, float], tuple[float, float]]  # x, y in one picture and in the other


def overlaid(pixels: np.ndarray, heat: np.ndarray, seen: Sequence[float] = WHOLE) -> np.ndarray:
    """A picture with a heat map over the part that was seen: uint8 (H, W, 3).

    ``heat`` is (h, w): its largest value is the hottest, all below zero is cold. ``seen`` is
    left, top, width and height as fractions of the picture; the rest is shown darker.
    """
    left, top, right, bottom = box(seen, *pixels.shape[:2])
    warmth = np.clip(heat / max(float(heat.max()), 1e-12), 0, 1)
    smooth = np.clip(resized(warmth, right - left, bottom - top), 0, 1)[..., None]
    steps = np.linspace(0, 1, len(FLAME))
    color = np.concatenate([np.interp(smooth, steps, FLAME[:, c]) for c in range(3)], axis=2)
    drawn = pixels.astype(np.float32) * UNSEEN
    inside = pixels[top:bottom, left:right].astype(np.float32)
    grey = 0.5 * inside + 0.5 * inside.mean(2, keepdims=True)  # so that only the heat has colors
    share = 0.25 + (STRONGEST - 0.25) * smooth
    drawn[top:bottom, left:right] = grey * (1 - share) + color * share
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def merged(
    heats: np.ndarray, seen: Sequence[Sequence[float]], height: int, width: int
) -> np.ndarray:
    """The mean of several heat maps, each over its part of one picture: (N, h, w) → (H, W)."""
    whole = np.zeros((height, width), np.float32)
    for heat, part in zip(heats, seen, strict=True):
        left, top, right, bottom = box(part, height, width)
        whole[top:bottom, left:right] += resized(heat, right - left, bottom - top) / len(heats)
    return whole


def box(seen: Sequence[float], height: int, width: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in pixels of a part of a picture, at least a pixel each way."""
    left, top = round(seen[0] * width), round(seen[1] * height)
    right = min(width, max(left + 1, round((seen[0] + seen[2]) * width)))
    bottom = min(height, max(top + 1, round((seen[1] + seen[3]) * height)))
    return left, top, right, bottom


def resized(heat: np.ndarray, width: int, height: int) -> np.ndarray:
    """(h, w) → float32 (height, width)"""
    picture = Image.fromarray(heat.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def side_by_side(
    first: np.ndarray,
    second: np.ndarray,
    *,
    title: str = "",
    captions: tuple[str, str] = ("", ""),
    matches: Sequence[Match] = (),
) -> np.ndarray:
    """Two pictures on one sheet, with lines between the points that match: uint8 (H, W, 3).

    A match is a point in each picture: x and y as fractions of its width and height. At most
    MOST_LINES are drawn.
    """
    font = font_for(title + "".join(captions))
    top = GAP + (LINE + GAP // 2 if title else 0)
    sheet = Image.new("RGB", (3 * GAP + 2 * SIDE, top + SIDE + LINE + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        write(draw, (GAP, GAP // 2 + 4), title, font, INK, sheet.width - 2 * GAP)
    boxes = [
        placed(sheet, (GAP + n * (SIDE + GAP), top), pixels, caption, font)
        for n, (pixels, caption) in enumerate(zip((first, second), captions, strict=True))
    ]
    for n, points in enumerate(matches[:: len(matches) // MOST_LINES + 1]):
        ends = [
            (x + point[0] * width, y + point[1] * height)
            for (x, y, width, height), point in zip(boxes, points, strict=True)
        ]
        color = LINES[n % len(LINES)]
        draw.line(ends, fill=color, width=1)
        for x, y in ends:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), outline=color, width=2)
    return np.array(sheet)


def placed(
    sheet: Image.Image, at: tuple[int, int], pixels: np.ndarray, caption: str, font: Font
) -> tuple[int, int, int, int]:
    """Draw one picture, as large as its square allows; its x, y, width and height."""
    x, y = at
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), fill=BACKDROP)
    picture = fitted(pixels, SIDE)
    x, y = x + (SIDE - picture.width) // 2, y + (SIDE - picture.height) // 2
    sheet.paste(picture, (x, y))
    write(draw, (at[0], at[1] + SIDE + 4), caption, font, FAINT, SIDE)
    return x, y, *picture.size
