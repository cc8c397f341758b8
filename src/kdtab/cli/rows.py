"""What people see of a table going by: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from time import perf_counter
from typing import NoReturn, Protocol, TextIO, final

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0
BAR_STEPS = 1_000
BAR = "{desc}{postfix} |{bar:10}| {percentage:3.0f}%, {remaining} left"


class RowProgress(Protocol):
    """Hears how much of a table has gone by.

    Example:
        >>> heard: RowProgress = SilentRows()
        >>> heard(8, 0.5)
    """

    def __call__(self, rows: int, share: float) -> None:
        """So many rows, and the share of the table, have gone by."""
        ...

    def finish(self) -> None:
        """The last row has gone by.

        Example:
            >>> SilentRows().finish()
        """
        ...


@final
class SilentRows:
    """Hears everything and says nothing.

    Example:
        >>> SilentRows()(8, 0.5)
    """

    def __call__(self, rows: int, share: float) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Nothing.

        Example:
            >>> SilentRows().finish()
        """


@final
class RowLines:
    """A plain line every five seconds.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> lines = RowLines("labelling", stream, seconds=0)
        >>> lines(8, 0.5)
        >>> stream.getvalue().startswith("labelling: 8 rows, 50 % of the table, ")
        True
    """

    def __init__(
        self, label: str, stream: TextIO, *, seconds: float = SECONDS_BETWEEN_LINES
    ) -> None:
        self._label, self._stream, self._seconds = label, stream, seconds
        self._began = self._spoke = perf_counter()

    def __call__(self, rows: int, share: float) -> None:
        """Say how far it is, if it is time."""
        now = perf_counter()
        if now - self._spoke >= self._seconds:
            self._spoke = now
            rate = rows / max(1e-9, now - self._began)
            words = f"{rows:,} rows, {share:.0%} of the table".replace("%", " %")
            self._stream.write(f"{self._label}: {words}, {rate:,.0f} rows/s\n")
            self._stream.flush()

    def finish(self) -> None:
        """Nothing more to say.

        Example:
            >>> import io
            >>> RowLines("labelling", io.StringIO()).finish()
        """


@final
class RowBar:
    """One bar that vanishes when the table has gone by.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> bar = RowBar("labelling", stream)
        >>> bar(8, 1.0)
        >>> bar.finish()
        >>> "labelling" in stream.getvalue()
        True
    """

    def __init__(self, label: str, stream: TextIO) -> None:
        self._bar: tqdm[NoReturn] = tqdm(
            total=BAR_STEPS,
            desc=label,
            file=stream,
            bar_format=BAR,
            leave=False,
            ncols=80,
            nrows=24,
        )

    def __call__(self, rows: int, share: float) -> None:
        """Move the bar."""
        self._bar.set_postfix_str(f"{rows:,} rows", refresh=False)
        self._bar.update(int(share * BAR_STEPS) - self._bar.n)

    def finish(self) -> None:
        """Clear the bar away.

        Example:
            >>> import io
            >>> RowBar("labelling", io.StringIO()).finish()
        """
        self._bar.close()


def shown_rows(label: str, stream: TextIO, *, quiet: bool) -> RowProgress:
    """The progress that fits the place where messages go.

    Args:
        label: What is running.
        stream: stderr.
        quiet: Say nothing.

    Returns:
        A bar on a terminal, lines elsewhere, or silence.

    Example:
        >>> import io
        >>> type(shown_rows("labelling", io.StringIO(), quiet=False)).__name__
        'RowLines'
    """
    if quiet:
        return SilentRows()
    return RowBar(label, stream) if stream.isatty() else RowLines(label, stream)
