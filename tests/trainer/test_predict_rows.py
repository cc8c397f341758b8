"""`predict_rows`: raw rows of any kind to decoded predictions."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from clients import (
    DATES,
    FEATURES,
    client_frame,
    clients,
    config_for,
    features_of,
    own_teacher,
    teacher_of,
)
from kdtab.data.artifacts import encode_features
from kdtab.data.coerce import frame_from_rows
from kdtab.errors.raised import KdtabError
from kdtab.recipes.train import train_model
from kdtab.trainer import predict_rows
from spies import weights

REGRESSION = "regression"
MISSING: list[object] = [
    None, float("nan"), math.inf, -math.inf, "", "  ", "nan", "NaN", "NA", "n/a", "None", "null", ".", "?", "unreadable",
]  # fmt: skip


def values(rows: Sequence[Mapping[str, object]], **changes: object) -> list[float]:
    """Prices of the shared regression model, or of a changed one."""
    bundle = replace(teacher_of(REGRESSION), **changes)  # type: ignore[arg-type]  # by name
    return [float(value) for value in predict_rows(bundle, rows, device="cpu")]


@pytest.mark.requirement("REQ-T17", "AC-T17")
@pytest.mark.parametrize("task", ["classification", REGRESSION])
@pytest.mark.parametrize("nothing", [[], ()])
def test_no_rows_give_no_predictions(task: str, nothing: Sequence[Mapping[str, object]]) -> None:
    found = predict_rows(teacher_of(task), nothing)
    assert found == []
    assert type(found) is list


@pytest.mark.requirement("REQ-T17")
def test_for_no_rows_nothing_else_is_looked_at() -> None:
    assert predict_rows(None, [], device="banana") == []  # type: ignore[arg-type]  # never used


@pytest.mark.requirement("REQ-T17")
@pytest.mark.parametrize("task", ["classification", REGRESSION])
def test_a_frame_without_rows_gives_no_predictions(task: str) -> None:
    assert predict_rows(teacher_of(task), client_frame(task).clear()) == []
    assert predict_rows(teacher_of(task), client_frame(task).to_pandas().iloc[:0]) == []


def medians() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Recognisable ones: an age of 71 and 88.5 spent, at a fixed date."""
    bundle = teacher_of(REGRESSION)
    found = np.array(bundle.feature_medians)
    found[bundle.vectorizer.feature_names.index("age")] = 71.0
    found[bundle.vectorizer.feature_names.index("spent")] = 88.5
    found[bundle.vectorizer.feature_names.index("member")] = 1.0
    return found


@pytest.mark.requirement("REQ-T18", "AC-T18")
@pytest.mark.parametrize("cell", MISSING)
def test_a_missing_cell_is_the_bundles_median_and_not_zero(cell: object) -> None:
    row: dict[str, object] = dict(features_of(clients())[0])
    known = row | {"age": 71, "spent": 88.5, "member": True}
    gaps = row | {"age": cell, "spent": cell, "member": cell}
    zeros = row | {"age": 0, "spent": 0, "member": False}
    told, found, zero = values([known, gaps, zeros], feature_medians=medians())
    assert found == pytest.approx(told, rel=1e-7)
    assert abs(zero - told) > 1e-3


@pytest.mark.requirement("REQ-T18", "AC-T18")
def test_an_absent_key_and_an_absent_column_are_missing_and_not_zero() -> None:
    row: dict[str, object] = dict(features_of(clients())[0])
    absent = {name: cell for name, cell in row.items() if name not in ("age", "spent", "member")}
    (told,) = values([row | {"age": 71, "spent": 88.5, "member": True}], feature_medians=medians())
    assert values([absent], feature_medians=medians()) == [pytest.approx(told, rel=1e-7)]
    beside = values([absent, row], feature_medians=medians())
    assert beside[0] == pytest.approx(told, rel=1e-6)


@pytest.mark.requirement("REQ-T18", "AC-T18")
def test_a_row_of_gaps_is_encoded_as_the_scaled_medians() -> None:
    artifacts = replace(teacher_of(REGRESSION).artifacts, feature_medians=medians())
    (found,) = encode_features(frame_from_rows([{}], FEATURES), artifacts)
    expected = (medians() - artifacts.scaler.mean) / artifacts.scaler.scale
    categories = artifacts.vectorizer.indicators
    np.testing.assert_allclose(found[~categories], expected[~categories], rtol=1e-6)


