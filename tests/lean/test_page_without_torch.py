"""The page and Parquet files, where the core and these two extras are installed, and no torch."""

import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]
PICTURES = 12


@pytest.fixture(scope="module")
def run(page_python: Path, environment: dict[str, str]) -> Run:
    """``run("-m", "kkcv", ...)`` → what that Python prints."""

    def ran(*arguments: object, **more: str) -> str:
        done = subprocess.run(
            [page_python, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment | more,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ran


@pytest.fixture(scope="module")
def gallery(run: Run, album: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "g.kkcv"
    run("-m", "kkcv", "index", folder, *album[:PICTURES])
    return folder


def test_an_export_is_imported(run: Run, gallery: Path, tmp_path: Path) -> None:
    exported = run("-m", "kkcv", "export", gallery, tmp_path / "g.parquet")
    imported = run("-m", "kkcv", "import", tmp_path / "again.kkcv", tmp_path / "g.parquet")

    assert exported == f"{PICTURES} pictures are in {tmp_path / 'g.parquet'}\n"
    assert imported == f"{PICTURES} pictures came in, 0 were there\n"


def test_the_page_searches_with_a_picture(run: Run, gallery: Path, album: list[Path]) -> None:
    code = """
        import sys
        from pathlib import Path
        from streamlit.testing.v1 import AppTest
        from kkcv.web import app

        test = AppTest.from_file(app.__file__, default_timeout=60).run()
        test.file_uploader[0].upload("x.jpg", Path(sys.argv[1]).read_bytes(), "image/jpeg").run()
        print([each.value for each in (*test.exception, *test.error)])
        print([each.value for each in test.markdown if each.value.startswith("#####")])
        print([name for name in ("torch", "openvino") if name in sys.modules])
    """

    said = run("-c", textwrap.dedent(code), album[0], KKCV_GALLERY=str(gallery))

    wrong, found, loaded = said.splitlines()[-3:]
    assert (wrong, loaded) == ("[]", "[]")
    assert found == f"['##### The {PICTURES} most similar of {PICTURES}']"
