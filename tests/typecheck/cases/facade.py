"""The lazy facade is as closed as a plain module."""

import kdtab
from kdtab import no_such_name  # E: attr-defined

reveal_type(kdtab.TrainingConfig(target_column="y"))  # N: kdtab.config.training.TrainingConfig
kdtab.no_such_name  # E: attr-defined
