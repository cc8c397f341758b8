"""AutoGluon's side of benchmarks/quality/autogluon.py, in AutoGluon's own environment.

    python autogluon_worker.py FOLDER

FOLDER holds `job.json`, `training.csv`, `validation.csv` and `test.csv`. A `TabularPredictor` is
fitted, then distilled once for each method of augmentation. What teacher and students say of the
test rows is written as `said-NAME.csv`, and `report.json` says what each step took. A method that
fails is recorded with its error, and the next one is tried.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found]

STUDENT = "NeuralNetTorch"


def seconds() -> tuple[float, float]:
    """On the clock, and of the processor with all children that have ended."""
    used = os.times()
    return time.perf_counter(), used.user + used.system + used.children_user + used.children_system


def since(began: tuple[float, float]) -> dict[str, Any]:
    """What has gone by on both."""
    wall, cpu = seconds()
    return {"wall": wall - began[0], "cpu": cpu - began[1]}


def write_said(predictor: Any, rows: pd.DataFrame, model: str, path: Path) -> None:
    """Probabilities of the classes, one column each, or values."""
    if predictor.problem_type == "regression":
        predictor.predict(rows, model=model).rename("value").to_csv(path, index=False)
    else:
        predictor.predict_proba(rows, model=model).to_csv(path, index=False)


def described(predictor: Any, name: str) -> dict[str, Any]:
    """The network's size, what it was trained on and for how long."""
    model = predictor._trainer.load_model(name)
    return {
        "model": name,
        "parameters": sum(part.numel() for part in model.model.parameters()),
        "problem_type": model.problem_type,
        "loss": type(model._get_default_loss_function()).__name__,
        "trained": dict(model.params_trained),
        "validation_score": float(predictor.model_info(name)["val_score"]),
    }


def distilled(predictor: Any, job: Mapping[str, Any], method: str) -> list[str]:
    """The names of the students; each call gets arguments of its own, since they are written to."""
    names: list[str] = predictor.distill(
        time_limit=job["distill_seconds"],
        hyperparameters={"NN_TORCH": dict(job["student"])},
        augment_method=method,
        augment_args={"size_factor": 5, "max_size": 100_000},
        models_name_suffix=method,
    )
    return names


def method_report(
    predictor: Any, job: Mapping[str, Any], folder: Path, method: str, test: pd.DataFrame
) -> dict[str, Any]:
    """What one method came to, or how it failed."""
    began = seconds()
    try:
        names = distilled(predictor, job, method)
        spent = since(began)
        [student] = [name for name in names if name.startswith(STUDENT)]
        write_said(predictor, test, student, folder / f"said-{method}.csv")
        return spent | described(predictor, student)
    except Exception as error:  # a failure is a finding here
        first = (str(error).splitlines() or [""])[0]
        return since(began) | {"error": f"{type(error).__name__}: {first}"}


def main(folder: Path) -> None:
    """Fit, distil, and say what was said and what it took."""
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
    best = predictor.model_best
    teacher = {"model": best, "models": predictor.model_names()} | since(began)
    write_said(predictor, test, best, folder / "said-teacher.csv")
    students = {
        method: method_report(predictor, job, folder, method, test) for method in job["methods"]
    }
    report = {"teacher": teacher, "students": students}
    (folder / "report.json").write_text(json.dumps(report, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
