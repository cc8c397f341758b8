"""The teacher of time series in a file, whatever it was saved as."""

from __future__ import annotations

import os
from pathlib import Path

from kdtab.config.sequences import Backend
from kdtab.disk.hdf5 import SIGNATURE, file_opening
from kdtab.disk.signatures import describe_foreign
from kdtab.errors.sequenceteachers import SequenceTeacherForeign
from kdtab.results import Checked, fail
from kdtab.teachers.sequencebundle import bundle_sequence_teacher
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo
from kdtab.teachers.sequenceonnx import onnx_sequence_teacher
from kdtab.teachers.sequencerecorded import recorded_sequence_teacher
from kdtab.teachers.sequenceteacher import SequenceTeacher, asked_states

__all__ = ["SequenceTeacher", "SequenceTeacherInfo", "asked_states", "sequence_teacher"]

FOREIGN = {
    ".pt": "a torch file, by its suffix",
    ".pth": "a torch file, by its suffix",
    ".ckpt": "a torch file, by its suffix",
    ".pt2": "an exported torch program, by its suffix",
    ".pkl": "a pickle, by its suffix",
    ".pickle": "a pickle, by its suffix",
    ".joblib": "a pickle, by its suffix",
}


def sequence_teacher(
    path: str | os.PathLike[str], backend: Backend = "torch"
) -> Checked[SequenceTeacher]:
    """The teacher in a file, which is known by its content: `teacher.soen` is a name like any.

    Args:
        path: A sequence bundle; an ONNX graph (suffix `.onnx`); or recorded trajectories, an HDF5
            file with data and labels.
        backend: With what a bundle is computed; the others do not depend on it.

    Returns:
        The teacher; or `SequenceTeacherForeign` for torch files and pickles, which are never
        opened, `NotSequenceBundle`, and the issues of the reader.

    Example:
        >>> sequence_teacher("no such file.soen").failure().first
        FileMissing(path='no such file.soen')
    """
    named = os.fspath(path)
    return file_opening(named).bind(lambda opening: _by_content(named, opening, backend))


def _by_content(path: str, opening: bytes, backend: Backend) -> Checked[SequenceTeacher]:
    suffix = Path(path).suffix.lower()
    if opening.startswith(SIGNATURE):
        return recorded_sequence_teacher(path).map(_teacher)
    if suffix == ".onnx":
        return onnx_sequence_teacher(path).map(_teacher)
    if opening[8:9] == b"{":  # safetensors: the length of the header, then the header
        return _from_bundle(path, backend)
    found = FOREIGN.get(suffix, describe_foreign(opening))
    return fail(SequenceTeacherForeign(path=path, found=found))


def _from_bundle(path: str, backend: Backend) -> Checked[SequenceTeacher]:
    return bundle_sequence_teacher(path, backend).map(_teacher)


def _teacher(teacher: SequenceTeacher) -> SequenceTeacher:
    return teacher
