"""What people see of a running training: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from time import perf_counter
from typing import NoReturn, TextIO, final

from tqdm import tqdm

from kdtab.cli.console import figure
from kdtab.shell.progress import SILENT, EpochRecord, RunProgress

SECONDS_BETWEEN_LINES = 5.0
SHARE_BETWEEN_LINES = 0.1
BAR = "{desc}{postfix} |{bar:10}| {rate_noinv_fmt}, {remaining} left"
WORDS = "{desc}"
AT_ONCE = 1e-9
"""tqdm draws a bar without delay while it is made, when an interrupt would find none to clear."""


@final
class BarProgress:
    """One bar with loss and rate that vanishes when the run ends.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> bar = BarProgress("training", stream)
        >>> bar.start(epochs=1, steps_per_epoch=1)
        >>> bar.step()
        >>> bar.finish()
        >>> "training" in stream.getvalue()
        True
    """

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label = label
        self._stream = stream
        self._bar: tqdm[NoReturn] | None = None
        self._epochs = 0

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        """Show an empty bar.

        Args:
            epochs: How many at most.
            steps_per_epoch: Weight updates in each.

        Example:
            >>> import io
            >>> bar = BarProgress("training", io.StringIO())
            >>> bar.start(epochs=2, steps_per_epoch=10)
            >>> bar.finish()
        """
        self._epochs = epochs
        self._show(f"{self._label}: epoch 1/{epochs}", epochs * steps_per_epoch, BAR)

    def step(self) -> None:
        """One step further.

        Example:
            >>> import io
            >>> BarProgress("training", io.StringIO()).step()
        """
        if self._bar is not None:
            self._bar.update()

    def epoch(self, record: EpochRecord) -> None:
        """Name the next epoch, and the loss of this one.

        Args:
            record: Its losses.

        Example:
            >>> import io
            >>> BarProgress("training", io.StringIO()).epoch(EpochRecord(1, {"loss": 0.7}, None))
        """
        if self._bar is not None:
            following = min(record.epoch + 1, self._epochs)
            self._bar.set_description_str(
                f"{self._label}: epoch {following}/{self._epochs}", refresh=False
            )
            self._bar.set_postfix_str(_losses(record), refresh=False)

    def finish(self) -> None:
        """Clear the bar away.

        Example:
            >>> import io
            >>> BarProgress("training", io.StringIO()).finish()
        """
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def stage(self, name: str, detail: str = "") -> None:
        """Show the stage in place of the bar.

        Args:
            name: Stands before the epochs that follow.
            detail: How far it is; nothing is shown without.

        Example:
            >>> import io
            >>> stream = io.StringIO()
            >>> BarProgress("distilling", stream).stage("teacher", "fold 2 of 5")
            >>> "teacher: fold 2 of 5" in stream.getvalue()
            True
        """
        self._label = name
        self.finish()
        if detail:
            self._show(f"{name}: {detail}", 0, WORDS)

    def remark(self, sentence: str) -> None:
        r"""A line above the bar, which stays.

        Args:
            sentence: One sentence.

        Example:
            >>> import io
            >>> stream = io.StringIO()
            >>> BarProgress("distilling", stream).remark("so it is")
            >>> stream.getvalue()
            'so it is\n'
        """
        self.finish()
        self._stream.write(f"{sentence}\n")
        self._stream.flush()

    def _show(self, words: str, total: int, form: str) -> None:
        self.finish()
        columns, lines = _terminal_size(self._stream)
        self._bar = tqdm(
            total=total,
            desc=words,
            file=self._stream,
            unit=" steps",
            bar_format=form,
            leave=False,
            ncols=columns,
            nrows=lines,
            delay=AT_ONCE,
        )
        self._bar.refresh()


@final
class LineProgress:
    """A plain line for the first epoch and each tenth of the run, or every five seconds.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> lines = LineProgress("training", stream)
        >>> lines.start(epochs=2, steps_per_epoch=1)
        >>> lines.epoch(EpochRecord(1, {"loss": 0.7}, None))
        >>> stream.getvalue().startswith("training: epoch 1/2, loss 0.7000, ")
        True
    """

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label = label
        self._stream = stream
        self._epochs = self._steps = self._steps_per_epoch = 0
        self._began = self._spoke = perf_counter()
        self._spoke_at_share = 0.0

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        """Remember how long the run will be.

        Args:
            epochs: How many at most.
            steps_per_epoch: Weight updates in each.

        Example:
            >>> import io
            >>> LineProgress("training", io.StringIO()).start(epochs=2, steps_per_epoch=10)
        """
        self._epochs, self._steps_per_epoch, self._steps = epochs, steps_per_epoch, 0
        self._began = self._spoke = perf_counter()
        self._spoke_at_share = 0.0

    def step(self) -> None:
        """Count, and say how far it is when an epoch takes long.

        Example:
            >>> import io
            >>> LineProgress("training", io.StringIO()).step()
        """
        self._steps += 1
        if self._steps % 64 == 0 and perf_counter() - self._spoke > SECONDS_BETWEEN_LINES:
            done = (self._steps - 1) // self._steps_per_epoch if self._steps_per_epoch else 0
            within = self._steps - done * self._steps_per_epoch
            self._say(f"epoch {done + 1}/{self._epochs}, step {within}/{self._steps_per_epoch}")

    def epoch(self, record: EpochRecord) -> None:
        """Say the losses of the first, the last and every tenth part of the epochs.

        Args:
            record: Its losses.

        Example:
            >>> import io
            >>> LineProgress("training", io.StringIO()).epoch(EpochRecord(1, {"loss": 0.7}, None))
        """
        share = record.epoch / max(1, self._epochs)
        late = perf_counter() - self._spoke > SECONDS_BETWEEN_LINES
        far = share - self._spoke_at_share >= SHARE_BETWEEN_LINES - 1e-9
        if late or far or record.epoch in (1, self._epochs):
            self._spoke_at_share = share
            self._say(f"epoch {record.epoch}/{self._epochs}, {_losses(record)}")

    def finish(self) -> None:
        """Nothing more to say.

        Example:
            >>> import io
            >>> LineProgress("training", io.StringIO()).finish()
        """

    def stage(self, name: str, detail: str = "") -> None:
        r"""Say how far a part without epochs is.

        Args:
            name: Stands before the epochs that follow.
            detail: How far it is; nothing is said without.

        Example:
            >>> import io
            >>> stream = io.StringIO()
            >>> LineProgress("distilling", stream).stage("teacher", "fold 2 of 5")
            >>> stream.getvalue()
            'teacher: fold 2 of 5\n'
        """
        self._label = name
        if detail:
            self.remark(f"{name}: {detail}")

    def remark(self, sentence: str) -> None:
        r"""Say it.

        Args:
            sentence: One sentence.

        Example:
            >>> import io
            >>> stream = io.StringIO()
            >>> LineProgress("distilling", stream).remark("so it is")
            >>> stream.getvalue()
            'so it is\n'
        """
        self._stream.write(f"{sentence}\n")
        self._stream.flush()

    def _say(self, words: str) -> None:
        self._spoke = perf_counter()
        rate = self._steps / max(1e-9, self._spoke - self._began)
        self._stream.write(f"{self._label}: {words}, {rate:,.0f} steps/s\n")
        self._stream.flush()


def shown_progress(label: str, *, quiet: bool) -> RunProgress:
    """The progress that fits the place where stderr goes.

    Args:
        label: What is running: "training", "distilling".
        quiet: Say nothing.

    Returns:
        A bar on a terminal, lines elsewhere, or silence.

    Example:
        >>> shown_progress("training", quiet=True) is SILENT
        True
    """
    if quiet:
        return SILENT
    if sys.stderr.isatty():
        return BarProgress(label, sys.stderr)
    return LineProgress(label, sys.stderr)


def _losses(record: EpochRecord) -> str:
    training = f"loss {figure(record.loss)}"
    if record.validation_loss is None:
        return training
    return f"{training}, validation {figure(record.validation_loss)}"


def _terminal_size(stream: TextIO) -> tuple[int, int]:
    """Columns and lines; 80 x 24 where there is no terminal, or one that says 0 x 0."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return columns or 80, lines or 24
