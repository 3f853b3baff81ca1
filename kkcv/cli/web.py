"""``kkcv web``: the web page."""

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from kkcv.errors import KkcvError, MissingExtra


@click.command()
@click.argument("gallery")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8501,
    show_default=True,
    help="0 finds a free one.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--insecure", is_flag=True, help="Listen beyond this machine: whoever comes can add and remove."
)
def web(gallery: str, host: str, port: int, no_browser: bool, insecure: bool) -> None:
    """Open the web page of a gallery: search by picture, add, browse, remove.

    \b
    kkcv web photos.kkcv
    """
    from kkcv.search.gallery import Gallery
    from kkcv.serve.settings import LOOPBACK

    if host not in LOOPBACK and not insecure:
        raise KkcvError(
            f"{host} can be reached from other machines, and the page asks nobody who they are; "
            "say --insecure to let everybody in"
        )
    if find_spec("streamlit") is None:
        raise MissingExtra("the web page", "web")
    with Gallery.open(gallery) as opened:
        address = opened.address
    port = free_port(host, port)
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(no_browser or not has_screen()).lower(),
        "server.maxUploadSize": "64",
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": host if host not in ("0.0.0.0", "::") else "localhost",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "logger.hideWelcomeMessage": "true",
        "theme.light.primaryColor": "#0d9488",
        "theme.dark.primaryColor": "#2dd4bf",
        "theme.baseRadius": "0.6rem",
    }
    app = Path(__file__).parents[1] / "web" / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += [f"--{name}={value}" for name, value in options.items()]
    if host in LOOPBACK:  # a web page cannot come in by a name of its own
        command += [f"--server.allowedHosts={name}" for name in LOOPBACK]
    click.echo(f"{address} is at http://{'localhost' if host in LOOPBACK else host}:{port}")
    os.environ["KKCV_GALLERY"] = address
    sys.stdout.flush()
    if os.name == "posix":  # signals reach Streamlit itself
        os.execv(sys.executable, command)
    sys.exit(subprocess.call(command))


def free_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0 (KkcvError)."""
    try:
        with socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ) as found:
            return int(found.getsockname()[1])
    except OSError as error:
        raise KkcvError(
            f"cannot listen at {host}, port {port}: {error.strerror}; "
            "choose another with --port (0 finds a free one)"
        ) from None


def has_screen() -> bool:
    """Whether a browser could be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
