from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

def dump(
    obj: object,
    file: str | Path | BinaryIO,
    *,
    compression: int = 0,
    compresslevel: int | None = None,
) -> None: ...
def dumps(obj: object, *, compression: int = 0, compresslevel: int | None = None) -> bytes: ...
def loads(data: bytes, trusted: Sequence[str] | None = None) -> Any: ...
def get_untrusted_types(
    *, data: bytes | None = None, file: str | Path | None = None
) -> list[str]: ...
