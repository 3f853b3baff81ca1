"""``kkcv web``: what it says when it cannot start."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kkcv.cli import main


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["web", *arguments])
    assert result.exit_code == 2
    return result


def test_it_does_not_listen_beyond_this_machine_unless_told_to(made_gallery: Path) -> None:
    result = run(str(made_gallery), "--host", "0.0.0.0")

    assert result.stderr == (
        "kkcv: 0.0.0.0 can be reached from other machines, and the page asks nobody who they are; "
        "say --insecure to let everybody in\n"
    )


def test_a_folder_that_is_no_gallery_is_told_before_a_browser_opens(tmp_path: Path) -> None:
    assert run(str(tmp_path)).stderr.startswith(f"kkcv: {tmp_path} is not a gallery")


def test_a_port_that_is_taken_is_told(made_gallery: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run(str(made_gallery), "--port", port)

    assert result.stderr.startswith(f"kkcv: cannot listen at 127.0.0.1, port {port}: ")


def test_without_streamlit_it_says_what_to_install(
    made_gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["kkcv.cli.web"], "find_spec", lambda name: None)

    result = run(str(made_gallery))

    assert result.stderr == (
        "kkcv: the web page is not installed; to add it: pip install 'kkcv[web]'\n"
    )


def test_what_is_compared_must_be_a_gallery_too(made_gallery: Path, tmp_path: Path) -> None:
    result = run(str(made_gallery), "--compare", str(tmp_path))

    assert result.stderr.startswith(f"kkcv: {tmp_path} is not a gallery")


def test_an_address_that_is_none_is_told() -> None:
    assert run("http://").stderr.startswith("kkcv: an address is like http://127.0.0.1:8000")


def test_the_page_searches_without_torch() -> None:
    """With torch in its process OpenVINO has crashed."""
    code = (
        "import sys, kkcv.web.app\n"
        "print([name for name in ('torch', 'lightning') if name in sys.modules])"
    )

    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert loaded.strip() == "[]"
