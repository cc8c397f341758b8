"""AutoGluon's side of benchmarks/quality/autogluon.py, in AutoGluon's own environment.

    python autogluon_worker.py FOLDER

FOLDER holds `job.json`, `training.csv`, `validation.csv` and `test.csv`. A `TabularPredictor` is
fitted, then distilled once for each method of augmentation. What teacher and students say of the
test rows is written as `said-NAME.csv`, and `report.json` says what each step took. A method that
fails is recorded with its error, and the next one is tried.
"""

import json
import os
import sys
import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

STUDENT = "NeuralNetTorch"


def seconds():
    """On the clock, and of the processor with all children that have ended."""
    used = os.times()
    return time.perf_counter(), used.user + used.system + used.children_user + used.children_system


def since(began):
    return dict(zip(("wall", "cpu"), (now - then for now, then in zip(seconds(), began))))


def said(predictor, rows, name):
    """Probabilities of the classes, one column each, or values."""
    if predictor.problem_type == "regression":
        return predictor.predict(rows, model=name).rename("value").to_frame()
    return predictor.predict_proba(rows, model=name)


def describe(predictor, name):
    """The network's size and how long it was trained."""
    model = predictor._trainer.load_model(name)
    weights = sum(part.numel() for part in model.model.parameters())
    return {
        "model": name,
        "parameters": weights,
        "problem_type": model.problem_type,
        "loss": type(model._get_default_loss_function()).__name__,
        "trained": {key: value for key, value in model.params_trained.items()},
        "validation_score": float(predictor.model_info(name)["val_score"]),
    }


def distilled(predictor, job, method):
    """The names that AutoGluon gives its students; each call gets arguments of its own."""
    return predictor.distill(
        time_limit=job["distill_seconds"],
        hyperparameters={"NN_TORCH": dict(job["student"])},
        augment_method=method,
        augment_args={"size_factor": 5, "max_size": 100_000},
        models_name_suffix=method,
    )


def method_report(predictor, job, folder, method, test):
    began = seconds()
    try:
        names = distilled(predictor, job, method)
        report = since(began)
        [student] = [name for name in names if name.startswith(STUDENT)]
        said(predictor, test, student).to_csv(folder / f"said-{method}.csv", index=False)
        return report | describe(predictor, student)
    except Exception as error:  # a failure is a finding here
        first = (str(error).splitlines() or [""])[0]
        return since(began) | {"error": f"{type(error).__name__}: {first}"}


def main(folder):
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    training, validation, test = (
        pd.read_csv(folder / f"{name}.csv") for name in ("training", "validation", "test")
    )
    began = seconds()
    predictor = TabularPredictor(
        label=job["target"],
        problem_type=job["problem_type"],
        eval_metric=job["metric"],
        path=str(folder / "models"),
    )
    predictor.fit(
        training,
        tuning_data=validation,
        presets="medium_quality",
        time_limit=job["fit_seconds"],
        num_cpus=1,
        num_gpus=0,
    )
    teacher = {"model": predictor.model_best, "models": predictor.model_names()} | since(began)
    said(predictor, test, predictor.model_best).to_csv(folder / "said-teacher.csv", index=False)
    students = {
        method: method_report(predictor, job, folder, method, test) for method in job["methods"]
    }
    report = {"teacher": teacher, "students": students}
    (folder / "report.json").write_text(json.dumps(report, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
