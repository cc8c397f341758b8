"""What a student's run takes from the record of its teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kdtab.record import BundleRecord

# Which column, which rows, which split: what was held out from the teacher stays held out.
INHERITED_TRAINING = ("test_size", "validation_size", "random_seed")
INHERITED_COLUMNS = ("exclude_columns", "date_columns", "missing_markers", "max_categories")


def inherited_fields(teacher: BundleRecord) -> dict[str, object]:
    """What a student takes from its teacher's record when neither flag nor file says otherwise.

    Args:
        teacher: The teacher.

    Returns:
        Values by field name: the target, the columns' treatment and the split.

    Example:
        >>> from kdtab.bundle import to_record
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> inherited_fields(to_record(model.bundle).unwrap())["target_column"]
        'y'
    """
    record = teacher.manifest.provenance
    return {
        "target_column": teacher.manifest.target_column,
        **{
            name: getattr(record.training_config, name)
            for name in INHERITED_TRAINING
            if record.training_config is not None
        },
        **{
            name: getattr(record.column_options, name)
            for name in INHERITED_COLUMNS
            if record.column_options is not None
        },
    }
