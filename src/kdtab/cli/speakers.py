"""What a name after `--teacher` stands for, before anything is opened."""

from __future__ import annotations

from pathlib import Path

from kdtab.config.teachers import TEACHER_KINDS

OTHER_TEACHERS = (".onnx", ".skops", ".pkl", ".pickle", ".joblib")


def is_bundle_path(teacher: str) -> bool:
    """Whether it is read as a bundle: whatever has no other reader, and is then refused as one.

    Args:
        teacher: A path, or the name of a kind.

    Returns:
        False for kinds, folders, tables and the files of other libraries.

    Example:
        >>> is_bundle_path("teacher.kdtab"), is_bundle_path("scores.parquet"), is_bundle_path("forest")
        (True, False, False)
    """
    from kdtab.disk.tables import table_suffixes

    if teacher in TEACHER_KINDS or Path(teacher).is_dir():
        return False
    others = (*OTHER_TEACHERS, *table_suffixes())
    is_word = not Path(teacher).suffix and not Path(teacher).exists() and "/" not in teacher
    return not (is_word or teacher.lower().endswith(others))
