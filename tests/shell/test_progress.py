from __future__ import annotations

import pytest

from kdtab.shell.progress import SILENT, EpochRecord, SilentProgress


def test_silence_hears_everything_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    SILENT.start(epochs=2, steps_per_epoch=3)
    SILENT.step()
    SILENT.epoch(EpochRecord(epoch=1, terms={"loss": 0.5}, validation_loss=None))
    SILENT.finish()
    assert capsys.readouterr() == ("", "")
    assert isinstance(SILENT, SilentProgress)


def test_the_loss_of_a_record_is_its_term_of_that_name() -> None:
    record = EpochRecord(epoch=1, terms={"loss": 0.5, "hard": 0.4}, validation_loss=0.7)
    assert record.loss == 0.5
