"""Configs are typed, closed and frozen."""

from kdtab import ColumnOptions, DistillConfig, ReadOptions, TrainingConfig

config = TrainingConfig(target_column="income", training_mode="tabresnet", task="regression")
reveal_type(config.target_column)  # N: str
reveal_type(config.epochs)  # N: int | None
reveal_type(config.task)  # N: Literal['auto'] | Literal['classification'] | Literal['regression']

TrainingConfig()  # E: call-arg Missing named argument "target_column"
TrainingConfig(target_column="y", training_mode="mlp")  # E: arg-type
TrainingConfig(target_column="y", task="ranking")  # E: arg-type
TrainingConfig(target_column="y", epochs="many")  # E: arg-type
TrainingConfig(target_column="y", epoch=3)  # E: call-arg Unexpected keyword argument "epoch"
config.epochs = 3  # E: misc Property "epochs" defined in "TrainingConfig" is read-only

distill = DistillConfig(temperature=4.0, alpha=0.1, student_hidden_dim=16)
reveal_type(distill.alpha)  # N: float
DistillConfig(temprature=2.0)  # E: call-arg Unexpected keyword argument "temprature"
DistillConfig(alpha="half")  # E: arg-type
distill.alpha = 0.5  # E: misc read-only

options = ColumnOptions(exclude_columns=("id",), date_columns=("born",))
reveal_type(options.exclude_columns)  # N: tuple[str, ...]
options.exclude_columns.append("x")  # E: attr-defined
ColumnOptions(exclude=("id",))  # E: call-arg Unexpected keyword argument "exclude"

ReadOptions(sheet=1)  # E: call-arg Unexpected keyword argument "sheet"
