"""`kdtab distill --config FILE` with an objective and pairs of layers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Ended, Trained, kdtab

OBJECTIVE = """
epochs = 3
student_hidden_dim = 4

[[layers]]
student = "blocks.0"
teacher = "blocks.0"
loss = "cosine_distance"

[objective]
losses = [{ kind = "decoupled_kl" }, { kind = "dist_over_batch" }]

[objective.balancer]
kind = "named"
student_weight = 0.5
weights = [
    { name = "decoupled_kl", weight = 1.0 },
    { name = "dist_over_batch", weight = 2.0 },
    { name = "blocks.0:blocks.0", weight = 4.0 },
]

[objective.temperature]
kind = "linear"
start = 4.0
end = 1.0
steps = 8
"""


def distilled(trained: Trained, folder: Path, text: str, *more: str) -> Ended:
    (folder / "run.toml").write_text(text, encoding="utf-8")
    teacher = () if "--teacher" in more else ("--teacher", trained.folder / "teacher.kdtab")
    return kdtab(
        "distill", trained.folder / "iris.csv", *teacher, "--config", "run.toml", *more,
        folder=folder,
    )  # fmt: skip


def test_losses_balancer_schedule_and_layers_come_from_one_file(
    trained: Trained, tmp_path: Path
) -> None:
    before = (trained.folder / "teacher.kdtab").read_bytes()
    told = json.loads(distilled(trained, tmp_path, OBJECTIVE, "--json", "--quiet").out)
    for epoch in told["history"]:
        parts = epoch["decoupled_kl"], epoch["dist_over_batch"], epoch["blocks.0:blocks.0"]
        expected = 0.5 * epoch["hard"] + parts[0] + 2 * parts[1] + 4 * parts[2]
        assert epoch["loss"] == pytest.approx(expected, rel=1e-5)
    knobs = told["provenance"]["distill_config"]
    assert [loss["kind"] for loss in knobs["objective"]["losses"]] == [
        "decoupled_kl",
        "dist_over_batch",
    ]
    assert knobs["layers"][0]["teacher"] == "blocks.0"
    assert (trained.folder / "teacher.kdtab").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        (
            '[objective]\nlosses = [{ kind = "decopled_kl" }]\n',
            (),
            "config file 'run.toml': objective.losses.0.kind must be one of 'forward_kl', ",
        ),
        (
            '[[layers]]\nstudent = "head"\nteacher = "haed"\n',
            (),
            "the teacher has no layer 'haed'; near it: 'head'",
        ),
        (
            'target_column = "species"\n[[layers]]\nstudent = "head"\nteacher = "head"\n',
            ("--teacher", "forest"),
            "layers of a student can be compared with those of a kdtab bundle alone",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_no_student(
    text: str, more: tuple[str, ...], sentence: str, trained: Trained, tmp_path: Path
) -> None:
    run = distilled(trained, tmp_path, text, *more, "--quiet")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"error: {sentence}")
    assert run.err.count("error:") == 1
    assert not (tmp_path / "student.kdtab").exists()


def test_no_flag_is_made_of_what_only_a_file_can_say(tmp_path: Path) -> None:
    shown = kdtab("distill", "--help", folder=tmp_path)
    assert shown.code == 0
    assert "--alpha" in shown.out
    assert "--objective" not in shown.out
    assert "--layers" not in shown.out
