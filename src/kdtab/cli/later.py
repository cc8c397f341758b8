"""Commands that are imported when they are called: a list of all of them needs none."""

from __future__ import annotations

from collections.abc import Callable

import click


class LaterCommand(click.Command):
    """A command's name and its line in the list of all; the command itself is elsewhere.

    Args:
        name: What is typed.
        imported: Imports the command itself.
        summary: The first line of its help.

    Example:
        >>> LaterCommand("train", lambda: click.Command("train"), "Train.").get_short_help_str()
        'Train.'
    """

    def __init__(self, name: str, imported: Callable[[], click.Command], summary: str) -> None:
        super().__init__(name, short_help=summary)
        self._imported = imported

    def command(self) -> click.Command:
        """The command itself, imported now.

        Returns:
            What click made of the function.

        Example:
            >>> LaterCommand("train", lambda: click.Command("train"), "Train.").command()
            <Command train>
        """
        return self._imported()

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        """The context of the command itself, so that all that follows is its own.

        Args:
            info_name: How it was called.
            args: What stands after its name.
            parent: The context of the group.
            extra: Settings of the context.

        Returns:
            A context whose `command` is the imported one.

        Example:
            >>> listed = LaterCommand("train", lambda: click.Command("train"), "Train.")
            >>> listed.make_context("train", []).command
            <Command train>
        """
        return self.command().make_context(info_name, args, parent, **extra)


def without_example(text: str | None) -> str | None:
    r"""A docstring as people read it with `--help`.

    Args:
        text: The docstring of a command, or None.

    Returns:
        Everything before its `Example:`.

    Example:
        >>> without_example("Train.\n\nExample:\n    >>> 1")
        'Train.'
    """
    return None if text is None else text.partition("Example:\n")[0].rstrip()
