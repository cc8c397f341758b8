"""What a teacher of time series says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceTeacherInfo:
    """What is known of a teacher before it is asked.

    Attributes:
        name: What it calls itself.
        input_dim: D_in.
        output_dim: D_out.
        fingerprint: The same text for the same teacher.
        steps: T, where it takes series of one length only; None: any.

    Example:
        >>> SequenceTeacherInfo("rnn", input_dim=8, output_dim=2, fingerprint="rnn-1").steps is None
        True
    """

    name: str
    input_dim: int
    output_dim: int
    fingerprint: str
    steps: int | None = None
