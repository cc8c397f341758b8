from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import get_args

import pytest

from kdtab.config.balancers import AnyBalancer
from kdtab.config.base import parse_config
from kdtab.config.objectives import (
    AnyLoss,
    HuberLoss,
    ObjectiveConfig,
    PinballLoss,
    loss_names,
)
from kdtab.config.schedules import RampSchedule
from kdtab.errors.issue import explain


def test_an_objective_is_empty_by_default() -> None:
    objective = ObjectiveConfig()
    assert (objective.losses, objective.balancer) == ((), None)
    assert (objective.temperature, objective.alpha) == (None, None)


def test_an_objective_survives_json() -> None:
    fields = {
        "losses": [{"kind": "generalized_jsd", "beta": 0.25}, {"kind": "dist_over_batch"}],
        "balancer": {"kind": "static", "weights": [0.25, 0.5]},
        "temperature": {"kind": "cosine", "start": 4.0, "end": 1.0, "steps": 100},
    }
    objective = parse_config(ObjectiveConfig, fields).unwrap()
    again = parse_config(ObjectiveConfig, json.loads(objective.model_dump_json())).unwrap()
    assert again == objective
    assert isinstance(objective.temperature, RampSchedule)


def test_every_loss_and_balancer_has_kinds_of_its_own() -> None:
    for union in (AnyLoss, AnyBalancer):
        kinds = [
            kind
            for family in get_args(union)
            for kind in get_args(family.model_fields["kind"].annotation)
        ]
        assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize(
    ("fields", "name", "part"),
    [
        ({"losses": [{"kind": "forward_kll"}]}, "losses.0", "forward_kl"),
        (
            {"balancer": {"kind": "statc"}},
            "balancer.kind",
            "must be one of 'named', 'complementary', ",
        ),
        ({"balancer": {"kind": "statc"}}, "balancer.kind", "Did you mean 'static'?"),
        ({"losses": [{"kind": "gkd_jsd", "beta": 1.5}]}, "losses.0.gkd_jsd.beta", "1"),
        ({"losses": [{"kind": "huber", "delta": 0.0}]}, "losses.0.huber.delta", "greater than 0"),
        ({"losses": [{"kind": "huber", "delta": math.nan}]}, "losses.0.huber.delta", "finite"),
        (
            {"temperature": {"kind": "linear", "start": 4.0, "end": 0.0, "steps": 9}},
            "temperature",
            "above 0 at every step",
        ),
        (
            {"alpha": {"kind": "linear", "start": 0.0, "end": 1.5, "steps": 9}},
            "alpha",
            "between 0 and 1",
        ),
        (
            {"alpha": {"kind": "exponential", "start": 1.0, "end": 0.0, "steps": 9}},
            "alpha.exponential.start",
            "equal factors",
        ),
        (
            {
                "alpha": {"kind": "constant", "value": 0.5},
                "balancer": {"kind": "uncertainty"},
            },
            "alpha",
            "no place for a balancer",
        ),
    ],
)
def test_what_is_out_of_range_is_named_with_its_rule(
    fields: Mapping[str, object], name: str, part: str
) -> None:
    issues = parse_config(ObjectiveConfig, fields).failure()
    assert len(issues) == 1
    sentence = explain(issues.first)
    assert sentence.startswith(name)
    assert part in sentence


def test_losses_of_one_kind_have_names_of_their_own() -> None:
    three = (PinballLoss(quantile=0.1), HuberLoss(), PinballLoss(quantile=0.9))
    assert loss_names(three) == ("pinball", "huber", "pinball_2")
    assert loss_names(()) == loss_names((HuberLoss(),)) == ("soft",)
