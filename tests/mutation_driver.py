"""Read a thousandth, a tenth or all of the damaged copies of a file, each in a process of its own.

Run as `python mutation_driver.py FILE FIRST LAST`: prints a line of JSON for each, its number, how
the process ended (0, or minus the signal) and what it answered. Forked, since starting an
interpreter for each would take most of the time; the code and the bounds are those of the worker.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

from kdtab.disk.hdf5worker import bound_resources, serve
from trajectory_cases import mutated


def answers(path: Path) -> bytes:
    """What the worker says of a file, and of all rows of its arrays."""
    first = io.BytesIO()
    serve(str(path), io.BytesIO(), first)
    head = json.loads(first.getvalue())
    requests = [
        {"place": place, "runs": [[0, about["shape"][0]]], "type": "<f4"}
        for place, about in head.get("arrays", {}).items()
        if about["shape"][0]
    ]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    everything = io.BytesIO()
    serve(str(path), io.BytesIO(lines.encode()), everything)
    return everything.getvalue()


def read_apart(path: Path) -> tuple[int, str]:
    """How a process of its own ended that read a file, and the start of its answers."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            bound_resources()
            os.write(writing, answers(path)[:4_000])
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as said:  # noqa: PTH123
        content = said.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), content.split(b"\n")[0].decode()


if __name__ == "__main__":
    source = Path(sys.argv[1])
    whole, damaged = source.read_bytes(), source.with_suffix(".damaged")
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        damaged.write_bytes(mutated(whole, number))
        code, said = read_apart(damaged)
        print(json.dumps({"number": number, "code": code, "said": said}), flush=True)
