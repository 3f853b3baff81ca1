"""Measure what the chapters quote (kkcv/zoo/book/measured.py)."""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from kkcv import zoo
from kkcv.zoo.book.chapter import FIGURE, MARK, prose
from kkcv.zoo.costs import cost, trace
from kkcv.zoo.labels import LANGUAGES
from kkcv.zoo.network import Network
from kkcv.zoo.recorded import families
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.shapes import WithoutValues

ZOO = Path(zoo.__file__).parent
Rows = list[list[Any]]


def facts() -> dict[str, Any]:
    """All walks and figures that the chapters ask for, measured now."""
    texts = [prose(name, language) for name in families() for language in LANGUAGES]
    figures = sorted({key for text in texts for key in figures_in(text)})
    walks = sorted({key for text in texts for key in modules_in(text, "forward")})
    sequences = sorted({key for text in texts for key in modules_in(text, "layers")})
    return {
        "figures": {key: count(*key.split(" ")) for key in figures},
        "layers": {key: sequence(*key.split(" ")) for key in sequences},
        "walks": {key: walk(*key.split(" ")) for key in walks},
    }


def figures_in(text: str) -> Iterator[str]:
    """The counts that a chapter quotes, as keys of ``measured.figure``."""
    for mark in MARK.findall(text):
        if found := FIGURE.fullmatch(mark.rpartition("= ")[2]):
            yield found[0]


def modules_in(text: str, kind: str) -> Iterator[str]:
    """The modules that a chapter shows by ``forward`` or by ``layers``, as keys of measured.py."""
    for mark in MARK.findall(text):
        found, _, rest = mark.partition(" ")
        if found == kind:
            yield rest


def count(kind: str, name: str, path: str = "") -> int:
    """Parameters or multiply-adds of a network, or of one module in it."""
    if not path:
        return int(getattr(cost(name), kind))
    network = create_on_meta(name)
    module = network.get_submodule(path)
    if kind == "parameters":
        return sum(p.numel() for p in module.parameters())
    inside = set(module.modules())
    calls = trace(network, input_size(network))
    return sum(call.macs for call in calls if call.module in inside)


def input_size(network: Network) -> tuple[int, int, int]:
    assert network.spec is not None
    return network.spec.input_size


def sequence(name: str, path: str) -> Rows:
    """The parts that a module calls one after another: name, output, parameters, multiply-adds."""
    network = create_on_meta(name)
    calls = trace(network, input_size(network))
    rows = []
    for part, module in network.get_submodule(path).named_children():
        inside = set(module.modules())
        shape = next(call.shape for call in calls if call.module is module)
        macs = sum(call.macs for call in calls if call.module in inside)
        rows.append([part, list(shape), sum(p.numel() for p in module.parameters()), macs])
    return rows


def walk(name: str, path: str) -> dict[str, Any]:
    """The first call of one module's ``forward``, statement by statement, for one picture."""
    network = create_on_meta(name)
    module = network.get_submodule(path)
    watch = Watch(module)
    try:
        with torch.no_grad(), WithoutValues(), watch:
            network(torch.empty(1, *input_size(network), device="meta"))
    finally:
        watch.remove()
    forward = type(module).forward  # perhaps of a class that it comes from
    file = Path(inspect.getfile(forward)).relative_to(ZOO)
    return {
        "file": file.as_posix(),
        "name": forward.__qualname__,
        "takes": watch.takes,
        "lines": [row for row in watch.rows.values() if row[1] or row[2]],
    }


class Watch:
    """Notes what each statement of a module's ``forward`` calls and makes, the first time."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.code = type(module).forward.__code__
        self.statements = statements(type(module).forward)
        self.takes: Rows = []
        self.rows: dict[int, Any] = {}
        self.line = 0
        self.known: dict[str, int] = {}
        self.done = False
        self.hooks = [m.register_forward_hook(self.called(n)) for n, m in layers(module)]

    def __enter__(self) -> None:
        sys.settrace(self.enter)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def remove(self) -> None:
        for hook in self.hooks:
            hook.remove()

    def enter(self, frame: FrameType, event: str, _: Any) -> Any:
        ours = frame.f_code is self.code and frame.f_locals.get("self") is self.module
        if not ours or self.done:
            return None
        self.takes = tensors(frame)
        self.known = identities(frame)
        return self.step

    def step(self, frame: FrameType, event: str, result: Any) -> Any:
        """The statement before this event is over: what it made are the locals that changed."""
        if self.line:
            for name, shape in tensors(frame):
                if self.known.get(name) != id(frame.f_locals[name]):
                    self.note(2, name, shape)
        self.known = identities(frame)
        if event == "return":
            if isinstance(result, Tensor):
                self.note(2, "return", list(result.shape[1:]))
            self.line, self.done = 0, True
        elif event == "line":
            self.line = next((s for s, e, _ in self.statements if s <= frame.f_lineno <= e), 0)
        return self.step

    def note(self, place: int, name: str, shape: list[int]) -> None:
        source = next((text for start, _, text in self.statements if start == self.line), "")
        row = self.rows.setdefault(self.line, [source, [], []])
        if [name, shape] not in row[place]:
            row[place].append([name, shape])

    def called(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, out: Any) -> None:
            if self.line and isinstance(out, Tensor):
                self.note(1, name, list(out.shape[1:]))

        return hook


def layers(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts that a ``forward`` calls by themselves: its children, and those in a list."""
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList):
            yield from ((f"{name}[{i}]", each) for i, each in enumerate(child))
        elif not isinstance(child, nn.Identity):
            yield name, child


def tensors(frame: FrameType) -> Rows:
    values = frame.f_locals.items()
    return [[name, list(v.shape[1:])] for name, v in values if isinstance(v, Tensor)]


def identities(frame: FrameType) -> dict[str, int]:
    return {name: id(value) for name, value in frame.f_locals.items()}


def statements(function: Callable[..., Any]) -> list[tuple[int, int, str]]:
    """First line, last line and source of the simple statements, in the numbers of the file."""
    lines, first = inspect.getsourcelines(function)
    source = dedent("".join(lines))
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.AnnAssign):
            text = " ".join((ast.get_source_segment(source, node) or "").split())
            found.append((node.lineno + first - 1, (node.end_lineno or 0) + first - 1, text))
    return sorted(found)


def text() -> str:
    """The file: an entry a line, so that a change is seen where it is."""
    parts = [
        f'"{kind}": {{\n'
        + ",\n".join(f"{json.dumps(key)}: {json.dumps(row)}" for key, row in rows.items())
        + "\n}"
        for kind, rows in facts().items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"
