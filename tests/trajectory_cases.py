"""Teachers without a network, files of series, attacks in HDF5, and generation as a process.

Run as `python trajectory_cases.py SOURCE TARGET SECONDS`: generate, sleeping before each batch.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
from returns.result import Success

from kdtab.config.sequences import TrajectoryRequest
from kdtab.data.arrays import Float32Array
from kdtab.results import Checked
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo
from kdtab.teachers.trajectories import generate_trajectories

REQUEST = TrajectoryRequest(batch_size=5, target_seq_len=6, scale_min=-1.0, scale_max=1.0)
WEIGHTS = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6]], dtype=np.float32)


@dataclass
class LeakyTeacher:
    """s_{t+1} = 0.9 s_t + tanh(x_t W), s_0 = 0, in numpy."""

    fingerprint: str = "leaky-1"
    seconds: float = 0.0
    asked: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def info(self) -> SequenceTeacherInfo:
        return SequenceTeacherInfo("leaky", 2, 3, self.fingerprint)

    def states(self, x: Float32Array) -> Checked[Float32Array]:
        time.sleep(self.seconds)
        self.asked.append(x.shape)
        return Success(leaky_states(x))


def leaky_states(x: Float32Array) -> Float32Array:
    """The states of `LeakyTeacher`, step by step."""
    states = np.zeros((len(x), x.shape[1] + 1, 3), dtype=np.float32)
    for t in range(x.shape[1]):
        states[:, t + 1] = np.float32(0.9) * states[:, t] + np.tanh(x[:, t] @ WEIGHTS)
    return states


def random_series(count: int, steps: int = 8, seed: int = 0) -> npt.NDArray[np.float64]:
    """[count, steps, 2] numbers of about one."""
    return np.random.default_rng(seed).normal(size=(count, steps, 2))


def write_source(path: Path, **groups: npt.NDArray[np.generic]) -> Path:
    """An HDF5 file with `data` in each group; the group `alone` is the file itself."""
    with h5py.File(path, "w") as file:
        for name, data in groups.items():
            file["data" if name == "alone" else f"{name}/data"] = data
    return path


def write_trajectories(path: Path, series: int = 6) -> Path:
    """Recorded trajectories of `LeakyTeacher`, as another program writes them."""
    data = random_series(series).astype(np.float32)
    with h5py.File(path, "w") as file:
        file["train/data"], file["train/labels"] = data, leaky_states(data)
        file.attrs["note"] = np.bytes_(b"fixed length")
    return path


def _external_link(file: h5py.File) -> None:
    file["train/data"] = h5py.ExternalLink("/etc/hostname", "/data")


def _external_link_elsewhere(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    file["notes/other"] = h5py.ExternalLink("other.h5", "/data")


def _soft_link(file: h5py.File) -> None:
    file["train/kept"] = random_series(3)
    file["train/data"] = h5py.SoftLink("/train/kept")


def _external_storage(file: h5py.File) -> None:
    where = [("/etc/passwd", 0, 3 * 8 * 2 * 8)]
    file.create_dataset("train/data", (3, 8, 2), "f8", external=where)


def _virtual_dataset(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 8, 2), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "/data", (3, 8, 2))
    file.create_group("train").create_virtual_dataset("data", layout)


def _variable_length_text(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    file["train"].attrs["note"] = "text of any length"


def _variable_length_array(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    file.create_dataset("names", (3,), dtype=h5py.string_dtype())


def _reference(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    file.create_dataset("train/labels", data=[file["train"].ref], dtype=h5py.ref_dtype)


def _hidden_reference(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    kind = np.dtype([("a", "f8"), ("b", h5py.string_dtype())])
    file.create_dataset("train/labels", (3,), dtype=kind)


def _four_tebibytes(file: h5py.File) -> None:
    file.create_dataset("train/data", (2**30, 2**9, 1), "f8", track_times=False)


def _four_tebibytes_in_pieces(file: h5py.File) -> None:
    file.create_dataset("train/data", (2**20, 2**10, 512), "f8", chunks=(1, 2**10, 512))


def _gzip_bomb(file: h5py.File) -> None:
    file.create_dataset(
        "train/data",
        data=np.zeros((64, 2**10, 256)),
        chunks=(16, 2**10, 64),
        compression="gzip",
        compression_opts=9,
    )


def _foreign_filter(file: h5py.File) -> None:
    file.create_dataset("train/data", data=np.zeros((3, 8, 2), "i4"), scaleoffset=4)


def _more_than_is_there(file: h5py.File) -> None:
    file.create_dataset("train/data", (2**10, 2**10, 2**5), "f8")


def _missing_pieces(file: h5py.File) -> None:
    made = file.create_dataset("train/data", (64, 8, 2), "f8", chunks=(4, 8, 2))
    made[:4] = 1.0


def _variable_length_attributes(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    file["train"].attrs["names"] = ["a", "bc"]


def _cycle(file: h5py.File) -> None:
    file["train/data"] = h5py.SoftLink("/train")


def _many_objects(file: h5py.File) -> None:
    file["train/data"] = random_series(3)
    for number in range(1_001):
        file.create_group(f"train/g{number}")


ATTACKS: dict[str, Callable[[h5py.File], None]] = {
    "is an external link": _external_link,
    "is an external link ": _external_link_elsewhere,
    "is a soft link": _soft_link,
    "is a soft link ": _cycle,
    "keeps its numbers in another file": _external_storage,
    "is a virtual dataset": _virtual_dataset,
    "holds strings of variable length": _variable_length_text,
    "holds strings of variable length ": _variable_length_array,
    "holds strings of variable length  ": _hidden_reference,
    "holds references to objects": _reference,
    "declares 4,398,046,511,104 bytes": _four_tebibytes,
    "declares 4,398,046,511,104 bytes ": _four_tebibytes_in_pieces,
    "declares 268,435,456 bytes, and the file has": _more_than_is_there,
    "declares 16 pieces, of which 1 are stored": _missing_pieces,
    "holds strings of variable length   ": _variable_length_attributes,
    "unpacks": _gzip_bomb,
    "is packed in a way that is not read": _foreign_filter,
    "has more than 1,000 objects": _many_objects,
}


def mutated(content: bytes, number: int) -> bytes:
    """One of a thousand damages of a file, most of them in its structure."""
    draw = random.Random(number)
    damaged = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        place = draw.randrange(min(len(damaged), draw.choice([96, 800, 4_000, len(damaged)])))
        match draw.randrange(5):
            case 0:
                damaged[place] ^= 1 << draw.randrange(8)
            case 1:
                damaged[place] = draw.choice([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF])
            case 2:
                damaged[place : place + 8] = draw.choice([b"\xff" * 8, bytes(8), draw.randbytes(8)])
            case 3:
                other = draw.randrange(len(damaged))
                size = draw.choice([4, 8, 32])
                damaged[place : place + size] = damaged[other : other + size]
            case _:
                del damaged[draw.randrange(place, len(damaged)) :]
                damaged += bytes(1) * (not damaged)
    return bytes(damaged)


if __name__ == "__main__":
    generate_trajectories(
        sys.argv[1], LeakyTeacher(seconds=float(sys.argv[3])), sys.argv[2], REQUEST
    ).unwrap()
