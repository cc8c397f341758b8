"""Config files and fields that must be refused, each with its sentence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from kdtab.cli.fields import parsed_run
from kdtab.config.run import DistillRun, parse_run
from kdtab.errors.issue import explain

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ntarget_column: y\n"

FILES: dict[str, tuple[str, str | bytes, str]] = {
    "a suffix of another format": (
        "run.ini",
        "epochs=3",
        "cannot read the config file 'run.ini': its name must end in .toml, .yaml or .yml",
    ),
    "more than 64 KiB": (
        "run.toml",
        "#" * 65_537,
        "cannot read the config file 'run.toml': it is larger than 64 KiB",
    ),
    "bytes that are not UTF-8": (
        "run.toml",
        b"epochs = 3\ntarget_column = '\xff'\n",
        "config file 'run.toml', line 2: byte 28 is not UTF-8: save the file as UTF-8",
    ),
    "UTF-16": (
        "run.yaml",
        "epochs: 3".encode("utf-16"),
        "config file 'run.yaml', line 1: byte 0 is not UTF-8: save the file as UTF-8",
    ),
    "a NUL byte": (
        "run.yaml",
        "target_column: a\0b",
        "config file 'run.yaml': unacceptable character #x0000: special characters are not allowed",
    ),
    "a duplicate key in YAML": (
        "run.yaml",
        "epochs: 3\nepochs: 4\n",
        'config file \'run.yaml\', line 2: found duplicate key "epochs" with value "4" '
        '(original value: "3")',
    ),
    "a duplicate key in TOML": (
        "run.toml",
        "epochs = 3\nepochs = 4\n",
        "config file 'run.toml', line 2: cannot overwrite a value",
    ),
    "a tag that asks for a Python object": (
        "run.yaml",
        "target_column: !!python/object/apply:os.system [id]\n",
        "config file 'run.yaml', line 1: tags are refused, found "
        "'tag:yaml.org,2002:python/object/apply:os.system'",
    ),
    "a harmless tag": (
        "run.yaml",
        "epochs: 3\ntarget_column: !!str 5\n",
        "config file 'run.yaml', line 2: tags are refused, found 'tag:yaml.org,2002:str'",
    ),
    "a bomb of aliases": (
        "run.yaml",
        BOMB,
        "config file 'run.yaml', line 1: anchors (&) and aliases (*) are refused: write the "
        "value out",
    ),
    "a directive that asks for YAML 1.1": (
        "run.yaml",
        "%YAML 1.1\n---\ntarget_column: no\n",
        "config file 'run.yaml', line 2: directives (lines that start with %) are refused",
    ),
    "two documents": (
        "run.yaml",
        "epochs: 3\n---\nepochs: 4\n",
        "config file 'run.yaml', line 2: a second document starts here: only one is read",
    ),
    "a list": (
        "run.yaml",
        "- epochs\n- 3\n",
        "config file 'run.yaml': it holds a list, not `name: value` lines",
    ),
    "a single value": (
        "run.yaml",
        "epochs\n",
        "config file 'run.yaml': it holds a single value, not `name: value` lines",
    ),
    "a key that is no text": (
        "run.yaml",
        "3: epochs\n",
        "config file 'run.yaml': the key 3 is not a text: field names are texts",
    ),
    "a key that is a list": (
        "run.yaml",
        "? [epochs]\n: 3\n",
        "config file 'run.yaml': the key ('epochs',) is not a text: field names are texts",
    ),
    "a tab for a blank": (
        "run.yaml",
        "exclude_columns:\n\t- id\n",
        "config file 'run.yaml', line 2: found character '\\t' that cannot start any token",
    ),
    "an open bracket": (
        "run.yaml",
        "exclude_columns: [id\n",
        "config file 'run.yaml', line 2: expected ',' or ']', but got '<stream end>'",
    ),
    "a value in a value": (
        "run.yaml",
        "epochs: batch_size: 3\n",
        "config file 'run.yaml', line 1: mapping values are not allowed here",
    ),
    "nesting without end in YAML": (
        "run.yaml",
        "exclude_columns: " + "[" * 30_000,
        "config file 'run.yaml', line 1: it is nested too deeply",
    ),
    "nesting without end in TOML": (
        "run.toml",
        "exclude_columns = " + "[" * 30_000,
        "config file 'run.toml': it is nested too deeply",
    ),
    "a number of five thousand digits": (
        "run.toml",
        "epochs = " + "9" * 5_000,
        "config file 'run.toml': a number has too many digits",
    ),
    "a day that does not exist": (
        "run.yaml",
        "target_column: 2020-13-45\n",
        "config file 'run.yaml': month must be in 1..12",
    ),
    "a value without quotes in TOML": (
        "run.toml",
        "target_column = income\n",
        "config file 'run.toml', line 1: invalid value",
    ),
    "a text without its end": (
        "run.toml",
        'epochs = 3\ntarget_column = "income\n',
        "config file 'run.toml', line 2: illegal character '\\n'",
    ),
}

FIELDS: dict[str, tuple[Mapping[str, object], str]] = {
    "a misspelt name": (
        {"temprature": 2.0},
        "unknown field 'temprature'. Did you mean 'temperature'?",
    ),
    "a section": (
        {"training": {"epochs": 3}},
        "unknown field 'training'. Did you mean 'training_mode'?",
    ),
    "a name with a line break": (
        {"a\nb": 1},
        "unknown field 'a\\nb'. Known fields: 'target_column', 'training_mode', 'task', "
        "'test_size', 'validation_size', 'patience', 'random_seed', 'epochs', "
        "'batch_size', 'learning_rate', 'hidden_dim', 'num_hidden_layers', 'dropout', "
        "'steps', 'max_epochs', 'optimizer', 'weight_decay', 'learning_rate_schedule', "
        "'warmup_steps', 'ema_decay', 'numeric_encoding', 'encoding_bins', "
        "'ensemble_size', 'matmul_precision', 'temperature', 'alpha', "
        "'student_hidden_dim', 'student_num_hidden_layers', 'student_dropout', "
        "'objective', 'layers', 'augment', 'augment_swap', 'augment_spread', 'calibrate', "
        "'half_precision', 'preset', 'tune', 'max_bytes', 'max_latency' and 22 more",
    ),
    "no temperature at all": ({"temperature": 0}, "temperature must be > 0"),
    "a temperature that is no number": ({"temperature": float("nan")}, "temperature must be > 0"),
    "an infinite temperature": ({"temperature": float("inf")}, "temperature must be > 0"),
    "too much alpha": ({"alpha": 1.5}, "alpha must be between 0 and 1"),
    "too little alpha": ({"alpha": -1e-9}, "alpha must be between 0 and 1"),
    "a number as text": ({"epochs": "3"}, "epochs must be a valid integer, got '3'"),
    "a truth as number": ({"epochs": True}, "epochs must be a valid integer, got 'True'"),
    "half an epoch": ({"epochs": 2.5}, "epochs must be a valid integer, got '2.5'"),
    "no epoch": ({"epochs": 0}, "epochs must be greater than or equal to 1, got '0'"),
    "an infinite rate": (
        {"learning_rate": float("inf")},
        "learning_rate must be a finite number, got 'inf'",
    ),
    "a student without units": (
        {"student_hidden_dim": 0},
        "student_hidden_dim must be greater than or equal to 1, got '0'",
    ),
    "all rows held out": ({"test_size": 1.0}, "test_size must be less than 1, got '1.0'"),
    "a seed below zero": (
        {"random_seed": -1},
        "random_seed must be greater than or equal to 0, got '-1'",
    ),
    "an unknown task": (
        {"task": "clasification"},
        "task must be 'auto', 'classification' or 'regression', got 'clasification'. "
        "Did you mean 'classification'?",
    ),
    "an unknown mode": (
        {"training_mode": "tabresnt"},
        "training_mode must be 'mlp_dense', 'linear_glm_baseline', 'tabresnet', "
        "'imbalance_aware', 'calibrated_classifier', 'tree_teacher_distillation' or "
        "'batch_ensemble', got "
        "'tabresnt'. Did you mean 'tabresnet'?",
    ),
    "a column's number for its name": (
        {"exclude_columns": [1]},
        "exclude_columns.0 must be a valid string, got '1'",
    ),
    "one text for a list": (
        {"date_columns": "day"},
        "date_columns must be a list, got 'day'",
    ),
    "two characters as separator": (
        {"separator": "||"},
        "separator is refused (String should have at most 1 character), got '||'",
    ),
    "an empty target": (
        {"target_column": ""},
        "target_column is refused (String should have at least 1 character), got ''",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_hostile_config_file_is_refused_with_its_sentence(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content, sentence = FILES[case]
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    began = time.perf_counter()
    issues = parsed_run(DistillRun, name, {}, target_column="y").failure()
    assert [explain(issue) for issue in issues] == [sentence]
    assert time.perf_counter() - began < 5


@pytest.mark.requirement("REQ-KD04", "REQ-KD05", "AC-KD04", "AC-KD05")
@pytest.mark.parametrize("case", FIELDS)
def test_a_hostile_field_is_refused_with_its_sentence(case: str) -> None:
    fields, sentence = FIELDS[case]
    issues = parse_run(DistillRun, {"target_column": "y", **fields}).failure()
    assert [explain(issue) for issue in issues] == [sentence]


def test_all_hostile_fields_of_different_names_are_refused_at_once() -> None:
    every: dict[str, object] = {"target_column": "y"}
    for fields, _ in FIELDS.values():
        every |= fields
    assert len(parse_run(DistillRun, every).failure()) == len(every)


@pytest.mark.parametrize("place", ["run.toml", "folder.toml", "a\0b.toml"])
def test_a_config_file_that_is_no_file_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.toml").mkdir()
    (issue,) = parsed_run(DistillRun, place, {}).failure().every
    reason = "it is not a file" if place == "folder.toml" else "there is no such file"
    assert explain(issue) == f"cannot read the config file {place!r}: {reason}"
