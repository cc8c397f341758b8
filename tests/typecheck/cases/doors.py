"""The file-level functions, as seen from a user's editor."""

from pathlib import Path

from kdtab.trainer import (
    Metrics,
    ModelBundle,
    TrainingConfig,
    distill_model_from_file,
    load_bundle,
    predict_rows,
    save_bundle,
    train_model_from_file,
)

config = TrainingConfig(target_column="income")

teacher, metrics = train_model_from_file("adult.csv", config)
reveal_type(teacher)  # N: kdtab.bundle.ModelBundle
reveal_type(metrics)  # N: kdtab.bundle.Metrics
train_model_from_file(Path("adult.csv"), config, exclude_columns=["id"], device="cpu")
train_model_from_file("adult.csv", "income")  # E: arg-type
train_model_from_file("adult.csv")  # E: call-arg
train_model_from_file("adult.csv", config, epochs=3)  # E: call-arg

pair: tuple[ModelBundle, Metrics] = distill_model_from_file(
    "adult.csv", config, teacher_bundle=teacher, temperature=2.5, alpha=0.5
)
distill_model_from_file("adult.csv", config, teacher_bundle="teacher.kdtab")  # E: arg-type
distill_model_from_file("adult.csv", config, teacher_path="teacher.kdtab", student_hidden_dim=8)
distill_model_from_file("adult.csv", config, temperature="warm")  # E: arg-type

save_bundle(teacher, "teacher.kdtab")
save_bundle("teacher.kdtab", teacher)  # E: arg-type
reveal_type(load_bundle("teacher.kdtab"))  # N: kdtab.bundle.ModelBundle
reveal_type(save_bundle(teacher, Path("teacher.kdtab")))  # N: None
predict_rows(teacher, [{"age": 39, "workclass": "Private"}])
predict_rows("teacher.kdtab", [{"age": 39}])  # E: arg-type

metrics.test_loss = 0.0  # E: misc read-only
teacher.task = "regression"  # E: misc read-only
teacher.weights  # E: attr-defined
metrics.accuracy  # E: attr-defined
