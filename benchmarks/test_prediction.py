"""Serving a small student against a forest, scikit-learn's MLP and onnxruntime, in one process.

A table of 14 mixed columns (six of numbers, eight of categories with 2 to 42 values); a student of
two layers of 64 units; every side on the threads that are asked for, which only a fresh process can
promise. Rounds alternate, figures are medians, answers are compared first. Run:
`python -m pytest benchmarks/test_prediction.py -s`, or `python benchmarks/test_prediction.py` for the JSON.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
import pytest
import torch

import kdtab
from kdtab.bundle import to_record
from kdtab.data.arrays import Float32Array as Matrix
from kdtab.data.artifacts import encode_features
from kdtab.predictor import Predictor
from kdtab.serving.networks import Dense, FoldedNetwork, folded_network
from kdtab.serving.places import Places

LEVELS = (9, 16, 7, 15, 6, 5, 2, 42)
NUMBERS = ("age", "weight", "years", "gain", "loss", "hours")
TRAINING_ROWS, ROWS, FAST_ROWS, SINGLE_ROWS = 20_000, 100_000, 2_000, 100
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
THREADS = tuple(int(count) for count in os.environ.get("BENCH_THREADS", "1,2").split(","))
WIDTH, TREES, SEED = 64, 200, 7
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
)

Times = dict[str, list[float]]
Runs = dict[str, Callable[[], object]]


class Peer(Protocol):
    """A pipeline of scikit-learn, which has no types."""

    def predict_proba(self, rows: object) -> Matrix:
        """Probabilities of rows."""
        ...

    def transform(self, rows: object) -> Matrix:
        """Rows as a matrix."""
        ...

    def __getitem__(self, step: int | slice) -> Peer: ...


@dataclass(frozen=True)
class Figures:
    """Medians in seconds by side; for single rows the 99th percentile too."""

    batch: dict[str, float]
    network: dict[str, float]
    row: dict[str, float]
    row_p99: dict[str, float]


def table(rows: int, seed: int) -> pl.DataFrame:
    """Cells as a CSV of people holds them, with a target that depends on both kinds."""
    random = np.random.default_rng(seed)
    numbers = {
        name: random.integers(0, 90, rows) if at % 2 == 0 else random.normal(50, 20, rows).round(2)
        for at, name in enumerate(NUMBERS)
    }
    codes = [random.zipf(1.6, rows) % levels for levels in LEVELS]
    texts = {
        f"kind_{levels}": pl.Series([f"value {code:02d}" for code in found])
        for levels, found in zip(LEVELS, codes, strict=True)
    }
    score = numbers["age"] / 20 + codes[1] / 4 + codes[0] % 2 + random.normal(0, 1, rows)
    return pl.DataFrame({**numbers, **texts, "income": np.where(score > 4.5, "high", "low")})


def steady_clock() -> Callable[[], float]:
    """CPU time, which other work on the machine does not stretch; two threads would count it twice."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def alternating(runs: Runs, rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each side, one after the other in every round, warm."""
    clock = steady_clock()
    for run in runs.values():
        run()
    times: Times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begin = clock()
            run()
            times[name].append(clock() - begin)
    return {name: float(np.median(found)) for name, found in times.items()}