@pytest.mark.requirement("EC-T03", "REQ-T18")
@pytest.mark.parametrize("shape", [(1,), (0,), (500,), (1, 25)])
def test_medians_of_another_shape_fill_with_zeros(shape: tuple[int, ...]) -> None:
    row: dict[str, object] = dict(features_of(clients())[0])
    gaps = row | {"age": None, "spent": None}
    zeros = row | {"age": 0, "spent": 0}
    found, zero = values([gaps, zeros], feature_medians=np.full(shape, 7.0))
    assert found == pytest.approx(zero, rel=1e-7)
    assert values([gaps], feature_medians=None) == [pytest.approx(zero, rel=1e-6)]
    assert abs(values([gaps])[0] - zero) > 1e-3


@pytest.mark.requirement("AC-T02", "REQ-T02")
@pytest.mark.parametrize("blank", [None, "", "?", "nan", float("nan")])
def test_a_blank_date_is_missing_and_never_year_zero(blank: object) -> None:
    bundle = teacher_of(REGRESSION)
    row: dict[str, object] = dict(features_of(clients())[0])
    absent = {name: cell for name, cell in row.items() if name != "joined"}
    assert values([row | {"joined": blank}]) == values([absent])
    (encoded,) = encode_features(
        frame_from_rows([row | {"joined": blank}], FEATURES), bundle.artifacts
    )
    dates = [
        at for at, name in enumerate(bundle.vectorizer.feature_names) if name.startswith("joined__")
    ]
    assert bundle.feature_medians is not None
    expected = (bundle.feature_medians - bundle.scaler.mean) / bundle.scaler.scale
    np.testing.assert_allclose(encoded[dates], expected[dates], rtol=1e-6)


@pytest.mark.requirement("AC-T02", "REQ-T02", "REQ-T18")
def test_dates_are_expanded_in_prediction_as_in_training() -> None:
    row: dict[str, object] = dict(features_of(clients())[0])
    early, late, typed, garbled, blank = values(
        [
            row | {"joined": "2011-01-31"},
            row | {"joined": "2017-11-02"},
            row | {"joined": date(2017, 11, 2)},
            row | {"joined": "the other day"},
            row | {"joined": ""},
        ]
    )
    assert abs(early - late) > 1e-3
    assert typed == pytest.approx(late, rel=1e-7)
    assert garbled == pytest.approx(blank, rel=1e-7)


def test_true_in_every_spelling_is_one_value() -> None:
    row: dict[str, object] = dict(features_of(clients())[0])
    spellings: list[object] = [True, "True", "true", "TRUE", " true ", 1, 1.0, "1", np.bool_(True)]
    found = values([row | {"member": cell} for cell in spellings])
    assert found == [pytest.approx(found[0], rel=1e-7)] * len(spellings)
    assert abs(values([row | {"member": False}])[0] - found[0]) > 1e-3


def test_codes_with_leading_zeros_are_not_numbers() -> None:
    rows: list[dict[str, object]] = [dict(row) for row in features_of(clients())[:1]]
    kept, number = values([rows[0] | {"code": "001"}, rows[0] | {"code": 1}])
    assert abs(kept - number) > 1e-3


