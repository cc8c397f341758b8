"""How a bundle lies in bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.disk.layout import (
    Place,
    arrays_in,
    data_of,
    digest_of,
    header_of,
    places_in,
    places_of,
    strict_json,
)
from kdtab.errors.bundles import BundleCorrupt
from kdtab.record import Array

arrays_by_name: st.SearchStrategy[dict[str, Array]] = st.dictionaries(
    st.text(max_size=6),
    st.builds(
        lambda dtype, shape: np.arange(np.prod(shape), dtype=dtype).reshape(shape),
        st.sampled_from(["float32", "float64", "int64"]),
        st.lists(st.integers(1, 3), max_size=3).map(tuple),
    ),
    max_size=5,
)


@given(arrays_by_name)
def test_arrays_come_back_from_their_bytes(arrays: dict[str, Array]) -> None:
    places = places_of(arrays)
    again = arrays_in(places, memoryview(data_of(arrays, places)))
    assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in again.items()} == {
        name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()
    }


@given(arrays_by_name)
def test_places_come_back_from_their_header(arrays: dict[str, Array]) -> None:
    places = places_of(arrays)
    header = strict_json("t", header_of("{}", places)[8:]).unwrap()
    assert places_in("t", header).unwrap() == places


@given(arrays_by_name)
def test_places_follow_each_other_wide_elements_first(arrays: dict[str, Array]) -> None:
    places = places_of(arrays)
    assert [place.begin for place in places] == [0, *(place.end for place in places)][:-1]
    widths = [arrays[place.name].itemsize for place in places]
    assert widths == sorted(widths, reverse=True)


def test_big_endian_arrays_are_stored_as_little_endian() -> None:
    big = {"a": np.array([1.0], dtype=">f8")}
    little = {"a": np.array([1.0], dtype="<f8")}
    assert data_of(big, places_of(big)) == data_of(little, places_of(little))


@pytest.mark.parametrize(
    ("fields", "place", "data"),
    [
        ({"kind": "other"}, Place("a", "F32", (1,), 0, 4), bytes(4)),
        ({"kind": "table"}, Place("b", "F32", (1,), 0, 4), bytes(4)),
        ({"kind": "table"}, Place("a", "F32", (1, 1), 0, 4), bytes(4)),
        ({"kind": "table"}, Place("a", "F32", (1,), 0, 4), b"\0\0\0\1"),
    ],
)
def test_the_checksum_covers_manifest_names_shapes_and_bytes(
    fields: dict[str, object], place: Place, data: bytes
) -> None:
    true = digest_of({"kind": "table"}, [Place("a", "F32", (1,), 0, 4)], bytes(4))
    assert digest_of(fields, [place], data) != true


@pytest.mark.parametrize("text", ['{"a":NaN}', '{"a":1,"a":1}', "[]", "1", "", "{", '{"a":1e400}'])
def test_json_that_is_not_one_plain_object_is_refused(text: str) -> None:
    assert isinstance(strict_json("t", text).failure().first, BundleCorrupt)
