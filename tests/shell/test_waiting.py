"""Inside an epoch nothing waits for a device that computes by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest
import torch
from torch import Tensor

from kdtab.losses.reduce import replaced_rows, weighted_sum
from kdtab.losses.regression import pinball_error
from kdtab.shell.batches import ShuffledBatches
from kdtab.shell.torch_step import StepTerms, join_terms
from kdtab.tasks.trainingtask import Batch
from spies import Operations

AWAY = torch.device("meta")
"""A device that gives no number away: whoever asks for one is refused by torch."""


class Copies(Operations):
    """Copies from one device to another: whether each is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[bool] = []

    def hear(
        self,
        called: Callable[..., object],
        given: Sequence[object],
        named: Mapping[str, object],
        result: object,
    ) -> None:
        source = given[0] if given else None
        if str(called) == "aten._to_copy.default" and isinstance(source, Tensor):
            assert isinstance(result, Tensor)
            if result.device != source.device:
                self.waited.append(not named.get("non_blocking", False))


def an_epoch() -> None:
    rows = Batch(torch.empty(10, 3), torch.empty(10, dtype=torch.int64), torch.empty(10, 2))
    away = Batch(*(part.to(AWAY, non_blocking=True) for part in rows if part is not None))
    assert len(list(ShuffledBatches(away, batch_size=4, seed=0)())) == 3


def joined_terms() -> None:
    join_terms([StepTerms(rows, {"loss": torch.empty((), device=AWAY)}) for rows in (4, 4, 2)])


def pinball() -> None:
    pinball_error(
        torch.empty(4, 2, device=AWAY), torch.empty(4, 1, device=AWAY), quantiles=(0.1, 0.9)
    )


@pytest.mark.parametrize(
    ("work", "copies"), [(an_epoch, 4), (joined_terms, 1), (pinball, 1)]
)  # of an epoch the three tensors are the test's own
def test_what_is_copied_to_the_device_is_not_waited_for(
    work: Callable[[], None], copies: int
) -> None:
    with Copies() as seen:
        work()
    assert seen.waited == [False] * copies


@pytest.mark.parametrize(
    "work",
    [
        partial(weighted_sum, torch.empty(4, device=AWAY)),
        partial(
            replaced_rows,
            torch.empty(4, device=AWAY),
            torch.empty(4, dtype=torch.bool, device=AWAY),
        ),
    ],
)
def test_numbers_are_made_where_the_values_are(work: Callable[[], object]) -> None:
    with Copies() as seen:
        work()
    assert seen.waited == []


def test_a_copy_that_is_waited_for_is_seen() -> None:
    """Else the tests above would show nothing."""
    with Copies() as seen:
        torch.empty(2).to(AWAY)
    assert seen.waited == [True]
