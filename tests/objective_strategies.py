"""Objectives and pairs of layers, as hypothesis draws them, and the files they may stand in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from hypothesis import strategies as st

from kdtab.config.balancers import (
    ComplementaryBalancer,
    MagnitudeBalancer,
    NamedBalancer,
    StaticBalancer,
    TermWeight,
    UncertaintyBalancer,
)
from kdtab.config.distillation import DistillConfig
from kdtab.config.layerpairs import LayerLossKind, LayerPairSpec
from kdtab.config.objectives import (
    DecoupledLoss,
    DistLoss,
    DivergenceLoss,
    HuberLoss,
    JensenShannonLoss,
    LabelCorrectedLoss,
    ObjectiveConfig,
    PinballLoss,
    RelationalLoss,
    SquaredErrorLoss,
    TeacherBoundedLoss,
)
from kdtab.config.schedules import ConstantSchedule, RampSchedule, StairSchedule

SHARES = st.floats(0, 1)
POSITIVE = st.floats(1e-6, 1e6)
COUNTS = st.integers(1, 10_000)
NAMES = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())


def _kinds(
    family: type[DivergenceLoss | JensenShannonLoss | RelationalLoss],
) -> st.SearchStrategy[str]:
    return st.sampled_from(get_args(family.model_fields["kind"].annotation))


LOSSES = st.one_of(
    st.builds(DivergenceLoss, kind=_kinds(DivergenceLoss)),
    st.builds(JensenShannonLoss, kind=_kinds(JensenShannonLoss), beta=SHARES),
    st.builds(LabelCorrectedLoss, threshold=SHARES),
    st.builds(DecoupledLoss, target_weight=POSITIVE, non_target_weight=POSITIVE),
    st.builds(DistLoss, inter_weight=POSITIVE, intra_weight=POSITIVE),
    st.builds(RelationalLoss, kind=_kinds(RelationalLoss)),
    st.builds(SquaredErrorLoss),
    st.builds(HuberLoss, delta=POSITIVE),
    st.builds(PinballLoss, quantile=st.floats(0.01, 0.99)),
    st.builds(TeacherBoundedLoss, margin=POSITIVE),
)
BALANCERS = st.one_of(
    st.builds(
        NamedBalancer,
        weights=st.lists(st.builds(TermWeight, name=NAMES, weight=POSITIVE), max_size=3).map(tuple),
        student_weight=POSITIVE,
    ),
    st.builds(ComplementaryBalancer, student_weight=SHARES),
    st.builds(StaticBalancer, weights=st.lists(SHARES, max_size=3).map(tuple)),
    st.builds(MagnitudeBalancer, logits=NAMES, distillation_scale=POSITIVE),
    st.builds(UncertaintyBalancer),
)


def schedules(
    values: st.SearchStrategy[float],
) -> st.SearchStrategy[ConstantSchedule | RampSchedule | StairSchedule]:
    return st.one_of(
        st.builds(ConstantSchedule, value=values),
        st.builds(
            RampSchedule,
            kind=st.sampled_from(["linear", "cosine"]),
            start=values,
            end=values,
            steps=COUNTS,
            after=COUNTS,
        ),
        st.builds(StairSchedule, start=values, end=values, steps=COUNTS, jumps=COUNTS),
    )


PAIRS = st.lists(
    st.builds(
        LayerPairSpec,
        student=NAMES | st.just(""),
        teacher=NAMES | st.just(""),
        loss=st.sampled_from(get_args(LayerLossKind)),
    ),
    max_size=3,
    unique_by=lambda pair: (pair.student, pair.teacher),
).map(tuple)


@st.composite
def distill_configs(draw: st.DrawFn) -> DistillConfig:
    balancer = draw(st.none() | BALANCERS)
    objective = ObjectiveConfig(
        losses=tuple(draw(st.lists(LOSSES, max_size=3))),
        balancer=balancer,
        temperature=draw(st.none() | schedules(POSITIVE)),
        alpha=draw(schedules(SHARES)) if balancer is None and draw(st.booleans()) else None,
    )
    return DistillConfig(objective=draw(st.none() | st.just(objective)), layers=draw(PAIRS))


def written(fields: Mapping[str, object], suffix: str, folder: Path) -> Path:
    """The fields as a TOML file, or as YAML: JSON is YAML too."""
    if suffix == ".yaml":
        text = json.dumps(fields, ensure_ascii=False)
    else:
        text = "\n".join(f"{name} = {_toml(value)}" for name, value in fields.items())
    path = folder / f"run{suffix}"
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)
