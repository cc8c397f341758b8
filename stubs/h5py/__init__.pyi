from abc import ABCMeta
from collections.abc import Iterator
from typing import Any, Self

import numpy.typing as npt
from h5py import h5a as h5a
from h5py import h5d as h5d
from h5py import h5f as h5f
from h5py import h5g as h5g
from h5py import h5l as h5l
from h5py import h5o as h5o
from h5py import h5p as h5p
from h5py import h5s as h5s
from h5py import h5t as h5t

class _Attributes:
    def __getitem__(self, name: str) -> Any: ...
    def __setitem__(self, name: str, value: Any) -> None: ...

class _Dataset:
    @property
    def attrs(self) -> _Attributes: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, args: Any) -> Any: ...
    def __setitem__(self, args: Any, val: Any) -> None: ...

class _Group:
    @property
    def attrs(self) -> _Attributes: ...
    @property
    def id(self) -> Any: ...
    def create_group(self, name: str) -> _Group: ...
    def create_dataset(
        self,
        name: str,
        shape: tuple[int, ...] | None = None,
        dtype: npt.DTypeLike | None = None,
        data: Any = None,
        **kwds: Any,
    ) -> _Dataset: ...
    def create_virtual_dataset(self, name: str, layout: Any) -> _Dataset: ...
    def __iter__(self) -> Iterator[str]: ...
    def __getitem__(self, name: str) -> Any: ...
    def __setitem__(self, name: str, obj: Any) -> None: ...
    def __delitem__(self, name: str) -> None: ...

class File(_Group, metaclass=ABCMeta):
    def __init__(
        self,
        name: Any,
        mode: str = "r",
        driver: str | None = None,
        libver: tuple[str, str] | str | None = None,
        userblock_size: int | None = None,
        swmr: bool = False,
        rdcc_nslots: int | None = None,
        rdcc_nbytes: int | None = None,
        rdcc_w0: float | None = None,
        track_order: bool | None = None,
        fs_strategy: str | None = None,
        fs_persist: bool = False,
        fs_threshold: int = 1,
        fs_page_size: int | None = None,
        page_buf_size: int | None = None,
        min_meta_keep: int = 0,
        min_raw_keep: int = 0,
        locking: bool | str | None = None,
        alignment_threshold: int = 1,
        alignment_interval: int = 1,
        meta_block_size: int | None = None,
        *,
        track_times: bool = False,
        **kwds: Any,
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *args: object) -> None: ...

ExternalLink: Any
SoftLink: Any
VirtualLayout: Any
VirtualSource: Any
ref_dtype: Any

def string_dtype(encoding: str = "utf-8", length: int | None = None) -> Any: ...
