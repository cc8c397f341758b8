"""What a task refuses, before it computes anything wrong."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from torch import Tensor, nn

from kdtab.data.scale import Scaler
from kdtab.errors.raised import KdtabError
from kdtab.errors.taskmodules import FeatureHeadSilent, FeatureShapesDiffer, ScalersUnlike
from kdtab.task_modules import DistillationTeacher, FeatureDistillationTask, LogitDistillationTask
from task_modules.networks import (
    LABELS,
    ROWS,
    STUDENT,
    TEACHER,
    Image,
    Mapped,
    Parted,
    Says,
    WithConstants,
    tabular,
)

INPUTS = torch.linspace(-2, 2, 40).reshape(8, 5)
CODES = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
BAD_TEMPERATURES = [0.0, -1.0, math.nan, math.inf, -math.inf, "2", None]
BAD_WEIGHTS = [-0.1, math.nan, math.inf, "1"]


@pytest.mark.parametrize("temperature", BAD_TEMPERATURES)
def test_a_temperature_is_a_finite_number_above_zero(temperature: float) -> None:
    with pytest.raises(KdtabError, match="temperature must be a finite number above 0"):
        LogitDistillationTask(Says(STUDENT), "no such.kdtab", temperature=temperature)


@pytest.mark.parametrize("name", ["distill_loss_weight", "task_loss_weight"])
@pytest.mark.parametrize("weight", BAD_WEIGHTS)
@pytest.mark.parametrize("kind", [LogitDistillationTask, FeatureDistillationTask])
def test_a_weight_is_finite_and_not_negative(
    kind: type[LogitDistillationTask | FeatureDistillationTask], name: str, weight: float
) -> None:
    with pytest.raises(KdtabError, match=f"{name} must be a finite number, 0 or more"):
        kind(Says(STUDENT), "no such.kdtab", **{name: weight})  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("weight", [1.0 + 1e-9, 2.0])
def test_a_task_weight_alone_is_a_share(weight: float) -> None:
    with pytest.raises(KdtabError, match="between 0 and 1 where it is the only weight"):
        LogitDistillationTask(Says(STUDENT), Says(TEACHER), task_loss_weight=weight)
    both = LogitDistillationTask(
        Says(STUDENT), Says(TEACHER), task_loss_weight=weight, distill_loss_weight=1.0
    )
    assert both.task_loss_weight == weight


def test_two_weights_of_zero_would_teach_nothing() -> None:
    with pytest.raises(KdtabError, match="nothing is learnt"):
        LogitDistillationTask(
            Says(STUDENT), Says(TEACHER), task_loss_weight=0.0, distill_loss_weight=0.0
        )


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(KdtabError) as caught:
        LogitDistillationTask(
            Says(STUDENT), "no such.kdtab", loss_type="mse", temperature=0.0, task_loss_weight=-1.0
        )
    assert len(caught.value.issues) == 3


def test_an_unknown_loss_type_is_refused() -> None:
    with pytest.raises(ValueError, match="loss_type must be one of kl, "):
        LogitDistillationTask(Says(STUDENT), Says(TEACHER), loss_type="mse")


@pytest.mark.parametrize("loss_type", ["kl", "reverse_kl"])
def test_one_output_has_no_distribution(loss_type: str) -> None:
    task = LogitDistillationTask(
        Says(STUDENT[:, :1]), Says(TEACHER[:, :1]), nn.MSELoss(), loss_type=loss_type
    )
    with pytest.raises(KdtabError, match="'squared_error' for a value"):
        task(ROWS, ROWS)


def test_one_logit_and_one_value_have_losses_of_their_own() -> None:
    student = torch.tensor([[0.3], [-1.2]], dtype=torch.float64)
    teacher = torch.tensor([[1.0], [-0.5]], dtype=torch.float64)
    binary = LogitDistillationTask(
        Says(student), Says(teacher), nn.BCEWithLogitsLoss(), loss_type="binary_kl"
    )
    assert binary(ROWS, ROWS)["kd_loss"].item() == pytest.approx(0.0531592567, abs=1e-8)
    value = LogitDistillationTask(
        Says(student), Says(teacher), nn.MSELoss(), loss_type="squared_error"
    )
    assert value(ROWS, ROWS)["kd_loss"].item() == pytest.approx(0.49, abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 1), (2, 4), (1, 3), (2, 1, 3)])
def test_outputs_that_would_be_broadcast_are_refused(shape: tuple[int, ...]) -> None:
    task = LogitDistillationTask(Says(STUDENT), Says(torch.zeros(shape)))
    with pytest.raises(KdtabError, match="same rows and classes"):
        task(ROWS, LABELS)


def test_a_teacher_that_returns_a_tuple_is_refused() -> None:
    class Pair(nn.Module):
        def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
            return inputs, inputs

    with pytest.raises(KdtabError, match="the teacher returned 'tuple'"):
        LogitDistillationTask(Says(STUDENT), Pair())(ROWS, LABELS)


columns = st.lists(
    st.tuples(
        st.floats(-1e9, 1e9),
        st.floats(1e-3, 1e6).map(float),
        st.floats(-1e9, 1e9),
        st.floats(1e-3, 1e6),
    ),
    min_size=1,
    max_size=4,
)


@given(drawn=columns, raw=st.floats(-1e6, 1e6))
def test_any_two_scalers_are_joined_by_one_affine_map(
    drawn: list[tuple[float, ...]], raw: float
) -> None:
    mean, scale, other_mean, other_scale = np.array(drawn).T
    inputs = (np.full((3, len(drawn)), raw) - mean) / scale
    expected = (inputs * scale + mean - other_mean) / other_scale
    teacher = DistillationTeacher(nn.Identity(), scaler=Scaler(other_mean, other_scale, math.inf))
    task = LogitDistillationTask(nn.Identity(), teacher, student_scaler=(mean, scale))
    found = task.seen_by_teacher(torch.from_numpy(inputs)).numpy()
    size = np.abs(inputs * scale) + np.abs(mean) + np.abs(other_mean)
    assert np.all(np.abs(found - expected) <= 1e-12 * size / other_scale + 1e-300)


def test_the_map_keeps_the_differences_of_columns_far_from_zero() -> None:
    teacher = DistillationTeacher(nn.Identity(), scaler=([1.7e9 + 1.0], [2.0]))
    task = LogitDistillationTask(nn.Identity(), teacher, student_scaler=([1.7e9], [1.0]))
    assert task.seen_by_teacher(torch.tensor([[3.0]])).tolist() == [[1.0]]


@pytest.mark.parametrize(
    "kind",
    [
        StandardScaler,
        RobustScaler,
        MinMaxScaler,
        MaxAbsScaler,
        lambda: StandardScaler(with_mean=False),
        lambda: StandardScaler(with_std=False),
        lambda: MinMaxScaler((-2, 5)),
    ],
)
def test_a_fitted_scaler_of_scikit_learn_is_understood(kind: type[StandardScaler]) -> None:
    raw = np.random.default_rng(0).normal(3.0, 5.0, (20, 3))
    fitted, others = kind().fit(raw), StandardScaler().fit(raw[:7] * 2)
    teacher = DistillationTeacher(nn.Identity(), scaler=others)
    task = LogitDistillationTask(nn.Identity(), teacher, student_scaler=fitted)
    found = task.seen_by_teacher(torch.from_numpy(fitted.transform(raw)))
    np.testing.assert_allclose(found.numpy(), others.transform(raw), atol=1e-9)


@pytest.mark.parametrize("side", ["student", "teacher"])
@pytest.mark.parametrize(
    ("scaler", "said"),
    [
        (([0.0, 0.0], [1.0, 0.0]), "its scale is 0 at 1"),
        (([0.0, math.nan], [1.0, 1.0]), "its mean is nan at 1"),
        (([0.0], [1.0, 1.0]), "1 means and 2 scales"),
        (([], []), "0 means and 0 scales"),
        ({"mean": (0.5,), "std": (0.0,)}, "its scale is 0 at 0"),
        (StandardScaler(), "not StandardScaler"),
        ("standard", "not str"),
        (7, "not int"),
    ],
)
def test_a_scaler_that_is_none_is_refused(side: str, scaler: object, said: str) -> None:
    fine = ([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(KdtabError, match=f"scaler of the {side} cannot be used: .*{said}"):
        LogitDistillationTask(
            nn.Identity(),
            DistillationTeacher(nn.Identity(), scaler=scaler if side == "teacher" else fine),
            student_scaler=fine if side == "teacher" else scaler,
        )


def test_constants_of_a_student_with_zero_scale_are_refused() -> None:
    student = WithConstants((0.5,) * 3, (0.25, 0.0, 0.25), STUDENT)
    with pytest.raises(KdtabError, match="scaler of the student cannot be used: its scale is 0"):
        LogitDistillationTask(student, Says(TEACHER))


@pytest.mark.parametrize(
    ("student_scaler", "scaler"),
    [(([0.0], [1.0]), None), (([0.0], [1.0]), ([0.0, 0.0], [1.0, 1.0])), (None, ([0.0], [2.0]))],
    ids=["teacher of images", "other columns", "student unknown"],
)
def test_scalers_that_do_not_belong_together_are_refused(
    student_scaler: object, scaler: object
) -> None:
    teacher = DistillationTeacher(nn.Identity(), scaler=scaler)
    with pytest.raises(KdtabError) as caught:
        LogitDistillationTask(nn.Identity(), teacher, student_scaler=student_scaler)
    assert isinstance(caught.value.issues.first, ScalersUnlike)


def test_a_student_that_says_nothing_shares_its_inputs_with_the_teacher() -> None:
    task = LogitDistillationTask(Image(4), WithConstants((0.5,) * 3, (0.25,) * 3, TEACHER))
    pictures = torch.ones(2, 3, 4, 4)
    assert task.seen_by_teacher(pictures) is pictures
    assert task.student_mean is None


def test_feature_maps_are_projected_by_channel() -> None:
    task = FeatureDistillationTask(Mapped(4), Mapped(6))
    pictures = torch.linspace(-1, 1, 2 * 3 * 5 * 5).reshape(2, 3, 5, 5)
    projection = task.trainable_module.projection
    assert projection is not None
    assert projection.axis == "channels"
    terms = task(pictures, LABELS)
    terms["loss"].backward()
    assert projection.weight.grad is not None
    assert projection.weight.shape == (6, 4)


def test_equal_widths_need_no_projection() -> None:
    task = FeatureDistillationTask(tabular(4), tabular(4))
    assert task.trainable_module.projection is None
    assert task(INPUTS, CODES)["kd_loss"].item() > 0


def test_the_layers_and_widths_that_are_named_count() -> None:
    student = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 6), nn.Linear(6, 3))
    task = FeatureDistillationTask(
        student, tabular(8), student_head="1", student_feature_dim=4, teacher_feature_dim=8
    )
    assert str(task.trainable_module.projection) == "FeatureProjection(4 -> 8, axis=last)"
    features = task.trainable_module(INPUTS)[1]
    assert task.trainable_module.projection is not None
    torch.testing.assert_close(features, task.trainable_module.projection(student[0](INPUTS)))


@pytest.mark.parametrize("side", ["student", "teacher"])
def test_a_module_without_a_head_says_which_layers_it_has(side: str) -> None:
    plain = nn.Sequential(nn.ReLU(), nn.Tanh())
    pair = (plain, tabular(4)) if side == "student" else (tabular(4), plain)
    with pytest.raises(KdtabError, match=f"{side}_head. Its layers: '0', '1'"):
        FeatureDistillationTask(*pair)


def test_a_misspelt_head_is_refused_with_the_layers() -> None:
    with pytest.raises(KdtabError, match=r"no layer 'haed' .* its layers are 'blocks', "):
        FeatureDistillationTask(tabular(4), tabular(8), student_head="haed")


def test_a_head_that_takes_no_part_is_refused() -> None:
    student = tabular(4)
    student.spare = nn.Linear(9, 9)
    task = FeatureDistillationTask(student, tabular(8), student_head="spare")
    with pytest.raises(KdtabError) as caught:
        task(INPUTS, CODES)
    assert isinstance(caught.value.issues.first, FeatureHeadSilent)
    with pytest.raises(KdtabError, match="'spare' was not called"):
        DistillationTeacher(student, head="spare")(INPUTS, return_features=True)


def test_features_of_other_places_are_refused() -> None:
    wide, maps = torch.zeros(2, 4), torch.zeros(2, 5, 4)
    task = FeatureDistillationTask(
        Parted(wide, nn.Linear(4, 3)), Parted(maps), student_feature_dim=4, teacher_feature_dim=4
    )
    with pytest.raises(KdtabError) as caught:
        task(ROWS, LABELS)
    assert isinstance(caught.value.issues.first, FeatureShapesDiffer)


def test_a_module_without_features_says_so() -> None:
    with pytest.raises(ValueError, match="the features of the teacher 'ReLU' are not known"):
        DistillationTeacher(nn.ReLU())(INPUTS, return_features=True)


def test_a_module_without_a_width_says_what_to_pass() -> None:
    student = Parted(torch.zeros(2, 4), nn.Linear(4, 3))
    del student.num_features
    with pytest.raises(KdtabError, match="pass student_feature_dim"):
        FeatureDistillationTask(student, tabular(8))


def test_a_wrapped_student_of_a_feature_task_is_refused() -> None:
    with pytest.raises(KdtabError, match="give the student without its wrapper"):
        FeatureDistillationTask(nn.DataParallel(tabular(4)), tabular(8))


def test_what_is_trained_is_logged_only_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="kdtab"):
        LogitDistillationTask(Says(STUDENT), Says(TEACHER), verbose=False)
        assert not caplog.records
        LogitDistillationTask(Says(STUDENT), Says(TEACHER), task_loss_weight=0.25)
    assert "distill=0.75" in caplog.text


@pytest.mark.parametrize("criterion", ["ce", nn.CrossEntropyLoss])
def test_a_criterion_must_be_one_that_can_be_called(criterion: nn.Module) -> None:
    for task in (LogitDistillationTask, FeatureDistillationTask):
        with pytest.raises(KdtabError, match=r"criterion must be .* as in nn.CrossEntropyLoss\(\)"):
            task(nn.Linear(5, 3), nn.Linear(5, 3), criterion=criterion)


def test_a_feature_width_that_is_not_the_students_is_told() -> None:
    student = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))
    teacher = nn.Sequential(nn.Linear(5, 6), nn.Linear(6, 3))
    task = FeatureDistillationTask(student, teacher, student_feature_dim=9)
    with pytest.raises(KdtabError, match="check student_feature_dim"):
        task(INPUTS, CODES)


@pytest.mark.parametrize("kind", [LogitDistillationTask, FeatureDistillationTask])
@pytest.mark.parametrize("view", [lambda model: model, DistillationTeacher, nn.Sequential])
def test_a_student_does_not_teach_itself(
    kind: type[LogitDistillationTask | FeatureDistillationTask],
    view: Callable[[nn.Module], nn.Module],
) -> None:
    student = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))
    with pytest.raises(KdtabError, match=r"student and teacher share '0.weight'"):
        kind(student, view(student))
    kind(student, copy.deepcopy(student))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_script_can_teach() -> None:
    teacher = torch.jit.script(nn.Linear(5, 3))
    task = LogitDistillationTask(nn.Linear(5, 3), teacher)
    task(INPUTS, CODES)["loss"].backward()
    assert teacher.weight.grad is None
