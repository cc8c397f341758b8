"""The door `kdtab.Predictor`: loading, errors, threads, pickles, and no torch."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

import kdtab
from clients import client_frame, clients, features_of, teacher_of
from kdtab.bundle import to_record
from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.disk.bundles import write_record
from kdtab.errors.raised import KdtabError
from kdtab.models.build import build_model
from kdtab.models.weights import weight_arrays
from kdtab.predictor import Predictor
from kdtab.record import WEIGHTS, BundleRecord, form_of
from kdtab.serving.networks import network_forms
from kdtab.trainer import load_bundle, predict_rows, save_bundle

TASKS = ("classification", "regression")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.kdtab"
    save_bundle(teacher_of(), file)
    return file


@pytest.mark.parametrize("task", TASKS)
def test_a_trained_model_predicts_as_it_did(task: str, tmp_path: Path) -> None:
    file, bundle, rows = tmp_path / "model.kdtab", teacher_of(task), features_of(clients())
    save_bundle(bundle, file)
    predictor, expected = Predictor.load(file), predict_rows(bundle, rows, "cpu")
    frame = client_frame(task)
    forms: list[object] = [rows, tuple(rows), frame, frame.to_pandas(), frame.to_arrow()]
    for form in forms:
        told = predictor.predict_rows(form)
        assert [type(answer) for answer in told] == [type(answer) for answer in expected]
        if task == "regression":
            np.testing.assert_allclose(np.array(told, float), np.array(expected, float), rtol=1e-6)
        else:
            assert told == expected
    assert [predictor.predict_row(row) for row in rows[:9]] == predictor.predict_rows(rows[:9])


def test_probabilities_of_a_row_are_those_of_a_frame(path: Path) -> None:
    predictor, frame = Predictor.load(path), client_frame()
    shares = predictor.predict_frame(frame).drop("prediction")
    for row, expected in zip(features_of(clients()), shares.rows(), strict=True):
        told = predictor.probabilities(row)
        assert list(told) == ["no", "yes"]
        assert list(told.values()) == pytest.approx(list(expected), abs=1e-6)
        assert sum(told.values()) == pytest.approx(1.0, abs=1e-12)


def test_a_regression_has_no_probabilities() -> None:
    predictor = Predictor.from_record(to_record(teacher_of("regression")).unwrap())
    assert predictor.probabilities({"age": 3}) == {}


WITHOUT_TORCH = """
import sys
import polars as pl
import kdtab

predictor = kdtab.Predictor.load(sys.argv[1])
row = {"age": 40, "city": "Bern", "joined": "2011-01-31", "member": "True", "spent": [1]}
predictor.predict_row(row), predictor.probabilities(row), predictor.predict_rows([row] * 100)
predictor.predict_frame(pl.DataFrame([{"age": 40, "city": "Bern"}] * 100))
heavy = {"torch", "scipy", "sklearn", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def test_loading_and_predicting_loads_no_torch(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, path], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_the_command_predicts_without_torch(path: Path) -> None:
    client_frame().write_csv(path.with_name("clients.csv"))
    arguments = ["predict", "clients.csv", "-m", path.name, "--probabilities", "-o", "out.csv"]
    code = (
        f"import sys\nfrom kdtab.cli.main import main\nassert main({arguments!r}) == 0\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'pandas'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=path.parent, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    told = pl.read_csv(path.with_name("out.csv"))
    expected = kdtab.predict_frame(teacher_of(), client_frame(), "cpu").unwrap()
    assert told["prediction"].to_list() == expected["prediction"].to_list()
    np.testing.assert_allclose(
        told.drop("prediction").to_numpy(), expected.drop("prediction").to_numpy(), atol=1e-6
    )


def test_the_command_takes_torch_for_a_device_that_needs_it(path: Path) -> None:
    from cli.conftest import kdtab as command

    client_frame().write_csv(path.with_name("clients.csv"))
    run = command(
        "predict", "clients.csv", "-m", path.name, "--device", "banana", folder=path.parent
    )
    assert run.code == 2
    assert "torch knows no device of this name" in run.err


def test_it_is_frozen_and_says_what_it_is(path: Path) -> None:
    predictor = Predictor.load(path)
    with pytest.raises(FrozenInstanceError):
        predictor.model = None  # type: ignore[misc, assignment]  # which is the point
    assert repr(predictor) == "Predictor(classification of 'bought')"
    assert kdtab.Predictor is Predictor


@pytest.mark.parametrize("twin", [lambda p: pickle.loads(pickle.dumps(p)), copy.deepcopy])
def test_it_travels_as_its_bundle(twin: object, path: Path) -> None:
    assert callable(twin)
    predictor, frame = Predictor.load(path), client_frame()
    other = twin(predictor)
    assert other.record == predictor.record
    assert other.predict_frame(frame).equals(predictor.predict_frame(frame))


def test_a_pickle_holds_the_bundle_and_little_else(path: Path) -> None:
    assert len(pickle.dumps(Predictor.load(path))) < path.stat().st_size + 300


def test_threads_may_share_it(path: Path) -> None:
    predictor, rows = Predictor.load(path), features_of(clients())
    expected = [predictor.probabilities(row) for row in rows]
    frame = pl.concat([client_frame()] * 20)
    whole = predictor.predict_frame(frame)

    def serve(_: int) -> tuple[list[dict[str, float]], pl.DataFrame]:
        return [predictor.probabilities(row) for row in rows], predictor.predict_frame(frame)

    with ThreadPoolExecutor(4) as pool:
        for told, predicted in pool.map(serve, range(12)):
            assert told == expected
            assert predicted.equals(whole)


def broken(name: Literal["missing", "foreign", "cut", "flipped", "weights"], path: Path) -> Path:
    content = path.read_bytes()
    if name == "missing":
        return path.with_name("no such file")
    if name == "weights":
        record = to_record(teacher_of()).unwrap()
        arrays = {**record.arrays, "weights/head.bias": np.zeros(7, np.float32)}
        write_record(path, BundleRecord(record.manifest, arrays)).unwrap()
    else:
        flipped = content[:-1] + bytes([content[-1] ^ 1])
        changed = {"foreign": b"PK\x05\x06", "cut": content[:-9], "flipped": flipped}
        path.write_bytes(changed[name])
    return path


@pytest.mark.requirement("REQ-T22")
@pytest.mark.parametrize("name", ["missing", "foreign", "cut", "flipped", "weights"])
def test_what_cannot_be_loaded_is_refused_as_load_bundle_does(
    name: Literal["missing", "foreign", "cut", "flipped", "weights"], path: Path
) -> None:
    file = broken(name, path)
    with pytest.raises(KdtabError) as expected:
        load_bundle(file)
    with pytest.raises(KdtabError) as found:
        Predictor.load(file)
    assert found.type is expected.type
    assert found.value.issues == expected.value.issues


SPECS: list[NetworkSpec] = [
    LinearSpec(input_dim=3, output_dim=2),
    MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.0),
    MlpSpec(input_dim=3, output_dim=1, hidden_dim=5, num_hidden_layers=3, dropout=0.1),
    TabResNetSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.1),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.kind))
