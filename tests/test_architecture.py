"""Imports run one way, and importing kkcv costs nothing."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kkcv"

# From the foundation up: a room may import from itself and from the rooms that it names.
GROUND = (
    *("errors", "environment", "timing", "deadline", "answering", "disk", "extras"),
    *("tables", "machine", "notebook"),
)
BELOW_SEARCH = (
    *GROUND,
    "images",
    "zoo",
    "presets",
    "adapters",
    "checkpoint",
    "embedding",
    "classify",
    "worker",
    "query",
    "where",
    "metadata",
    "hit",
    "hits",
)
ROOMS = {
    "errors": (),
    "environment": (),
    "timing": (),
    "deadline": ("errors",),
    "answering": (),
    "disk": (),
    "extras": ("errors",),
    "tables": ("errors",),
    "machine": ("errors",),
    "notebook": (),
    "images": GROUND,
    "zoo": GROUND,
    "presets": GROUND,
    "adapters": (*GROUND, "images", "zoo", "presets"),
    "checkpoint": (*GROUND, "images", "zoo", "presets", "adapters"),
    "embedding": (*GROUND, "images", "zoo", "presets", "adapters", "checkpoint"),
    "classify": (*GROUND, "images", "zoo", "checkpoint", "embedding"),
    "worker": (*GROUND, "images", "zoo", "adapters", "checkpoint", "embedding", "classify"),
    "query": ("errors", "images"),
    "where": ("errors", "query"),
    "metadata": ("errors", "query"),
    "hit": (),
    "hits": (*GROUND, "images", "hit"),
    "search": BELOW_SEARCH,
    "training": (*GROUND, "images", "zoo", "checkpoint", "embedding"),
    "serve": (*BELOW_SEARCH, "search"),
    # of serve its models alone
    "client": ("errors", "images", "query", "where", "metadata", "hit", "hits", "serve"),
    "web": (*BELOW_SEARCH, "search", "training", "client"),
    "cli": (*BELOW_SEARCH, "search", "training", "serve", "web", "client"),
}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All statements and expressions of a file, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    """The rooms that a file imports from, by line."""
    for node in nodes_of(path):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        for module in modules:
            parts = module.split(".")
            if parts[0] == "kkcv" and len(parts) > 1 and parts[1] in ROOMS:
                yield node.lineno, parts[1]


FILES = [p for p in sorted(PACKAGE.rglob("*.py")) if room_of(p) not in ("__init__", "__main__")]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_only_from_the_rooms_below_it(path: Path) -> None:
    room = room_of(path)
    assert room in ROOMS, f"{room} has no place in the architecture: give it one here"

    wrong = [
        f"line {line}: kkcv.{other}"
        for line, other in imported_rooms(path)
        if other != room and other not in ROOMS[room]
    ]

    assert not wrong


FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})


def imported_modules(path: Path) -> Iterator[tuple[str, ...]]:
    """The dotted names that a file imports anywhere, for type checking too, in parts."""
    here = ("kkcv", *path.relative_to(PACKAGE).parts[:-1])
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level + 1] if node.level else ()
            module = (*start, *(node.module.split(".") if node.module else ()))
            yield from ((*module, alias.name) for alias in node.names)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: str(p.relative_to(PACKAGE.parent)))
def test_files_and_folders_side_by_side_do_not_import_in_a_circle(folder: Path) -> None:
    parents = ("kkcv", *folder.relative_to(PACKAGE).parts)
    children = {path.stem for path in folder.glob("*")} - {"__init__"}  # the facade may see all
    arrows: dict[str, set[str]] = {child: set() for child in children}
    for path in folder.rglob("*.py"):
        child = path.relative_to(folder).parts[0].removesuffix(".py")
        for module in imported_modules(path):
            inside = module[: len(parents)] == parents and len(module) > len(parents)
            if inside and child in children and module[len(parents)] in children - {child}:
                arrows[child].add(module[len(parents)])

    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(f"{folder.name} has a circle: {' imports '.join(error.args[1][::-1])}")


def test_the_page_of_the_pieces_names_every_room_with_what_it_knows() -> None:
    page = (PACKAGE.parent / "docs/explanation/pieces.md").read_text(encoding="utf-8")
    table = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]

    assert re.findall(r"`(\w+)`", "".join(table)) == list(ROOMS)


def test_the_map_for_contributors_names_every_room() -> None:
    page = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawing = page.partition("kkcv/\n")[2].partition("```")[0]

    missing = [room for room in ROOMS if not re.search(rf"\b{room}(/|\.py)", drawing)]

    assert not missing


@pytest.mark.parametrize("statement", ["import kkcv", "import kkcv.cli", "import kkcv.zoo.labels"])
def test_importing_does_not_import_what_is_heavy(statement: str) -> None:
    heavy = ("torch", "faiss", "cv2", "streamlit", "flask", "numpy")
    code = f"{statement}\nimport sys\nprint([m for m in {heavy} if m in sys.modules])"

    loaded = subprocess.check_output([sys.executable, "-W", "error", "-c", code], text=True)

    assert loaded.strip() == "[]"


def modules_of(node: ast.AST, path: Path) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    here = ("kkcv", *path.relative_to(PACKAGE).parts[:-1])
    start = here[: len(here) - node.level + 1] if node.level else ()
    module = ".".join([*start, *([node.module] if node.module else [])])
    inside = [f"{module}.{alias.name}" for alias in node.names]
    return inside if all(map(file_of, inside)) else [module]


def file_of(module: str) -> Path | None:
    """The file of a module of kkcv."""
    name, *parts = module.split(".")
    path = PACKAGE.joinpath(*parts)
    files = (path.with_suffix(".py"), path / "__init__.py") if name == "kkcv" else ()
    return next((file for file in files if file.is_file()), None)


def is_light(module: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether importing a module loads nothing beyond Python's own library and kkcv."""
    file = file_of(module)
    if file is None:
        return module.split(".")[0] in sys.stdlib_module_names
    module_node = nodes_of(file)[0]
    assert isinstance(module_node, ast.Module)
    imported = {name for node in module_node.body for name in modules_of(node, file)} - seen
    return all(is_light(name, seen | {module}) for name in imported)


