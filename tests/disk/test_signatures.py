"""What a file is by its first bytes."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.disk.signatures import describe_foreign


@given(st.binary(max_size=300))
def test_every_content_has_a_description_of_one_line(content: bytes) -> None:
    assert describe_foreign(content).isprintable()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [{"a": 1}, [1, 2], [], {}, pickle.PicklingError])
def test_a_pickle_of_any_protocol_is_called_a_pickle(protocol: int, value: object) -> None:
    found = describe_foreign(pickle.dumps(value, protocol))
    old = {b"].", b"}."}
    assert found.startswith("a Python pickle") or pickle.dumps(value, protocol) in old


@pytest.mark.parametrize("text", ["city,age\nBern,5.", "(see below).", "c."])
def test_a_text_is_not_called_a_pickle(text: str) -> None:
    assert describe_foreign(text.encode()) == "a text file (a table, JSON or a script)"
