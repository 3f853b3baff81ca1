"""A search option that is added as docs/howto/add-search-option.md shows is there everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .shown import blocks, patched

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "howto" / "add-search-option.md"

# Runs in another process, with a copy of kkcv that has the option.
LOOK = """
import json, sys, threading
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from kkcv.cli import main
from kkcv.client import Client
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.serve.app import create_app
from kkcv.serve.docs.openapi import openapi
from kkcv.serve.routes import ROUTES
from kkcv.serve.server.server import Server
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings

folder, picture = sys.argv[1:]
gallery = Gallery.open(folder)
service = Service(gallery, Settings())
service.load()
server = Server(create_app(service), "127.0.0.1", 0, Settings())
threading.Thread(target=server.run, daemon=True).start()
client = Client(server.address)
most = gallery.search(picture, 12)[4].score

WIDGETS = '''
from kkcv.search.options import OPTIONS
from kkcv.web.search.options import choose
from kkcv.web.strings import Strings
for option in OPTIONS.values():
    choose(Strings("zh"), option)
'''

def field_of_error(**options):
    try:
        client.search(picture, **options)
    except RequestError as error:
        return error.field

document = openapi(ROUTES, needs_key=False)
similar = document["paths"]["/v1/images/{id}/similar"]["get"]["parameters"]
run = CliRunner().invoke(main, ["search", folder, picture, "-k12", f"--max-score={most}", "--json"])
print(json.dumps({
    "python": [hit.score for hit in gallery.search(picture, 12, max_score=most)],
    "client": [hit.score for hit in client.search(picture, 12, max_score=most)],
    "similar": [hit.score for hit in client.search_id(1, 12, max_score=most)],
    "command line": [hit["score"] for hit in json.loads(run.stdout)["hits"]],
    "most": most,
    "help": CliRunner().invoke(main, ["search", "--help"]).output,
    "field": field_of_error(max_score=5),
    "described": document["components"]["schemas"]["SearchRequest"]["properties"]["max_score"],
    "parameters": [parameter["name"] for parameter in similar],
    "widgets": [slider.label for slider in AppTest.from_string(WIDGETS).run().slider],
}))
"""


@pytest.fixture(scope="module")
def seen(
    made_gallery: Path, album: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    work = tmp_path_factory.mktemp("added")
    shutil.copytree(ROOT / "kkcv", work / "kkcv", ignore=shutil.ignore_patterns("__pycache__"))
    changes = [block for block in blocks(PAGE.read_text("utf-8")) if block.language == "diff"]
    assert len(changes) == 4
    for block in changes:
        file = work / block.title
        file.write_text(patched(file.read_text("utf-8"), block.text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LOOK, made_gallery, album[0]],
        env={**os.environ, "PYTHONPATH": str(work), "OMP_NUM_THREADS": "1"},
        cwd=work,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("way", ["python", "client", "similar", "command line"])
def test_it_does_what_it_says(seen: dict[str, Any], way: str) -> None:
    assert seen[way]
    assert max(seen[way]) <= seen["most"]


def test_http_checks_its_limits_and_names_it(seen: dict[str, Any]) -> None:
    assert seen["field"] == "max_score"


def test_openapi_describes_it(seen: dict[str, Any]) -> None:
    assert seen["described"] == {
        "default": 1.0,
        "description": "Leave out hits that score more.",
        "maximum": 1.0,
        "minimum": -1.0,
        "title": "Max Score",
        "type": "number",
    }
    assert "max_score" in seen["parameters"]


def test_the_command_line_has_a_flag_for_it(seen: dict[str, Any]) -> None:
    assert "--max-score SCORE" in seen["help"]
    assert "Leave out hits that score more." in seen["help"]


def test_the_web_app_has_a_widget_for_it(seen: dict[str, Any]) -> None:
    assert "最高分数" in seen["widgets"]
