"""The READMEs' code is run, every link leads somewhere, and every name on a page exists.

The other pages are run by ``test_docs_run.py``, which takes longer.
"""

import io
import re
import shutil
import tokenize
from collections.abc import Collection, Iterator
from pathlib import Path

import click
import pytest

from kkcv.cli import main

from .shown import NOT_RUN, Block, Reader, blocks, commands

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = [
    *(path.name for path in sorted(ROOT.glob("*.md"))),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
]
GENERATED = ("cli.md", "http.md", "options.md")  # in docs/reference, made as the site is built
TRANSLATED = (
    READMES,
    ("docs/tutorial.md", "docs/zh/tutorial.md"),
    ("docs/embedders.md", "docs/zh/embedders.md"),
    ("docs/howto/china.md", "docs/zh/china.md"),
    ("docs/training.md", "docs/zh/training.md"),
)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def home(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with ``Pictures``, and the files that the READMEs name."""
    home = tmp_path_factory.mktemp("home")
    for kind in ("cats", "dogs"):
        for part, count in (("train", 12), ("val", 4)):
            folder = home / "cats_dogs" / part / kind
            folder.mkdir(parents=True)
            for path in sorted((pictures / "cats_dogs" / part / kind).iterdir())[:count]:
                shutil.copy(path, folder)
    shutil.copytree(home / "cats_dogs" / "train", home / "Pictures")
    shutil.copy(next((home / "cats_dogs" / "val" / "cats").iterdir()), home / "cat.jpg")
    return home


@pytest.mark.slow  # make test-docs does it, with those of the other pages
def test_every_command_of_the_readme_works_in_its_order(home: Path) -> None:
    work = home / "shell"
    work.mkdir()
    for name in ("cat.jpg", "cats_dogs"):
        (work / name).symlink_to(home / name)
    shown = commands(text_of("README.md"))  # the Chinese one shows the same, as tested below
    assert len(shown) >= 8

    with Reader(work, home) as reader:
        for command in shown:
            reader.shell(command)


def test_every_python_example_of_the_readme_works(home: Path) -> None:
    work = home / "python"
    work.mkdir()
    shutil.copy(home / "cat.jpg", work)
    examples = [block for block in blocks(text_of("README.md")) if block.language == "python"]
    assert examples

    with Reader(work, home) as reader:
        reader.shell("kkcv index photos.kkcv ~/Pictures")
        for example in examples:
            reader.do(example)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_project_leads_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|href)=\"([^\"#:]+)\"", text_of(page))

    lost = [
        target
        for pair in targets
        for target in pair
        if target
        and not target.endswith(GENERATED)
        and not (ROOT / page).parent.joinpath(target).exists()
    ]

    assert not lost


ROOMS = ("kkcv", "tests", "benchmarks", "docs")
SOURCES = {room: sorted((ROOT / room).rglob("*.py")) for room in ROOMS}


def prose_of(file: Path) -> Iterator[str]:
    """The text of a page outside of its blocks; the comments and docstrings of Python."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        yield re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    else:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT or token.string.startswith('"""'):
                yield token.string


@pytest.mark.parametrize("room", ["pages", *ROOMS])
def test_every_python_file_that_is_named_exists(room: str) -> None:
    known = [f"/{path.relative_to(ROOT)}" for paths in SOURCES.values() for path in paths]
    files = [ROOT / page for page in PAGES] if room == "pages" else SOURCES[room]

    lost = [
        f"{file.relative_to(ROOT)} names {name}"
        for file in files
        for prose in prose_of(file)
        for name in re.findall(r"(?<![\w/*.-])\w[\w/]*\.py\b", prose)
        if not any(path.endswith(f"/{name}") for path in known)
    ]

    assert not lost


@pytest.mark.parametrize("pair", TRANSLATED, ids=lambda pair: pair[0])
def test_a_translation_shows_the_same_commands_and_snippets(pair: tuple[str, str]) -> None:
    ours, theirs = (
        (commands(text), [b.text for b in blocks(text) if b.language == "python"])
        for text in map(text_of, pair)
    )

    assert ours == theirs


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists_with_its_options(page: str) -> None:
    text = text_of(page)
    inline = re.findall(r"`(kkcv [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    shown = [
        line for b in blocks(text) if b.language in ("bash", "") for line in b.text.splitlines()
    ]
    lines = [*inline, *(line for line in shown if re.match(r"\s*kkcv [a-z]", line))]

    added = re.findall(r"^\+ +(\w+): .+ = option\($", text, re.M)  # by the page itself
    flags = {f"--{name.replace('_', '-')}" for name in added}
    wrong = [f"{line}: {fault}" for line in lines if (fault := fault_of(line, flags))]

    assert not wrong


def fault_of(line: str, added: Collection[str]) -> str:
    """The part of this that the command line does not have, or nothing."""
    words = re.split(r"[\s|;&>]+", line.partition(" #")[0].strip())
    command: click.Command = main
    rest = words[1:]
    while rest and isinstance(command, click.Group):
        name = rest.pop(0)
        if name.startswith("-") or not re.fullmatch(r"[a-z-]+", name):
            break  # an option of the group, or COMMAND
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    options = {text for p in command.params for text in (*p.opts, *p.secondary_opts)}
    options |= {"--help", "-h", "--version", *added}
    used = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    lacking = [word for word in used if word not in options]
    return f"no option {' '.join(lacking)}" if lacking else ""


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_says_why(page: str) -> None:
    bare = [b.title for b in blocks(text_of(page)) if not b.is_run and not reason(b)]

    assert not bare


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_blocks_that_are_run_or_say_why_not(page: str) -> None:
    command = re.compile(r"^ *(\$ )?(kkcv [a-z]|python -m |make [a-z]|pip |curl |docker )", re.M)

    hidden = [b.text for b in blocks(text_of(page)) if not b.language and command.search(b.text)]

    assert not hidden


def reason(block: Block) -> str:
    for start in NOT_RUN:
        block = block._replace(title=block.title.removeprefix(start))
    return block.title.strip(" :：")


def test_files_of_the_system_that_a_page_shows_are_written_below_its_folder(tmp_path: Path) -> None:
    with Reader(tmp_path, tmp_path) as reader:
        reader.do(Block("text", "/etc/kkcv/settings.toml", "port = 8000\n"))
        with pytest.raises(AssertionError, match="outside the page's folder"):
            reader.do(Block("text", "../settings.toml", "port = 8000\n"))

    assert (tmp_path / "etc" / "kkcv" / "settings.toml").is_file()
    assert not Path("/etc/kkcv").exists()


def test_make_help_has_every_target() -> None:
    makefile = text_of("Makefile")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)

    explained = re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE)

    assert explained == targets


def test_the_site_has_every_page_once() -> None:
    listed = re.findall(r"([\w/-]+\.md)$", text_of("mkdocs.yml"), re.M)

    assert sorted(listed) == sorted(set(listed))
