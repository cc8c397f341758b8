"""Reports to test with: models that are the truth and noise of a known size."""

from __future__ import annotations

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.report.inputs import EpochLosses, MeasuredRows, ModelOutputs, Segmentation
from kdtab.report.side_by_side import summarize
from kdtab.report.summary import Summary

HOSTILE = "<script>alert(1)</script> & \"q\" 'a' $x$ 🙂\n\u202e"


def course(height: float) -> tuple[EpochLosses, ...]:
    """Losses that fall."""
    return tuple(EpochLosses(epoch, height / epoch, height / epoch + 0.1) for epoch in range(1, 9))


def class_summary(
    rows: int = 200,
    classes: int = 2,
    *,
    noise: tuple[float, float, float] = (0.2, 0.4, 2.0),
    seed: int = 0,
    name: str = "income",
    groups: IntArray | None = None,
    scratch: bool = True,
) -> Summary:
    """Logits that say the truth, and more or less noise for teacher, student and scratch."""
    generator = np.random.default_rng(seed)
    clear = generator.normal(0, 2, (rows, classes))
    truth = (clear + generator.gumbel(size=clear.shape)).argmax(axis=1).astype(np.int64)
    segment = Segmentation(name, ("one", name), generator.integers(0, 2, rows))
    measured = MeasuredRows(
        target=name,
        truth=truth,
        classes=tuple(f"{name} {code}" for code in range(classes)),
        groups=groups,
        segments=(segment,),
    )
    models = [
        ModelOutputs(
            name=f"{name} {place}",
            kind="logits",
            values=clear + size * generator.normal(size=clear.shape),
            bytes=10 ** (6 - place),
            epochs=course(place) if place else (),
        )
        for place, size in enumerate(noise)
    ]
    given = models if scratch else models[:2]
    return summarize(measured, *given, facts=((name, name),), notes=(name,), random_seed=seed)


def value_summary(
    rows: int = 200, *, seed: int = 0, unit: float = 1.0, scratch: bool = True
) -> Summary:
    """Values that are the truth and more or less noise."""
    generator = np.random.default_rng(seed)
    truth = generator.gamma(2.0, unit, rows)
    off = [off_by(truth, size * unit, generator) for size in (0.1, 0.3, 0.8)]
    models = [ModelOutputs(f"model {place}", "values", said) for place, said in enumerate(off)]
    return summarize(
        MeasuredRows("price", truth), *(models if scratch else models[:2]), random_seed=seed
    )


def off_by(truth: FloatArray, size: float, generator: np.random.Generator) -> FloatArray:
    """[N, 1] the truth and noise."""
    said: FloatArray = (truth + generator.normal(0, size, len(truth)))[:, None]
    return said