def test_the_forms_of_a_network_are_those_of_torch(spec: NetworkSpec) -> None:
    arrays = weight_arrays(build_model(spec))
    expected = {name: form_of(array) for name, array in arrays.items()}
    assert network_forms(spec) == expected
    assert all(name.startswith(WEIGHTS) for name in expected)


def without_encoder() -> Predictor:
    return Predictor.from_record(to_record(replace(teacher_of(), label_encoder=None)).unwrap())


@pytest.mark.requirement("REQ-T20")
def test_a_classification_without_its_encoder_is_an_error() -> None:
    predictor, frame = without_encoder(), client_frame()
    for ask in (
        lambda: predictor.predict_rows(features_of(clients())),
        lambda: predictor.predict_rows(frame),
        lambda: predictor.predict_row({}),
        lambda: predictor.probabilities({}),
        lambda: predictor.predict_frame(frame),
    ):
        with pytest.raises(ValueError, match="label encoder"):
            ask()
    assert predictor.outputs(frame).shape == (frame.height, 2)


@pytest.mark.requirement("REQ-T17", "AC-T17")
@pytest.mark.parametrize("task", TASKS)
def test_no_rows_give_no_predictions(task: str) -> None:
    predictor = Predictor.from_record(to_record(teacher_of(task)).unwrap())
    frame = client_frame(task).clear()
    nothings: list[object] = [[], (), frame, frame.to_pandas()]
    for nothing in nothings:
        assert predictor.predict_rows(nothing) == []


@pytest.mark.parametrize("rows", ["", "age=3", {"age": 3}, 7, [1, 2], [["age", 3]], pl.Series([3])])
def test_what_is_no_rows_is_a_type_error(rows: object, path: Path) -> None:
    predictor = Predictor.load(path)
    with pytest.raises(KdtabError) as expected:
        predict_rows(teacher_of(), rows)
    with pytest.raises(TypeError) as found:
        predictor.predict_rows(rows)
    assert str(found.value) == str(expected.value)


def test_a_row_that_is_none_is_a_type_error(path: Path) -> None:
    with pytest.raises(TypeError, match="list"):
        Predictor.load(path).predict_row([("age", 3)])  # type: ignore[arg-type]  # no mapping


@pytest.mark.requirement("INV-T04")
def test_rows_are_never_changed(path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"age": None, "city": "Bern", "extra": [1, {"deep": [2]}]},
        {"age": "?", "joined": " 2011-01-31 ", "member": "TRUE", "city": {"a": []}},
        {},
    ]
    before = copy.deepcopy(rows)
    predictor = Predictor.load(path)
    predictor.predict_rows(rows)
    for row in rows:
        predictor.predict_row(row)
    assert rows == before
    assert [list(row) for row in rows] == [list(row) for row in before]
