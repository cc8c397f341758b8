"""The runtime that computes an ONNX graph, on the processor, the same way every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returns.result import Success

from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sources import TeacherFileBroken
from kdtab.results import Checked, fail
from kdtab.teachers.answers import reason_of
from kdtab.teachers.graph import KIND

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SILENT = 3
"""onnxruntime's severity from which it writes: errors."""


def onnx_session(path: str, content: bytes) -> Checked[InferenceSession]:
    """A session for the graph in a file that `graph_traits` has looked at.

    Args:
        path: The file, for messages.
        content: All of its bytes.

    Returns:
        The session, or `ExtraMissing`, `TeacherFileBroken`.

    Example:
        >>> from kdtab.errors.issue import explain
        >>> outcome = onnx_session("m.onnx", b"no model")
        >>> explain(outcome.failure().first).startswith(("'m.onnx' cannot be used", "this needs"))
        True
    """
    try:
        import onnxruntime
    except ImportError:
        return fail(ExtraMissing(extra="onnx", package="onnxruntime"))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = 1  # several add up sums in any order
    try:
        session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the runtime has a dozen error classes of its own
        return fail(TeacherFileBroken(path=path, kind=KIND, reason=reason_of(error)))
    return Success(session)
