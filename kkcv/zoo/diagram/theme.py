"""The colors of a picture, by what they mean, on light and on dark paper."""

import re
from collections.abc import Sequence

# Fill and line, on light paper and on dark.
ROLES = {
    "paper": ("#ffffff", "none", "#161b22", "none"),
    "ink": ("#1f2933", "none", "#e6edf3", "none"),
    "pale": ("#52606d", "none", "#9fb0c0", "none"),
    "head": ("#5f6b7a", "none", "#93a1b0", "none"),
    "wire": ("none", "#5f6b7a", "none", "#93a1b0"),
    "sign": ("none", "#1f2933", "none", "#e6edf3"),
    "rule": ("none", "#d5dbe1", "none", "#343d48"),
    "conv": ("#dbe8f6", "#3b6ea5", "#1c3550", "#6ea3dc"),
    "depthwise": ("#d5f0e8", "#23806f", "#123f38", "#4fbfa8"),
    "pool": ("#fbe6d2", "#b8631a", "#4d2f14", "#e59a56"),
    "dense": ("#f7dde5", "#b03a5b", "#4c1d2d", "#e47c9b"),
    "se": ("#eadff6", "#7d4fa8", "#35244a", "#b48be0"),
    "tag": ("#f2f4f6", "#7c8793", "#2a323c", "#8d99a6"),
    "other": ("#f2f4f6", "#7c8793", "#2a323c", "#8d99a6"),
    "shuffle": ("#fdf3c4", "#94750a", "#453a0c", "#d8b93a"),
    "concat": ("#e0f0d8", "#44812f", "#22401a", "#7fc267"),
    "add": ("#e0f0d8", "#44812f", "#22401a", "#7fc267"),
    "on": ("#3b6ea5", "none", "#6ea3dc", "none"),
    "off": ("#eef1f4", "none", "#242c35", "none"),
}
KINDS = ("#3f78b3", "#2f8f7f", "#8158b0", "#b07f33", "#a84a76", "#5d7f2e", "#4a5fc1", "#b3563f")
BOXES = {
    "plain": "#9fb0c1",
    "pool": "#e59a56",
    "vector": "#cf6a8a",
    **{f"kind{i}": color for i, color in enumerate(KINDS)},
}


def classes() -> dict[str, tuple[str, str, str, str]]:
    """Every class of the style sheet: those above, and for a box its three faces and its name."""
    found = dict(ROLES)
    for name, color in BOXES.items():
        # as if lit from above
        light, dark = shade(color, -0.35), shade(color, 0.3)
        found |= {
            f"{name}-front": (shade(color, 0.42), light, shade(color, -0.3), dark),
            f"{name}-top": (shade(color, 0.68), light, shade(color, 0.05), dark),
            f"{name}-side": (shade(color, 0.05), light, shade(color, -0.52), dark),
            f"{name}-cut": ("none", light, "none", dark),
            f"{name}-name": (shade(color, -0.25), "none", shade(color, 0.35), "none"),
        }
    return found


def shade(color: str, amount: float) -> str:
    """The color nearer to white (amount > 0) or black (< 0)."""
    target = 255 if amount > 0 else 0
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(p + (target - p) * abs(amount)):02x}" for p in parts)


def style(theme: str, body: Sequence[str]) -> str:
    """The style sheet with the classes that the body uses."""
    used = set(re.findall(r'class="([a-z0-9-]+)"', "\n".join(body)))
    known = {name: colors for name, colors in classes().items() if name in used}
    light = "".join(rule(name, *colors[:2]) for name, colors in known.items())
    dark = "".join(rule(name, *colors[2:]) for name, colors in known.items())
    if theme == "auto":
        return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
    return dark if theme == "dark" else light


def rule(name: str, fill: str, stroke: str) -> str:
    line = "" if stroke == "none" else f";stroke:{stroke}"
    return f".{name}{{fill:{fill}{line}}}"
