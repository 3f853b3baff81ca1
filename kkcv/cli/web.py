"""``kkcv web``: the web page."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from kkcv.environment import WebSettings, hand_over, has_screen
from kkcv.errors import KkcvError, MissingExtra

from .output import echo


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
    "--insecure",
    is_flag=True,
    help="Listen beyond this machine: everybody can add and remove pictures.",
)
@click.option(
    "--folders/--no-folders",
    default=None,
    help="Whether visitors may name folders of this machine, to add or to train on. "
    "Without it: only a browser on this machine, not through a proxy.",
)
@click.option(
    "--base-path",
    default="",
    metavar="PATH",
    help="The path under which a proxy offers the page, such as /kkcv.",
)
@click.option(
    "--compare",
    metavar="GALLERY",
    help="Show the answers of this gallery, of another network, beside those of GALLERY.",
)
@click.option("--runs", default="runs", show_default=True, help="Folder of training runs.")
@click.option(
    "--api-key",
    envvar="KKCV_API_KEY",
    metavar="KEY",
    help="For a service with keys; better set KKCV_API_KEY.",
)
def web(
    gallery: str,
    host: str,
    port: int,
    no_browser: bool,
    insecure: bool,
    folders: bool | None,
    base_path: str,
    compare: str | None,
    runs: str,
    api_key: str | None,
) -> None:
    """Open the web app: search a gallery and manage it, explore networks, train.

    GALLERY is a folder, or the address of a service (kkcv serve).

    \b
    kkcv web photos.kkcv
    kkcv web photos.kkcv --compare photos-mobilenet.kkcv
    kkcv web http://192.168.1.5:8000
    """
    from kkcv.serve.server.server import listen
    from kkcv.serve.settings import LOOPBACK, PATH

    if host not in LOOPBACK and not insecure:
        raise KkcvError(
            f"{host} can be reached from other machines, and the page asks nobody who they are; "
            "say --insecure to let everybody in"
        )
    if find_spec("streamlit") is None:
        raise MissingExtra("the web page", "web")
    if base_path and not PATH.fullmatch(f"/{base_path.strip('/')}"):
        raise KkcvError(f"a base path is like /kkcv, not {base_path!r}")
    settings = WebSettings(
        gallery=address_of(gallery),
        compare=address_of(compare) if compare else "",
        api_key=api_key or "",
        runs=os.path.abspath(runs),
        folders=False if folders is None and host not in LOOPBACK else folders,
    )
    with listen(host, port) as probe:  # 0 becomes a free port, and one in use is an error
        port = int(probe.getsockname()[1])
    options = {  # of Streamlit: nothing of its own is shown or sent
        "server.address": host,
        "server.port": str(port),
        "server.baseUrlPath": base_path.strip("/"),
        "server.headless": str(no_browser or not has_screen()).lower(),
        "server.maxUploadSize": "64",  # MB, as images/limits.py has it
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": host if host not in ("0.0.0.0", "::") else "localhost",  # noqa: S104
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
        "theme.light.primaryColor": "#0f766e",
        "theme.dark.primaryColor": "#2dd4bf",
        "theme.dark.backgroundColor": "#171614",  # also that of the header in style.css
        "theme.baseRadius": "0.6rem",
    }
    app = Path(__file__).parents[1] / "web" / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += [f"--{name}={value}" for name, value in options.items()]
    if host in LOOPBACK:  # against DNS rebinding
        command += [f"--server.allowedHosts={name}" for name in LOOPBACK]
    shown = f"[{host}]" if ":" in host else host
    base = "".join(f"/{part}" for part in base_path.split("/") if part)
    echo(f"{settings.gallery} is at http://{shown}:{port}{base}")
    hand_over(settings)  # by the environment, as Streamlit's script takes no arguments
    sys.stdout.flush()
    if os.name == "posix":  # signals reach Streamlit itself
        os.execv(sys.executable, command)  # noqa: S606  # this Python, with our arguments
    sys.exit(subprocess.call(command))


def address_of(gallery: str) -> str:
    """The absolute address of a gallery or service (NotAGallery, RequestError)."""
    if gallery.startswith(("http://", "https://")):
        from kkcv.client import Client

        return Client(gallery).address
    from kkcv.search.gallery import Gallery

    with Gallery(gallery) as opened:
        return opened.address
