"""States are those after the last frame, and no example is looked at twice for them."""

import torch

from tests.evaluate.fakes import Linear, Watcher, blobs, subject_of, turning
from untaught.data.view import View
from untaught.evaluate.hidden_states import states
from untaught.evaluate.subject import Subject


def watched(own_state: bool) -> tuple[Subject, Watcher]:
    model = Watcher(Watcher.Config(own_state=own_state), (1, 12, 12)).eval()
    return subject_of(model, turning(20), turning(10), View(frames=4)), model


def test_states_are_those_after_the_last_frame() -> None:
    subject, model = watched(False)
    batch = subject.tested()
    found = states(subject, [batch])
    assert set(found) == {"features", "hidden", "cell", "hidden_and_cell"}
    assert torch.equal(found["hidden_and_cell"][0], torch.cat([found["hidden"][0], found["cell"][0]], 1))
    assert torch.equal(found["cell"][0], batch.x[:, -1].flatten(1))
    assert torch.allclose(found["hidden"][0], model.encode(batch.x), atol=1e-6)
    assert found["features"] is found["hidden"]


def test_examples_are_looked_at_once_where_features_are_a_state() -> None:
    subject, model = watched(False)
    batch = subject.tested()
    model.looks = 0
    states(subject, [batch, batch])
    assert model.looks == 2 * len(batch.x) + 2 + 2


def test_features_that_are_no_state_are_encoded() -> None:
    subject, model = watched(True)
    batch = subject.tested()
    found = states(subject, [batch])
    assert torch.allclose(found["features"][0], 2 * found["hidden"][0], atol=1e-5)


def test_a_model_that_shows_nothing_has_features_only() -> None:
    subject = subject_of(Linear(Linear.Config(), (1, 4, 4)).eval(), blobs(9), blobs(9))
    found = states(subject, [subject.tested()])
    assert list(found) == ["features"] and found["features"][0].shape == (9, 3)
