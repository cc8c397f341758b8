"""kdtab: knowledge distillation for tables.

Every public name lives here and is imported when it is first used, so that `import kdtab` costs
nothing: no torch, no polars.

Example:
    >>> import kdtab
    >>> kdtab.TrainingConfig(target_column="income").training_mode
    'mlp_dense'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kdtab.bundle import Metrics as Metrics
    from kdtab.bundle import ModelBundle as ModelBundle
    from kdtab.config.choice import ChoiceOptions as ChoiceOptions
    from kdtab.config.choice import preset_run as preset_run
    from kdtab.config.columns import ColumnOptions as ColumnOptions
    from kdtab.config.distillation import DistillConfig as DistillConfig
    from kdtab.config.layerpairs import LayerPairSpec as LayerPairSpec
    from kdtab.config.objectives import ObjectiveConfig as ObjectiveConfig
    from kdtab.config.sequences import DistillationConfig as DistillationConfig
    from kdtab.config.sequences import SequenceColumns as SequenceColumns
    from kdtab.config.tables import ReadOptions as ReadOptions
    from kdtab.config.teachers import LabelConfig as LabelConfig
    from kdtab.config.training import TrainingConfig as TrainingConfig
    from kdtab.config.variants import StudentVariant as StudentVariant
    from kdtab.config.variants import variant_grid as variant_grid
    from kdtab.data.softrows import soft_label_rows as soft_label_rows
    from kdtab.disk.tables import read_table as read_table
    from kdtab.distillation_teacher import DistillationTeacher as DistillationTeacher
    from kdtab.errors.issue import Issue as Issue
    from kdtab.errors.issue import Issues as Issues
    from kdtab.errors.issue import explain as explain
    from kdtab.errors.raised import KdtabError as KdtabError
    from kdtab.models.sequences import SequenceBundle as SequenceBundle
    from kdtab.predictor import Predictor as Predictor
    from kdtab.recipes.compare import compare_models as compare_models
    from kdtab.recipes.compare import report_comparison as report_comparison
    from kdtab.recipes.distill import distill_student as distill_student
    from kdtab.recipes.predict import predict_frame as predict_frame
    from kdtab.recipes.quantiles import distill_quantiles as distill_quantiles
    from kdtab.recipes.softlabels import distill_to_estimator as distill_to_estimator
    from kdtab.recipes.students import DistilledStudents as DistilledStudents
    from kdtab.recipes.students import distill_many as distill_many
    from kdtab.recipes.train import train_model as train_model
    from kdtab.report.comparison import Comparison as Comparison
    from kdtab.sequence_models import distill_sequence_model as distill_sequence_model
    from kdtab.sequence_models import load_sequence_model as load_sequence_model
    from kdtab.sequence_models import save_sequence_model as save_sequence_model
    from kdtab.sequence_models import sequence_model as sequence_model
    from kdtab.sequence_models import sequence_states as sequence_states
    from kdtab.sequence_models import train_sequence_model as train_sequence_model
    from kdtab.serialization import load_bundle as load_bundle
    from kdtab.serialization import save_bundle as save_bundle
    from kdtab.shell.assemble import TrainedModel as TrainedModel
    from kdtab.task_modules import FeatureDistillationTask as FeatureDistillationTask
    from kdtab.task_modules import LogitDistillationTask as LogitDistillationTask
    from kdtab.teachers.logodds import BoostedLogOdds as BoostedLogOdds
    from kdtab.teachers.resolve import resolve_teacher as resolve_teacher
    from kdtab.trainer import distill_model_from_file as distill_model_from_file
    from kdtab.trainer import predict_rows as predict_rows
    from kdtab.trainer import train_model_from_file as train_model_from_file
    from kdtab.trajectories import generate_teacher_trajectories as generate_teacher_trajectories
    from kdtab.trajectories import validate_distillation_dataset as validate_distillation_dataset

_HOMES = {
    "BoostedLogOdds": "kdtab.teachers.logodds",
    "ChoiceOptions": "kdtab.config.choice",
    "ColumnOptions": "kdtab.config.columns",
    "Comparison": "kdtab.report.comparison",
    "DistillConfig": "kdtab.config.distillation",
    "DistillationConfig": "kdtab.config.sequences",
    "DistillationTeacher": "kdtab.distillation_teacher",
    "DistilledStudents": "kdtab.recipes.students",
    "FeatureDistillationTask": "kdtab.task_modules",
    "Issue": "kdtab.errors.issue",
    "Issues": "kdtab.errors.issue",
    "KdtabError": "kdtab.errors.raised",
    "LabelConfig": "kdtab.config.teachers",
    "LayerPairSpec": "kdtab.config.layerpairs",
    "LogitDistillationTask": "kdtab.task_modules",
    "Metrics": "kdtab.bundle",
    "ModelBundle": "kdtab.bundle",
    "ObjectiveConfig": "kdtab.config.objectives",
    "Predictor": "kdtab.predictor",
    "ReadOptions": "kdtab.config.tables",
    "SequenceBundle": "kdtab.models.sequences",
    "SequenceColumns": "kdtab.config.sequences",
    "StudentVariant": "kdtab.config.variants",
    "TrainedModel": "kdtab.shell.assemble",
    "TrainingConfig": "kdtab.config.training",
    "compare_models": "kdtab.recipes.compare",
    "distill_many": "kdtab.recipes.students",
    "distill_model_from_file": "kdtab.trainer",
    "distill_quantiles": "kdtab.recipes.quantiles",
    "distill_sequence_model": "kdtab.sequence_models",
    "distill_student": "kdtab.recipes.distill",
    "distill_to_estimator": "kdtab.recipes.softlabels",
    "explain": "kdtab.errors.issue",
    "generate_teacher_trajectories": "kdtab.trajectories",
    "load_bundle": "kdtab.serialization",
    "load_sequence_model": "kdtab.sequence_models",
    "predict_frame": "kdtab.recipes.predict",
    "predict_rows": "kdtab.trainer",
    "preset_run": "kdtab.config.choice",
    "read_table": "kdtab.disk.tables",
    "report_comparison": "kdtab.recipes.compare",
    "resolve_teacher": "kdtab.teachers.resolve",
    "save_bundle": "kdtab.serialization",
    "save_sequence_model": "kdtab.sequence_models",
    "sequence_model": "kdtab.sequence_models",
    "sequence_states": "kdtab.sequence_models",
    "soft_label_rows": "kdtab.data.softrows",
    "train_model": "kdtab.recipes.train",
    "train_model_from_file": "kdtab.trainer",
    "train_sequence_model": "kdtab.sequence_models",
    "validate_distillation_dataset": "kdtab.trajectories",
    "variant_grid": "kdtab.config.variants",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of text, computed from the one table of names


if not TYPE_CHECKING:  # a type checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module 'kdtab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
