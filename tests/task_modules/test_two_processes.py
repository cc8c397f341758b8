"""A task under torchrun, on loopback: two processes are one, and die together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from kdtab.errors.raised import KdtabError
from kdtab.task_modules import LogitDistillationTask
from task_modules.two_ranks import KINDS, global_batch, gradients, made_task, network

SCRIPT = Path(__file__).with_name("two_ranks.py")
LONGEST = 120


def torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "TORCH_CPP_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    place = ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    return subprocess.run(
        [*command, *place, str(SCRIPT), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which both ranks left what they computed."""
    folder = tmp_path_factory.mktemp("ranks")
    run = torchrun(str(folder))
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(
    ("kind", "trained"), [("logits", "student"), ("features", "trainable_module")]
)
def test_two_processes_have_the_loss_and_the_gradients_of_one(
    said: Path, kind: str, trained: str, rank: int
) -> None:
    alone = made_task(kind)
    terms = alone(*global_batch())
    terms["loss"].backward()
    found = json.loads((said / f"{kind}{rank}.json").read_text("utf-8"))
    expected = {name: terms[name].item() for name in ("loss", "task_loss", "kd_loss")}
    assert found["terms"] == pytest.approx(expected, abs=1e-12)
    assert found["gradients"].keys() == gradients(alone).keys()
    for name, gradient in gradients(alone).items():
        assert found["gradients"][name] == pytest.approx(gradient, abs=1e-12), name
    assert found["wrapped"] == [trained]
    assert found["wrapped_in_teacher"] == []
    assert found["state"] == sorted(alone.state_dict())


def test_when_one_rank_dies_the_other_ends_too(tmp_path: Path) -> None:
    run = torchrun(str(tmp_path), "--die")
    assert run.returncode != 0
    pids = [int((tmp_path / f"{rank}.pid").read_text("utf-8")) for rank in (0, 1)]
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not list(tmp_path.glob("*.json"))


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    """A group of this process alone."""
    place = f"file://{tmp_path}/store"
    distributed.init_process_group("gloo", init_method=place, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_of_one_process_loads_into_several_and_back(group: None, kind: str) -> None:
    alone, wrapped = made_task(kind), made_task(kind).prepare_distributed()
    saved = {name: torch.randn_like(one) for name, one in alone.state_dict().items()}
    wrapped.load_state_dict(saved)
    parent = nn.ModuleDict({"task": wrapped})
    assert sorted(parent.state_dict()) == [f"task.{name}" for name in sorted(saved)]
    alone.load_state_dict(wrapped.state_dict())
    assert all(torch.equal(one, saved[name]) for name, one in alone.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("absent", ["task_loss_weight", "distill_loss_weight"])
def test_a_term_without_weight_stops_no_process(group: None, kind: str, absent: str) -> None:
    task = made_task(kind)
    setattr(task, absent, 0.0)
    task.prepare_distributed()
    for _ in range(3):
        task(*global_batch())["loss"].backward()
    found = [one.grad for one in task.parameters() if one.grad is not None]
    assert found
    assert all(one.isfinite().all() for one in found)


def test_a_task_is_prepared_once(group: None) -> None:
    task = LogitDistillationTask(network(4), network(6)).prepare_distributed()
    with pytest.raises(KdtabError, match="prepared before"):
        task.prepare_distributed()


def test_without_a_process_group_the_way_out_is_told() -> None:
    task = LogitDistillationTask(network(4), network(6))
    with pytest.raises(KdtabError, match="torchrun"):
        task.prepare_distributed()
    assert isinstance(task.student, nn.Sequential)
