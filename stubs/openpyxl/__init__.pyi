from collections.abc import Iterable
from os import PathLike
from typing import IO

class _Cell:
    value: object
    number_format: str
    data_type: str

class _Worksheet:
    title: str
    def append(self, iterable: Iterable[object]) -> None: ...
    def cell(self, row: int, column: int, value: object = None) -> _Cell: ...

class Workbook:
    active: _Worksheet
    def __init__(self, write_only: bool = False, iso_dates: bool = False) -> None: ...
    def create_sheet(self, title: str | None = None, index: int | None = None) -> _Worksheet: ...
    def save(self, filename: str | PathLike[str] | IO[bytes]) -> None: ...
