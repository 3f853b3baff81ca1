"""docs/http.md: its commands work, and it names every route, problem, reason and option."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from kkcv.cli.serve import serve
from kkcv.errors import PictureError
from kkcv.serve.problems import KINDS, REASON_STATUS
from kkcv.serve.routes import ROUTES

from .conftest import Running

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
FROM_FILES = {"not-found", "not-a-file", "unreadable"}  # reasons that no request can meet


def rows(header: str) -> list[list[str]]:
    """The cells of the table with this header, without the marks of code."""
    table = PAGE.partition(f"| {header} |")[2].split("\n\n")[0]
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for line in table.splitlines()[2:]
    ]


def test_it_has_every_route() -> None:
    assert {row[0] for row in rows("route")} == {f"{r.method} {r.path}" for r in ROUTES}


def test_it_has_every_problem_with_its_status() -> None:
    told = {code: status for code, status, _ in rows("type")}

    assert told.pop("bad-picture") == "413, 415, 422"
    assert told == {c: str(k.status) for c, k in KINDS.items() if c != "bad-picture"}


def test_it_has_every_reason_with_its_status() -> None:
    told = {reason: int(status) for reason, status, _ in rows("reason of `bad-picture`")}

    expected = {r: REASON_STATUS.get(r, 422) for r in PictureError.REASONS}
    assert told == {r: s for r, s in expected.items() if r not in FROM_FILES}


def test_it_has_every_option() -> None:
    told = {name for row in rows("option") for name in row[0].split(", ") if name[:2] == "--"}

    options = {option for parameter in serve.params for option in parameter.opts}
    assert told == {option for option in options if option.startswith("--")}


def examples() -> list[str]:
    """The curl commands, each with what is piped into it."""
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    text = re.sub(r"\|\n\s*", "| ", text)
    return [line for line in text.splitlines() if "curl" in line]


@pytest.mark.parametrize("command", examples())
def test_every_curl_example_works(
    service: Running, album: list[Path], tmp_path: Path, command: str
) -> None:
    # Known bytes, so that the service stays what it is for the other tests.
    shutil.copy(album[0], tmp_path / "cat.jpg")
    own = httpx.get(f"{service.address}/v1/images/1/file")
    (tmp_path / "other.jpg").write_bytes(own.content)
    assert len(examples()) >= 9

    shown = subprocess.run(
        ["bash", "-c", command.replace("http://127.0.0.1:8000", service.address) + " --fail"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )

    assert shown.returncode == 0, shown.stderr
    files = [path for path in tmp_path.iterdir() if path.name not in ("cat.jpg", "other.jpg")]
    assert shown.stdout.startswith("{") or files[0].stat().st_size > 1000
