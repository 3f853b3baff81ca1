"""The output of each benchmark: a table on the screen, and JSON in ``bench-out/`` for the plots."""

import json
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from kkcv import __version__
from kkcv.machine import machine

OUT = Path("bench-out")
PACKAGES = ("openvino", "torch", "faiss-cpu", "onnxruntime", "numpy", "opencv-python-headless")


def about(packages: tuple[str, ...] = ()) -> dict[str, str]:
    """The machine, and the versions of what decides the figures."""
    found = {"machine": machine(), "python": platform.python_version(), "kkcv": __version__}
    for package in (*PACKAGES, *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "-"
    return found


def report(
    name: str, title: str, rows: list[dict[str, Any]], packages: tuple[str, ...] = ()
) -> None:
    """Print the rows, which have the same keys, and keep them as ``bench-out/NAME.json``."""
    facts = about(packages)
    table = Table(*rows[0], box=box.MARKDOWN)
    for row in rows:
        table.add_row(*map(shown, row.values()))
    console = Console(width=160)
    console.print(f"\n{title}\n{', '.join(f'{k} {v}' for k, v in facts.items())}\n")
    console.print(table)
    OUT.mkdir(exist_ok=True)
    when = time.strftime("%Y-%m-%d %H:%M")
    document = {"title": title, "when": when, **facts, "rows": rows}
    (OUT / f"{name}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")


def shown(value: Any) -> str:
    """Three digits that count, or four where the value is below 1."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if abs(value) <= 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"
