"""``kkcv --version`` and ``kkcv completion``."""

import platform
import sys

import click

from kkcv import __version__
from kkcv.extras import versions

# Packages that influence vectors and answers.
PACKAGES = (
    "torch",
    "torchvision",
    "openvino",
    "onnxruntime",
    "faiss-cpu",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "apsw",
    "flask",
    "waitress",
    "streamlit",
)


def show(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Print the versions and exit."""
    if not wanted or context.resilient_parsing:
        return
    click.echo("\n".join(lines()))
    context.exit()


def lines() -> list[str]:
    """kkcv first, then Python and the machine, then the packages."""
    found = [
        ("kkcv", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("sqlite", sqlite()),
        *((name, versions().get(name, "not installed")) for name in PACKAGES),
    ]
    width = max(len(name) for name, _ in found)
    return [f"{name:{width}}  {text}" for name, text in found]


def sqlite() -> str:
    """The version of SQLite in apsw, which galleries use instead of Python's."""
    try:
        import apsw
    except ImportError:
        return "not installed"
    return str(apsw.sqlite_lib_version())


version_option = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show,
    help="Show the versions that matter, and exit.",
)


@click.command()
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(context: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of a COMMAND, the same as its --help.

    \b
    kkcv help search
    kkcv help zoo draw
    """
    inside = context.find_root()
    for name in names:
        group = inside.command
        found = group.get_command(inside, name) if isinstance(group, click.Group) else None
        if found is None:
            known = group.list_commands(inside) if isinstance(group, click.Group) else []
            raise click.exceptions.NoSuchCommand(name, possibilities=known, ctx=inside)
        inside = click.Context(found, inside, info_name=name, **found.context_settings)
    click.echo(inside.command.get_help(inside))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL, for its start-up file.

    \b
    echo 'eval "$(kkcv completion bash)"' >> ~/.bashrc
    echo 'eval "$(kkcv completion zsh)"' >> ~/.zshrc
    kkcv completion fish > ~/.config/fish/completions/kkcv.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(context.find_root().command, {}, "kkcv", "_KKCV_COMPLETE")
    click.echo(complete.source())
