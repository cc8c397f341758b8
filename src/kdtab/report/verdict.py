"""The answer to the question that a report is made for: what did the student keep?"""

from __future__ import annotations

from typing import assert_never

from kdtab.metrics.bootstrap import Interval
from kdtab.metrics.retention import Retained, TeacherNotBetter, TooFewRows
from kdtab.report.summary import Summary
from kdtab.report.wording import interval_text, number_text, percent_text

SELF = "the same student without a teacher"


def gate(summary: Summary, min_gain: float, allow_undefined: bool = False) -> bool:
    """Whether a student may pass.

    Args:
        summary: The report.
        min_gain: The least share of the teacher's gain that must have been kept.
        allow_undefined: Whether it passes where there is no such share: the teacher is not
            better, there are too few rows, or there is no scratch student.

    Returns:
        True where the share itself (not the end of its interval) reaches the least one.

    Example:
        >>> import numpy as np
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> rows = MeasuredRows("price", np.arange(40.0))
        >>> off = lambda by: ModelOutputs("model", "values", np.arange(40.0)[:, None] + by)
        >>> found = summarize(rows, off(0.0), off(1.0), off(2.0))
        >>> gate(found, min_gain=0.7), gate(found, min_gain=0.9)
        (True, False)
    """
    if isinstance(summary.gain, Retained):
        return summary.gain.value >= min_gain
    return allow_undefined


def headline(summary: Summary) -> str:
    """The verdict in a few words.

    Args:
        summary: The report.

    Returns:
        A phrase for the head of a page.

    Example:
        >>> headline.__name__
        'headline'
    """
    match summary.gain:
        case Retained(value=value):
            return f"{100 * value:.0f} % of the teacher’s gain retained".replace("-", "−", 1)
        case TeacherNotBetter() as found:
            return "The teacher is worse" if found.worse else "The teacher is not better"
        case TooFewRows():
            return "Too few rows for a verdict"
        case None:
            return "Gain not known"
        case _:
            assert_never(summary.gain)


def verdict_sentence(summary: Summary) -> str:
    """The verdict in a sentence, with the numbers that it rests on.

    Args:
        summary: The report.

    Returns:
        One or two sentences.

    Example:
        >>> verdict_sentence.__name__
        'verdict_sentence'
    """
    loss = "log loss" if summary.task == "classification" else "mean squared error"
    match summary.gain:
        case Retained() as kept:
            return (
                f"In {loss}, the teacher leads {SELF} by {_measured(kept.lead, kept.lead_interval)}"
                f", and the student keeps {percent_text(kept.value)} of that lead "
                f"(95 % interval {interval_text(kept.interval, share=True)})."
            )
        case TeacherNotBetter() as found:
            how = "worse" if found.worse else "not better beyond chance"
            return (
                f"In {loss}, the teacher is {how} than {SELF}: its lead is "
                f"{_measured(found.lead, found.lead_interval)}. So there is no gain to keep, and "
                "no share of it is given."
            )
        case TooFewRows(rows=rows, least=least):
            return (
                f"{rows:,} different rows are too few to tell a lead from chance; at least "
                f"{least:,} are needed."
            )
        case None:
            return (
                f"Without a scratch student ({SELF}) it is not known what the teacher gains, so "
                "no share of it is given."
            )
        case _:
            assert_never(summary.gain)


def _measured(value: float, interval: Interval) -> str:
    return f"{number_text(value)} (95 % interval {interval_text(interval)})"