@pytest.mark.parametrize(
    "path", [p for p in FILES if room_of(p) != "cli"], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_a_function_imports_only_what_is_heavy_or_optional(path: Path) -> None:
    """A library, or a module of kkcv that loads one; all else is imported at the top."""
    functions = (node for node in nodes_of(path) if isinstance(node, ast.FunctionDef))

    light = {
        f"{function.name}: {module}"
        for function in functions
        for node in ast.walk(function)
        for module in modules_of(node, path)
        if is_light(module)
    }

    assert not light


SOURCES = [
    path
    for folder in ("kkcv", "tests", "benchmarks", "docs")
    for path in (PACKAGE.parent / folder).rglob("*.py")
]


def test_a_docstring_names_its_thing_first() -> None:
    """``What embeds texts`` is read twice, ``The text tower`` once."""
    opening = re.compile(r'^\s*"{3}(What|Who|Whoever)\b.*', re.MULTILINE)

    found = {path: opening.search(path.read_text("utf-8")) for path in SOURCES}

    assert not {path.name: text[0] for path, text in found.items() if text}


def test_nothing_is_said_in_words_that_are_read_twice() -> None:
    twice = re.compile(r"whoever|\bbut for\b|\bby and by\b|\bthat is none\b", re.IGNORECASE)
    root = PACKAGE.parent
    texts = [*SOURCES, *root.glob("*.md"), *root.glob("docs/**/*.md"), *PACKAGE.rglob("*.toml")]

    found = {path: twice.search(path.read_text("utf-8")) for path in texts}
    found.pop(Path(__file__))  # which names them

    assert not {path.name: text[0] for path, text in found.items() if text}


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    assert not [path.name for path in SOURCES if len(path.read_text("utf-8").splitlines()) > 500]


def test_only_one_file_knows_the_range_of_a_score() -> None:
    range_of_score = re.compile(r"-1(?:\.0)?, \+?1(?:\.0)?\b")
    rooms = ("search", "serve", "cli", "client", "web")

    found = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        if room_of(path) in (*rooms, "hit")
        and any(range_of_score.search(line) for line in path.read_text("utf-8").splitlines())
    }

    assert found == {"hit.py"}


@cache
def defined(module: str) -> set[str]:
    """The names in a module of kkcv and the modules below it."""
    place = PACKAGE.parent / module.replace(".", "/")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    names = {below.stem for below in place.iterdir()} if place.is_dir() else set()
    for node in nodes_of(file):
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name) | ast.Name(name, ast.Store()):
                names.add(name)
            case ast.ImportFrom() | ast.Import():
                names |= {each.asname or each.name for each in node.names}
    return names


def test_what_benchmarks_and_docs_import_is_there() -> None:
    files = [*PACKAGE.parent.glob("benchmarks/**/*.py"), *PACKAGE.parent.glob("docs/**/*.py")]
    nodes = [(file, node) for file in files for node in nodes_of(file)]

    lacking = [
        f"{file.name}: {node.module}.{each.name}"
        for file, node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kkcv")
        for each in node.names
        if each.name not in defined(node.module or "")
    ]

    assert lacking == []
