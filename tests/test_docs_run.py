"""Every page of the documentation is done as it is shown: files, commands, snippets, servers."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from .milvus_server import lite
from .shown import Reader, blocks, in_one_session

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SESSIONS = ("howto/python.md",)  # pages whose snippets go on from each other
FAMILY = "resnet"  # the pages of the families have the same commands
PAGES = [
    str(path.relative_to(DOCS))
    for path in sorted(DOCS.rglob("*.md"))
    if any(block.language in ("bash", "python") for block in blocks(path.read_text("utf-8")))
    and path.parts[-2] not in ("zoo", "reference")  # one of the zoo; signatures are not programs
    and "zh" not in path.parts  # the same commands as in English: tests/test_docs.py
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with ``Pictures`` in folders by what they show."""
    home = tmp_path_factory.mktemp("home")
    for kind in ("cats", "dogs"):
        folder = home / "Pictures" / kind
        folder.mkdir(parents=True)
        for path in sorted((pictures / "cats_dogs" / "train" / kind).iterdir())[:16]:
            shutil.copy(path, folder)
    return home


@pytest.fixture(scope="module")
def gallery(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery that pages begin with which do not make it."""
    work = tmp_path_factory.mktemp("made")
    with Reader(work, home) as reader:
        reader.shell("kkcv index photos.kkcv ~/Pictures")
    return work / "photos.kkcv"


@pytest.mark.parametrize("page", [*PAGES, f"zoo/{FAMILY}.md"])
def test_a_page_works_as_it_is_shown(
    page: str, home: Path, gallery: Path, pictures: Path, tmp_path: Path
) -> None:
    text = (DOCS / page).read_text("utf-8")
    cats = sorted((pictures / "cats_dogs" / "val" / "cats").iterdir())
    dogs = sorted((pictures / "cats_dogs" / "val" / "dogs").iterdir())
    for name, source in (("cat.jpg", cats[0]), ("other.jpg", cats[1]), ("dog.jpg", dogs[0])):
        shutil.copy(source, tmp_path / name)
    shutil.copytree(home / "Pictures", tmp_path / "pets")
    if not any(made in text for made in ("kkcv index photos.kkcv", 'Gallery.create("photos.kkcv"')):
        shutil.copytree(gallery, tmp_path / "photos.kkcv")
    if 'title="kkcv/' in text:  # the page adds to kkcv: to a copy of it
        shutil.copytree(ROOT / "kkcv", tmp_path / "kkcv")

    with ExitStack() as opened:
        port = ""
        if any("milvus://" in block.text for block in blocks(text) if block.is_run):
            (tmp_path / "milvus").mkdir()
            port = opened.enter_context(lite(tmp_path / "milvus")).rpartition(":")[2]
        reader = opened.enter_context(Reader(tmp_path, home, milvus=port))
        shown = blocks(text)
        for block in in_one_session(shown) if page in SESSIONS else shown:
            reader.do(block)
