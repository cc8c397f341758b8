"""Whose part is whose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.labels import WorkerShare, worker_share


@given(part=st.integers(0, 10**9), world=st.integers(1, 64))
def test_every_part_belongs_to_exactly_one_rank(part: int, world: int) -> None:
    owners = [rank for rank in range(world) if WorkerShare(rank=rank, world=world).has(part)]
    assert len(owners) == 1


def test_without_the_variables_of_torchrun_a_process_has_every_part() -> None:
    assert worker_share({"RANK": "", "HOME": "/"}).unwrap() == WorkerShare(rank=0, world=1)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"RANK": "0"}, "RANK"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE"),
        ({"RANK": "-1", "WORLD_SIZE": "2"}, "RANK"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK"),
        ({"RANK": "0", "WORLD_SIZE": "two"}, "WORLD_SIZE"),
        ({"RANK": "0", "WORLD_SIZE": "0"}, "world"),
    ],
)
def test_a_rank_outside_of_its_world_is_refused(environ: dict[str, str], name: str) -> None:
    found = worker_share(environ).failure().first
    assert getattr(found, "name", None) == name
