"""The limit on BLAS threads: in force while anybody predicts, gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from kdtab.data.coerce import frame_from_rows
from kdtab.serving.blas import OverlappingCalls
from serving.conftest import NAMES, bundle_of, predictor_of


def counts() -> list[int]:
    """Threads of each BLAS library."""
    return [int(part["num_threads"]) for part in threadpool_info() if part["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with threadpool_limits(2, "blas"):
        yield


def test_overlapping_calls_put_back_what_the_first_one_found() -> None:
    calls, before = OverlappingCalls(), counts()
    first, second = calls.on_one_thread(), calls.on_one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(counts()) == {1}
    second.__exit__(None, None, None)
    assert counts() == before
    assert 2 in before


def test_an_error_puts_it_back_too() -> None:
    before = counts()
    with pytest.raises(KeyError), OverlappingCalls().on_one_thread():
        raise KeyError
    assert counts() == before


def test_predictions_of_many_threads_leave_the_setting_as_it_was() -> None:
    predictor, before = predictor_of(bundle_of()), counts()
    frame = frame_from_rows([{"age": at} for at in range(300)], NAMES)
    together = Barrier(4, timeout=60)

    def predict(_: int) -> int:
        together.wait()
        return len(predictor.outputs(frame))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(predict, range(8))) == [300] * 8
    assert counts() == before