def single(
    runs: dict[str, Callable[[int], object]], count: int, clock: Callable[[], float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Median and 99th percentile of the seconds for one row, sides taking turns by rounds."""
    times: Times = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            run(0)
            for at in range(count):
                begin = clock()
                run(at)
                times[name].append(clock() - begin)
    return (
        {name: float(np.median(found)) for name, found in times.items()},
        {name: float(np.percentile(found, 99)) for name, found in times.items()},
    )


def onnx_answers(network: FoldedNetwork, threads: int) -> Callable[[Matrix], Matrix]:
    """The folded network as a graph of Gemm and Relu, run by onnxruntime."""
    helper, numpy_helper = import_module("onnx.helper"), import_module("onnx.numpy_helper")
    runtime, floats = import_module("onnxruntime"), import_module("onnx").TensorProto.FLOAT
    layers = [Dense(network.weight, network.bias), *network.layers]
    nodes, constants, last = [], [], "inputs"
    for at, layer in enumerate(layers):
        assert isinstance(layer, Dense)
        for name, array in ((f"w{at}", layer.weight), (f"b{at}", layer.bias)):
            constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        if at:
            nodes.append(helper.make_node("Relu", [last], [f"r{at}"]))
            last = f"r{at}"
        nodes.append(helper.make_node("Gemm", [last, f"w{at}", f"b{at}"], [f"h{at}"]))
        last = f"h{at}"
    ends = [("inputs", len(network.weight)), (last, 2)]
    given, made = (helper.make_tensor_value_info(name, floats, [None, n]) for name, n in ends)
    graph = helper.make_graph(nodes, "student", [given], [made], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda inputs: session.run(None, {"inputs": inputs})[0]


def fitted_peers(training: pl.DataFrame, threads: int) -> tuple[Peer, Peer]:
    """A forest on ordinal codes and an MLP on one-hot codes, as a practitioner would fit them."""
    compose, preprocessing = (
        import_module("sklearn.compose"),
        import_module("sklearn.preprocessing"),
    )
    make_pipeline = import_module("sklearn.pipeline").make_pipeline
    texts = [name for name in training.columns if name.startswith("kind_")]
    codes = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    ones = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    forest = import_module("sklearn.ensemble").RandomForestClassifier(
        TREES, random_state=SEED, n_jobs=threads
    )
    mlp = import_module("sklearn.neural_network").MLPClassifier(
        (WIDTH, WIDTH), random_state=SEED, max_iter=3, early_stopping=False
    )
    frame = training.drop("income").to_pandas()
    target = training["income"].to_numpy()
    as_codes = compose.ColumnTransformer([("texts", codes, texts)], remainder="passthrough")
    as_ones = compose.ColumnTransformer(
        [("texts", ones, texts), ("numbers", preprocessing.StandardScaler(), list(NUMBERS))]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three passes are enough for the speed of a network
        pair: tuple[Peer, Peer] = (
            make_pipeline(as_codes, forest).fit(frame, target),
            make_pipeline(as_ones, mlp).fit(frame, target),
        )
    return pair


def encoded(predictor: Predictor, rows: pl.DataFrame) -> tuple[Matrix, list[Places]]:
    """What stands between the columns and the network: scaled numbers, and rows of look-ups."""
    blocks = predictor.model.blocks
    return blocks.inputs_of(rows), blocks.places_of(rows)


def row_network(predictor: Predictor, rows: pl.DataFrame) -> Callable[[int], object]:
    """The network alone for single rows: from ready numbers and look-ups to logits."""
    server = predictor.model.single
    ready = [server.encoded(row) for row in rows.head(SINGLE_ROWS).to_dicts()]
    return lambda at: server.outputs_of(*ready[at % SINGLE_ROWS])


def measure(threads: int) -> Figures:
    """All figures, after the answers were compared."""
    torch.set_num_threads(threads)
    training, rows = table(TRAINING_ROWS, SEED), table(ROWS, SEED + 1).drop("income")
    config = kdtab.TrainingConfig(
        target_column="income", hidden_dim=WIDTH, num_hidden_layers=2, epochs=2, batch_size=256
    )
    bundle = kdtab.train_model(training, config, device="cpu").unwrap().bundle
    record = to_record(bundle).unwrap()
    predictor = kdtab.Predictor.from_record(record)
    expected = kdtab.predict_frame(bundle, rows, "cpu").unwrap().drop("prediction").to_numpy()
    told = predictor.predict_frame(rows).drop("prediction").to_numpy()
    np.testing.assert_allclose(told, expected, rtol=0, atol=1e-6)
    matrix = encode_features(rows, bundle.artifacts)
    ask = onnx_answers(folded_network(record.manifest.network, record.arrays), threads)
    np.testing.assert_allclose(ask(matrix), predictor.outputs(rows), rtol=1e-3, atol=1e-4)
    return compared(predictor, rows, fitted_peers(training, threads), lambda at: ask(matrix[at]))


def compared(
    predictor: Predictor,
    rows: pl.DataFrame,
    peers: tuple[Peer, Peer],
    ask: Callable[[slice], object],
) -> Figures:
    """The sides against each other."""
    forest, mlp = peers
    pandas, blocks = rows.to_pandas(), predictor.model.blocks
    raw = [pandas.iloc[at : at + 1] for at in range(SINGLE_ROWS)]
    ready, lines = forest[:-1].transform(pandas), encoded(predictor, rows)
    batch = alternating(
        {
            "kdtab": lambda: predictor.predict_frame(rows),
            "forest": lambda: forest.predict_proba(pandas),
            "forest, ready matrix": lambda: forest[-1].predict_proba(ready),
            "sklearn MLP": lambda: mlp.predict_proba(pandas),
        },
        rounds=3,
    )
    network = alternating(
        {"kdtab": lambda: blocks.outputs_of(*lines), "onnxruntime": lambda: ask(slice(None))}
    )
    mappings = rows.head(FAST_ROWS).to_dicts()
    alone = row_network(predictor, rows)
    row, row_p99 = single(
        {
            "kdtab": lambda at: predictor.probabilities(mappings[at]),
            "kdtab network": alone,
            "onnxruntime network": lambda at: ask(slice(at, at + 1)),
        },
        FAST_ROWS,
        time.perf_counter,  # a call of 10 µs is too short for the clock of the processor
    )
    slow, slow_p99 = single(
        {
            "forest": lambda at: forest.predict_proba(raw[at]),
            "forest, ready matrix": lambda at: forest[-1].predict_proba(ready[at : at + 1]),
            "sklearn MLP": lambda at: mlp.predict_proba(raw[at]),
        },
        SINGLE_ROWS // 3,
        steady_clock(),
    )
    return Figures(batch, network, row | slow, row_p99 | slow_p99)


def ratios(found: Figures) -> dict[str, float]:
    """What was promised."""
    batch, network, row, late = found.batch, found.network, found.row, found.row_p99
    return {
        "forest / kdtab, 100,000 rows": batch["forest"] / batch["kdtab"],
        "forest on a ready matrix / kdtab, 100,000 rows": (
            batch["forest, ready matrix"] / batch["kdtab"]
        ),
        "sklearn MLP / kdtab, 100,000 rows": batch["sklearn MLP"] / batch["kdtab"],
        "forest / kdtab, one row, median": row["forest"] / row["kdtab"],
        "forest / kdtab, one row, 99th percentile": late["forest"] / late["kdtab"],
        "sklearn MLP / kdtab, one row, median": row["sklearn MLP"] / row["kdtab"],
        "kdtab / onnxruntime, network alone, 100,000 rows": (
            network["kdtab"] / network["onnxruntime"]
        ),
        "kdtab / onnxruntime, network alone, one row": (
            row["kdtab network"] / row["onnxruntime network"]
        ),
    }


@pytest.mark.parametrize("threads", THREADS)
def test_a_student_is_served_faster_than_its_peers(threads: int) -> None:
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    run = subprocess.run(
        [sys.executable, __file__, str(threads)],
        env=environment, capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    figures = Figures(**json.loads(run.stdout.splitlines()[-1]))
    print(f"\n{platform.machine()}, {os.cpu_count()} processors, {threads} thread(s)")
    for what, found, ours in (
        (f"{ROWS:,} rows from a raw frame", figures.batch, "kdtab"),
        (f"{ROWS:,} rows, the network alone", figures.network, "kdtab"),
        ("one row from raw cells, median", figures.row, "kdtab"),
        ("one row from raw cells, 99th percentile", figures.row_p99, "kdtab"),
    ):
        print(what)
        for name, seconds in found.items():
            ratio = f"{seconds / found[ours]:8.2f} times {ours}"
            print(f"  {name:22} {1e6 * seconds:14,.1f} µs {ratio}")
    for name, value in ratios(figures).items():
        print(f"figure\t{name}\t{value}")


if __name__ == "__main__":
    from dataclasses import asdict

    print(json.dumps(asdict(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1))))
