from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from kdtab.errors.taskteachers import TeacherNotFrozen
from kdtab.models.frozen import frozen_view, unwrapped

ROWS = torch.linspace(-1, 1, 12).reshape(4, 3)


class Hoarder(nn.Module):
    """What research code keeps: a lock, its last activations, modules in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.layers = [nn.Linear(3, 3), nn.Dropout(0.5)]
        self.first, self.second = self.layers
        self.last: Tensor | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        with self.lock:
            for layer in self.layers:
                inputs = layer(inputs)
            self.last = inputs
        return inputs


def test_a_module_that_deepcopy_refuses_is_still_seen_frozen() -> None:
    given = Hoarder()
    given(ROWS)
    kept = given.last
    view = frozen_view(given).unwrap()
    assert torch.equal(view(ROWS), view(ROWS))
    torch.testing.assert_close(view(ROWS), given.first(ROWS))
    assert given.training
    assert given.last is kept
    assert given.layers[1].training
    assert not any(one.requires_grad for one in view.parameters())


def test_tied_weights_stay_tied_and_are_shared_with_the_given_module() -> None:
    given = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    given[1].weight = given[0].weight
    view = frozen_view(given).unwrap()
    assert view.get_submodule("1").weight is view.get_submodule("0").weight
    with torch.no_grad():
        given.get_parameter("0.weight").add_(1.0)
    torch.testing.assert_close(view(ROWS), given(ROWS))


def test_a_parametrised_layer_and_its_buffers_are_seen() -> None:
    given = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 3)), nn.BatchNorm1d(3))
    given(ROWS)
    view = frozen_view(given).unwrap()
    torch.testing.assert_close(view(ROWS), given.eval()(ROWS))
    counted = [one for name, one in given.named_buffers() if name.endswith("tracked")]
    assert [int(one) for one in counted] == [1]


def test_moving_the_view_leaves_the_given_module_where_it_was() -> None:
    given = nn.Linear(3, 3)
    frozen_view(given).unwrap().double()
    assert given.weight.dtype is torch.float32


def test_a_hook_of_the_user_is_heard_and_stays_his() -> None:
    heard: list[int] = []
    given = nn.Linear(3, 3)
    given.register_forward_hook(lambda *_: heard.append(1))
    frozen_view(given).unwrap()(ROWS)
    assert heard == [1]
    assert len(given._forward_hooks) == 1


def test_lazy_layers_that_never_ran_have_no_weights_to_see() -> None:
    found = frozen_view(nn.Sequential(nn.LazyLinear(3))).failure().first
    assert isinstance(found, TeacherNotFrozen)


def test_all_wrappers_are_taken_off() -> None:
    given = nn.Linear(3, 3)
    assert unwrapped(nn.DataParallel(nn.DataParallel(given))) is given


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_script_is_seen_frozen_and_follows_its_weights() -> None:
    given = torch.jit.script(nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)))
    view = frozen_view(given).unwrap()
    assert not view.training
    assert not any(one.requires_grad for one in view.parameters())
    assert given.training
    assert all(one.requires_grad for one in given.parameters())
    with torch.no_grad():
        next(given.parameters()).add_(1.0)
    torch.testing.assert_close(view(ROWS), given.eval()(ROWS))
