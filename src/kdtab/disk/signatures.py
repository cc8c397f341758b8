"""What a file is by its first bytes, so that a refusal can say what was found."""

from __future__ import annotations

import re

PICKLE_PROTOCOLS = (2, 3, 4, 5)
MOST_TEXT_BYTES = 512
OLD_PICKLE = re.compile(rb"c[\w.]+\n[\w.]+\n|\((?:[lds]p|c\w|S')|[\]}](?:q|\()")
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive, as torch.save (.pt), numpy (.npz) and Excel write"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes (.h5)"),
    (b"\x93NUMPY", "a numpy array (.npy)"),
    (b"\x1f\x8b", "a gzip-compressed file, as joblib can write"),
    (b"\x78\x01", "a zlib-compressed file, as joblib writes"),
    (b"\x78\x5e", "a zlib-compressed file, as joblib writes"),
    (b"\x78\x9c", "a zlib-compressed file, as joblib writes"),
    (b"\x78\xda", "a zlib-compressed file, as joblib writes"),
    (b"BZh", "a bzip2-compressed file, as joblib can write"),
    (b"\xfd7zXZ", "an xz-compressed file, as joblib can write"),
    (b"\x28\xb5\x2f\xfd", "a zstandard-compressed file"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"GGUF", "a GGUF model"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def describe_foreign(content: bytes) -> str:
    r"""What a file that is no bundle seems to be.

    Args:
        content: The file, or its beginning and its end.

    Returns:
        A noun phrase for a message; nothing in the content is decoded, let alone executed.

    Example:
        >>> describe_foreign(b"\x80\x04K\x01.")
        'a Python pickle (protocol 4)'
        >>> describe_foreign(b"age,income\n39,50\n")
        'a text file (a table, JSON or a script)'
    """
    if not content:
        return "an empty file"
    if content[0] == 0x80 and content[1:2] and content[1] in PICKLE_PROTOCOLS:
        return f"a Python pickle (protocol {content[1]})"
    for opening, name in SIGNATURES:
        if content.startswith(opening):
            return name
    return _by_shape(content)


def _by_shape(content: bytes) -> str:
    head = content[:MOST_TEXT_BYTES]
    if content[:1] == b"\x08" and content[2:3] in (b"\x12", b"\x1a", b":"):
        return "a protobuf message, as ONNX models are"
    if OLD_PICKLE.match(head) and content.endswith(b"."):
        return "a Python pickle (protocol 0 or 1)"
    if not _is_text(head):
        return "a file of another format"
    if head.lstrip().startswith(b"<"):
        return "an HTML or XML page"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer; fetch the file itself with git lfs pull"
    return "a text file (a table, JSON or a script)"


def _is_text(head: bytes) -> bool:
    return all(byte in b"\t\n\r\x0c\x1b" or byte >= 0x20 for byte in head)
