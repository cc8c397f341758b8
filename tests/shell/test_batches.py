from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.shell import batches as batches_module
from kdtab.shell.batches import ShuffledBatches, steps_per_epoch
from kdtab.tasks.supervised import Batch
from oracles import batch_rows_twin


def numbered(rows: int) -> Batch:
    positions = torch.arange(rows)
    return Batch(positions.float()[:, None], positions, positions.float()[:, None] / 2)


@pytest.mark.requirement("REQ-KD21", "REQ-T12", "AC-KD21", "AC-T12", "EC-T01")
@given(rows=st.integers(0, 70), batch_size=st.integers(1, 80))
def test_an_epoch_has_every_batch_of_two_rows_or_more(rows: int, batch_size: int) -> None:
    assert steps_per_epoch(rows, batch_size) == len(batch_rows_twin(rows, batch_size))


@pytest.mark.requirement("REQ-KD21", "REQ-T12", "REQ-T11", "EC-T01")
@given(rows=st.integers(2, 70), batch_size=st.integers(2, 80))
def test_batches_have_the_sizes_that_were_asked_for(rows: int, batch_size: int) -> None:
    epoch = list(ShuffledBatches(numbered(rows), batch_size=batch_size, seed=0)())
    assert [len(batch.inputs) for batch in epoch] == batch_rows_twin(rows, batch_size)


@given(rows=st.integers(2, 70), batch_size=st.integers(2, 80))
def test_an_epoch_visits_each_row_once_but_for_a_tail_of_one(rows: int, batch_size: int) -> None:
    epoch = list(ShuffledBatches(numbered(rows), batch_size=batch_size, seed=0)())
    visited = torch.cat([batch.targets for batch in epoch]).tolist()
    assert len(set(visited)) == len(visited)
    assert len(visited) == rows - (rows % batch_size == 1)


@given(rows=st.integers(2, 70), batch_size=st.integers(2, 80))
def test_what_belongs_to_a_row_stays_with_it(rows: int, batch_size: int) -> None:
    for batch in ShuffledBatches(numbered(rows), batch_size=batch_size, seed=0)():
        assert batch.soft_targets is not None
        assert torch.equal(batch.inputs[:, 0], batch.targets.float())
        assert torch.equal(batch.soft_targets * 2, batch.inputs)


def test_orders_differ_from_epoch_to_epoch_and_follow_from_the_seed() -> None:
    def orders(seed: int) -> list[list[int]]:
        batches = ShuffledBatches(numbered(20), batch_size=20, seed=seed)
        return [next(batches()).targets.tolist() for _ in range(3)]

    assert orders(1) == orders(1)
    assert orders(1)[0] != orders(1)[1]
    assert orders(1) != orders(2)


def test_orders_do_not_depend_on_other_random_numbers() -> None:
    batches = ShuffledBatches(numbered(20), batch_size=20, seed=3)
    again = ShuffledBatches(numbered(20), batch_size=20, seed=3)
    before = torch.get_rng_state()
    first = next(batches()).targets
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    assert torch.equal(next(again()).targets, first)


@given(rows=st.integers(2, 70), batch_size=st.integers(2, 30))
def test_gathering_in_blocks_changes_no_batch(rows: int, batch_size: int) -> None:
    whole = list(ShuffledBatches(numbered(rows), batch_size=batch_size, seed=1)())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches_module, "ROWS_PER_GATHER_ON_CPU", 16)
        parts = list(ShuffledBatches(numbered(rows), batch_size=batch_size, seed=1)())
    assert len(whole) == len(parts)
    for one, other in zip(whole, parts, strict=True):
        assert torch.equal(one.inputs, other.inputs)


def test_rows_without_a_teacher_have_no_soft_targets() -> None:
    rows = Batch(torch.zeros(4, 1), torch.zeros(4), None)
    batches = ShuffledBatches(rows, batch_size=2, seed=0)
    assert [batch.soft_targets for batch in batches()] == [None, None]


def test_a_batch_size_beyond_every_machine_is_one_batch() -> None:
    batches = ShuffledBatches(numbered(5), batch_size=2**62, seed=0)
    assert [len(batch.inputs) for batch in batches()] == [5]
