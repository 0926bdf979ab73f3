"""Whatever the caller has set in torch, and in how many threads: the same results, and everything left as it was."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits

from untaught import Asked, Autoencoder, Training, fit, load, measure, open_data, plan
from untaught.ambient import as_torch_begins, take_turn
from untaught.estimators import AutoencoderEstimator, DBNClassifier, RBMEstimator, SoftmaxClassifier
from untaught.randomness import Draws, seeded
from untaught.runs.run import create_run
from untaught.training.fit import train

X, Y = load_digits(return_X_y=True)
X, Y = X[:40] / 16, Y[:40]
ESTIMATORS = [
    RBMEstimator(hidden=8, max_epochs=1, random_state=3),
    AutoencoderEstimator(latent=2, hidden=(8,), max_epochs=1, random_state=4),
    SoftmaxClassifier(max_epochs=1, random_state=5),
]


@contextmanager
def default(dtype: torch.dtype) -> Generator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


AROUND: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "float64": lambda: default(torch.float64),
    "float16": lambda: default(torch.float16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "meta": lambda: torch.device("meta"),
}


def kinds(*quick: str) -> list[object]:
    """All surroundings, of which some are tried every time."""
    return [kind if kind in quick else pytest.param(kind, marks=pytest.mark.slow) for kind in AROUND]


def answers(estimator: object) -> list[np.ndarray]:
    """What an estimator says once it is fitted, fitted on, and cloned."""
    fitted = clone(estimator).fit(X, Y)  # type: ignore[attr-defined]
    method = fitted.predict_proba if isinstance(fitted, SoftmaxClassifier) else fitted.transform
    return [
        method(X),
        method(X.astype(np.float32)),
        *(weight.numpy() for weight in fitted.model_.state_dict().values()),
    ]


@pytest.fixture(scope="module")
def alone() -> list[list[np.ndarray]]:
    """What each estimator gives by itself."""
    return [answers(estimator) for estimator in ESTIMATORS]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("around", kinds("float64", "no_grad", "inference_mode"))
def test_estimators_compute_as_in_a_fresh_process(around: str, alone: list[list[np.ndarray]]) -> None:
    with AROUND[around]():
        before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_default_device()
        found = [answers(estimator) for estimator in ESTIMATORS]
        assert (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_default_device()) == before
    assert all(same(*pair) for pair in zip(found, alone, strict=True))


@pytest.mark.parametrize("around", kinds())
def test_the_plan_the_loop_a_run_and_the_measures_too(around: str, tmp_path: Path) -> None:
    def trained(place: Path) -> tuple[list[float], object, torch.Tensor]:
        source = open_data("digits")
        asked = Asked("autoencoder", {"latent": 2, "hidden": (6,)}, Training(epochs=1, threads=1, compile="off"))
        decided = plan(asked, source)
        run = create_run(place, decided.settings, command="")
        losses = [*train(decided, run=run).held_out.values()]
        measured = measure(run, ["reconstruction"])["reconstruction"]["squared_error_per_image"]
        return losses, measured, load(place).state_dict()["encoder.layers.0.weight"]

    losses, measured, weight = trained(tmp_path / "plain")
    with AROUND[around]():
        again = trained(tmp_path / "around")
    assert again[0] == losses and again[1] == measured and torch.equal(again[2], weight)


@pytest.mark.parametrize("around", ["float64", "inference_mode", "no_grad"])
def test_a_model_that_the_caller_builds_there_is_trained(around: str) -> None:
    with AROUND[around]():
        model = Autoencoder(Autoencoder.Config(latent=2, hidden=(6,)), (1, 8, 8))
        last = train(model, torch.rand(60, 1, 8, 8), Training(epochs=1, threads=1, compile="off"))
    assert np.isfinite(last.held_out["total"])
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_threads_get_what_each_gets_alone(alone: list[list[np.ndarray]]) -> None:
    """Three at a time, begun at once, and the caller's generator untouched."""
    work = [(place, estimator) for _ in range(2) for place, estimator in enumerate(ESTIMATORS)]
    ready = threading.Barrier(3)

    def one(task: tuple[int, object]) -> bool:
        ready.wait()
        return same(answers(task[1]), alone[task[0]])

    torch.default_generator.manual_seed(7)
    before = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
    with ThreadPoolExecutor(3) as threads:
        assert all(threads.map(one, work))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.get_default_dtype()) == before[1:]


@pytest.mark.slow
def test_threads_that_loop_take_turns() -> None:
    """Records of two trainings come by turns; the losses are those of each alone."""

    def losses(seed: int) -> list[float]:
        with seeded(seed):
            model = Autoencoder(Autoencoder.Config(latent=2, hidden=(6,)), (1, 8, 8))
        told = Training(epochs=1, seed=seed, threads=1, compile="off")
        return [
            value
            for record in fit(model, torch.rand(150, 1, 8, 8, generator=_own(seed)), told)
            for value in record.losses.values()
        ]

    expected = [losses(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(losses, range(4))) == expected


def _own(seed: int) -> torch.Generator:
    generator = torch.Generator()
    generator.manual_seed(seed)
    return generator


def test_draws_of_another_thread_wait() -> None:
    order: list[str] = []

    def other() -> None:
        with seeded(1):
            order.append("other")

    with Draws(0, torch.device("cpu")):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.05)
        order.append("ours")
    thread.join()
    assert order == ["ours", "other"]


@pytest.mark.skipif(os.name != "posix", reason="no fork")
def test_a_fork_has_a_lock_of_its_own() -> None:
    read, write = os.pipe()
    with as_torch_begins():
        child = os.fork()
        if child == 0:
            free = threading.Thread(target=lambda: take_turn() and os.write(write, b"y"))
            free.start()
            free.join(5)
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert os.read(read, 1) == b"y"


@pytest.mark.slow
def test_a_classifier_of_several_stages(alone: list[list[np.ndarray]]) -> None:
    classifier = DBNClassifier(hidden=(8, 8), max_epochs=1, random_state=2)
    expected = clone(classifier).fit(X, Y).predict_proba(X)
    with torch.no_grad(), default(torch.float64):
        again = clone(classifier).fit(X, Y)
        assert np.array_equal(again.predict_proba(X), expected)
        partly = clone(classifier).partial_fit(X, Y, classes=np.unique(Y)).partial_fit(X, Y)
        assert np.isfinite(partly.predict_proba(X)).all()
