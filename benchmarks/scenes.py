"""Photographs in which a known picture hangs somewhere, seen from an angle."""

from pathlib import Path

import cv2
import numpy as np

from kkcv.images.decode import decode

WIDTH, HEIGHT = 640, 480


def originals(pictures: Path, count: int) -> list[np.ndarray]:
    """Different real pictures: what is looked for."""
    files = sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))
    return [decode(path) for path in files[:count]]


def backgrounds(pictures: Path, count: int) -> list[np.ndarray]:
    files = sorted((pictures / "cats_dogs" / "val").rglob("*.jpg"))
    return [decode(path) for path in files[:count]]


def scene(
    shown: np.ndarray, background: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A photograph, and the corners of what it shows as fractions of its sides: (4, 2).

    It covers a tenth to a third, turned by up to 30 degrees, tilted, darker or lighter, noisy.
    """
    height, width = shown.shape[:2]
    scale = np.sqrt(random.uniform(0.1, 0.33) * WIDTH * HEIGHT / (height * width))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    flat = (corners - [width / 2, height / 2]) * scale * random.uniform(0.88, 1.12, (4, 2))
    angle = np.deg2rad(random.uniform(-30, 30))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    center = random.uniform(0.35, 0.65, 2) * [WIDTH, HEIGHT]
    seen = (flat @ turn.T + center).astype(np.float32)
    view = cv2.getPerspectiveTransform(corners, seen)
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), view, (WIDTH, HEIGHT))
    light = shown.astype(np.float32) * random.uniform(0.6, 1.2)
    hung = cv2.warpPerspective(light, view, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    wall = cv2.resize(background, (WIDTH, HEIGHT)).astype(np.float32)
    photo = wall * (1 - mask[..., None]) + hung * mask[..., None]
    photo = cv2.GaussianBlur(photo, (0, 0), 0.7) + random.normal(0, 4, photo.shape)
    return np.clip(photo, 0, 255).astype(np.uint8), seen / np.array([WIDTH, HEIGHT], np.float32)
