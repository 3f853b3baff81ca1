"""``kkcv completion``: completion of commands and options in a shell."""

import click
from click.shell_completion import get_completion_class


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
    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(context.find_root().command, {}, "kkcv", "_KKCV_COMPLETE")
    click.echo(complete.source())
