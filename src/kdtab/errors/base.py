"""What every issue is: one frozen value per mistake, its fields the facts a person needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict

SHOWN_CHARACTERS = 80
SHOWN_NAMES = 8


class IssueValue(BaseModel):
    """Base of all issues: frozen, no unknown fields.

    Example:
        >>> class TooShort(IssueValue):
        ...     rows: int
        >>> TooShort(rows=1)
        TooShort(rows=1)
    """

    # Their validators are built when the first one is made: most runs make none of most kinds.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def quoted(value: object) -> str:
    r"""A user's value as it may stand in a message: escaped, its middle cut beyond 80 characters.

    Args:
        value: Anything that came from outside: a cell, a name, a path.

    Returns:
        A printable text on one line.

    Example:
        >>> quoted("a\nb")
        "'a\\nb'"
        >>> len(quoted("x" * 500)) < 100
        True
    """
    if not isinstance(value, str):
        return _without_middle(ascii(value))
    if len(value) > SHOWN_CHARACTERS:
        value = value[:SHOWN_CHARACTERS] + value[-SHOWN_CHARACTERS:]
    return _without_middle(repr(value))


def _without_middle(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    tail = SHOWN_CHARACTERS // 2
    return f"{text[: SHOWN_CHARACTERS - tail - 1]}…{text[-tail:]}"


def listed(names: Iterable[object], most: int = SHOWN_NAMES) -> str:
    """Names in a row, quoted, the first eight and then a count.

    Args:
        names: What to list.
        most: How many to write out.

    Returns:
        `'a', 'b' and 3 more`.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        "'a', 'b' and 1 more"
    """
    every = [quoted(name) for name in names]
    shown = ", ".join(every[:most])
    rest = len(every) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A hint with the nearest known name, or nothing.

    Args:
        name: What was found.
        known: What would have been understood.

    Returns:
        ` Did you mean 'temperature'?`, with its leading blank, or an empty text.

    Example:
        >>> did_you_mean("temprature", ["alpha", "temperature"])
        " Did you mean 'temperature'?"
        >>> did_you_mean("zzz", ["alpha"])
        ''
    """
    lowered = {item.lower(): item for item in known}
    near = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean {quoted(lowered[near[0]])}?" if near else ""