@pytest.mark.requirement("REQ-T19", "AC-T19")
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_the_model_predicts_in_eval_mode_without_gradients_and_is_left_as_it_was(mode: str) -> None:
    bundle = own_teacher()
    expected = predict_rows(bundle, clients())
    bundle.model.train(mode == "train")
    seen: list[tuple[bool, bool]] = []

    def on_forward(module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        trains = any(part.training for part in module.modules())
        seen.append((trains, torch.is_grad_enabled() or outputs.requires_grad))

    bundle.model.register_forward_hook(on_forward)
    before = weights(bundle.model)
    assert predict_rows(bundle, clients()) == expected
    assert set(seen) == {(False, False)}
    assert all(module.training == (mode == "train") for module in bundle.model.modules())
    assert weights(bundle.model) == before


@pytest.mark.requirement("REQ-T19")
def test_a_device_that_is_not_there_is_an_error_that_says_so() -> None:
    with pytest.raises(KdtabError, match="device 'cuda:99' cannot be used"):
        predict_rows(teacher_of(), clients(), device="cuda:99")
    with pytest.raises(KdtabError, match=r"device '3\.5' cannot be used"):
        predict_rows(teacher_of(), clients(), device=3.5)  # type: ignore[arg-type]  # a number


@pytest.mark.requirement("REQ-T20", "AC-T20")
def test_classes_are_labels_decoded_from_the_highest_logit() -> None:
    bundle = teacher_of()
    said = predict_rows(bundle, clients())
    inputs = torch.from_numpy(encode_features(client_frame(), bundle.artifacts))
    with torch.no_grad():
        codes = bundle.model(inputs).argmax(dim=1).tolist()
    assert said == [("no", "yes")[code] for code in codes]
    assert {type(label) for label in said} == {str}
    assert set(said) == {"no", "yes"}


@pytest.mark.requirement("REQ-T20", "AC-T20")
def test_numeric_classes_are_texts_too() -> None:
    frame = client_frame().with_columns(bought=pl.Series([float(at % 3) for at in range(80)]))
    bundle = train_model(frame, config_for(), columns=DATES).unwrap().bundle
    said = predict_rows(bundle, clients())
    assert set(map(type, said)) == {str}
    assert set(said) <= {"0", "1", "2"}


@pytest.mark.requirement("REQ-T20")
def test_a_classification_without_its_encoder_is_an_error() -> None:
    with pytest.raises(ValueError, match="label encoder"):
        predict_rows(replace(teacher_of(), label_encoder=None), clients())


@pytest.mark.requirement("REQ-T21", "AC-T21")
def test_values_are_floats_in_the_targets_unit() -> None:
    bundle = teacher_of(REGRESSION)
    assert bundle.target_scaler is not None
    said = predict_rows(bundle, clients())
    assert {type(value) for value in said} == {float}
    inputs = torch.from_numpy(encode_features(client_frame(REGRESSION), bundle.artifacts))
    with torch.no_grad():
        raw = bundle.model(inputs).squeeze(1).double().numpy()
    expected = raw * bundle.target_scaler.scale + bundle.target_scaler.mean
    np.testing.assert_allclose(np.array(said, dtype=np.float64), expected, rtol=1e-12)
    assert 250 < min(map(float, said)) < max(map(float, said)) < 600


@pytest.mark.requirement("REQ-T21")
def test_without_target_scaler_the_raw_outputs_come_back() -> None:
    bundle = teacher_of(REGRESSION)
    said = values(clients(), target_scaler=None)
    inputs = torch.from_numpy(encode_features(client_frame(REGRESSION), bundle.artifacts))
    with torch.no_grad():
        assert said == bundle.model(inputs).squeeze(1).tolist()


@pytest.mark.requirement("INV-T04")
def test_rows_are_never_changed() -> None:
    rows: list[dict[str, object]] = [
        {"age": None, "city": "Bern", "extra": [1, {"deep": [2]}]},
        {"age": "?", "joined": " 2011-01-31 ", "member": "TRUE"},
        {},
        dict(features_of(clients())[3]),
    ]
    before, cells = copy.deepcopy(rows), [list(map(id, row.values())) for row in rows]
    identities = list(map(id, rows))
    predict_rows(teacher_of(), rows)
    assert rows == before
    assert [list(row) for row in rows] == [list(row) for row in before]
    assert [list(map(id, row.values())) for row in rows] == cells
    assert list(map(id, rows)) == identities


@pytest.mark.requirement("INV-T04")
def test_frames_are_never_changed() -> None:
    polars, pandas = client_frame(), client_frame().to_pandas()
    predict_rows(teacher_of(), polars)
    predict_rows(teacher_of(), pandas)
    assert polars.equals(client_frame())
    pd.testing.assert_frame_equal(pandas, client_frame().to_pandas())


def test_dicts_and_frames_of_every_library_give_the_same_answers() -> None:
    rows, frame = features_of(clients()), client_frame()
    expected = predict_rows(teacher_of(), rows)
    forms: list[object] = [tuple(rows), frame, frame.to_pandas(), frame.to_arrow()]
    for form in forms:
        assert predict_rows(teacher_of(), form) == expected


@pytest.mark.parametrize(
    "cell",
    [
        [1, 2],
        {"a": 1},
        b"bytes",
        10**40,
        "\x00",
        "😀",
        "\ud800",
        object,
        complex(1, 2),
        date(2020, 1, 1),
        1e308,
    ],
)
@pytest.mark.parametrize("name", FEATURES)
def test_any_cell_gives_a_prediction(name: str, cell: object) -> None:
    row: dict[str, object] = dict(features_of(clients())[0])
    (found,) = values([row | {name: cell}])
    assert math.isfinite(found)


@pytest.mark.parametrize(
    "rows",
    ["", "age=3", {"age": 3}, 7, [1, 2], [["age", 3]], pl.Series("age", [3]), pd.Series([3])],
)
def test_what_is_no_rows_is_a_type_error(rows: object) -> None:
    with pytest.raises(TypeError):
        predict_rows(teacher_of(), rows)
