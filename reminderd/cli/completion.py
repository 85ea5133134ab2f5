"""`completion`: the script with which a shell completes commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands in your shell.

    Bash: eval "$(reminderd completion bash)" in ~/.bashrc; zsh likewise in ~/.zshrc; fish:
    reminderd completion fish > ~/.config/fish/completions/reminderd.fish
    """
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(ctx.find_root().command, {}, "reminderd", "_REMINDERD_COMPLETE").source())
