"""The battery: what every model must do, by being in `models/`. One property, one test: the failing name says it.

A check that a model cannot pass is declared in its `known_failures`, under the test's name without `test_`.
"""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from capability_checks import CHECKS, per_example
from subject import SEEDS, Subject, build, examples, kept, loss_of, mapped, monitored, owned, ready, step, subjects
from torch._subclasses.fake_tensor import FakeTensorMode

from untaught.cli.flags import Group, parse
from untaught.config import fields, from_json, to_json
from untaught.model import CAPABILITIES, Encodes, model_class, model_name, model_names
from untaught.randomness import seeded
from untaught.training.optimisers import make_optimiser

ABOVE = {"cli", "explorer", "papers", "experiments", "estimators", "report", "training", "evaluate", "runs"}


@pytest.fixture(autouse=True)
def declared(request: pytest.FixtureRequest) -> None:
    """Expect the failures that the model declares, and only those."""
    check = request.function.__name__.removeprefix("test_")
    reason = model_class(request.getfixturevalue("name")).known_failures.get(check)
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(params=model_names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_class_is_named_for_its_file(name: str) -> None:
    assert model_class(name).__name__.lower() == name.replace("-", "")
    assert model_name(model_class(name)) == name


def test_constructs_in_a_second(name: str) -> None:
    model_class(name)
    start = time.perf_counter()
    model = build(name)
    assert time.perf_counter() - start < 1
    assert model.config == model.smoke.config
    assert model.shape == model.smoke.shape


def test_weights_follow_the_seed(name: str) -> None:
    first, same = (dict(build(name, seed=3).named_parameters()) for _ in range(2))
    assert all(torch.equal(first[key], same[key]) for key in first)


def test_loss_is_finite_scalar(name: str) -> None:
    for subject in subjects(build(name)):
        loss = loss_of(subject)
        for key, value in {"total": loss.total, **loss.parts}.items():
            assert value.shape == (), f"{key} of {subject} is no scalar"
            assert value.isfinite(), f"{key} of {subject} is {value.item()}"


def test_parts_carry_no_gradient(name: str) -> None:
    for subject in subjects(build(name)):
        with kept(subject.learner):
            loss = subject.learner.loss(subject.batch, subject.player, torch.tensor(0.5))
            assert loss.total.requires_grad, f"total of {subject} has no gradient"
            attached = [key for key, part in loss.parts.items() if part.requires_grad]
        assert not attached, f"detach {attached} of {subject}"


def test_same_seed_same_loss(name: str) -> None:
    for subject in subjects(build(name)):
        first, second = loss_of(subject, seed=5), loss_of(subject, seed=5)
        assert torch.equal(first.total, second.total), f"{subject} has state that is no buffer, or its own randomness"
        assert all(torch.equal(first.parts[key], second.parts[key]) for key in first.parts)


def test_other_seed_other_loss(name: str) -> None:
    for subject in subjects(build(name)):
        with kept(subject.learner), seeded(0):
            before = torch.get_rng_state()
            subject.learner.loss(subject.batch, subject.player, torch.tensor(0.5))
            draws = not torch.equal(before, torch.get_rng_state())
        values = {loss_of(subject, seed).total.item() for seed in SEEDS}
        assert (len(values) > 1) == draws, f"{subject} draws: {draws}; losses over seeds: {values}"


def test_every_parameter_gets_a_gradient(name: str) -> None:
    for subject in subjects(build(name)):
        left = set(subject.parameters)
        assert left, f"{subject} has no parameters"
        for seed in SEEDS:
            step(subject, seed)
            left -= {key for key, value in subject.parameters.items() if value.grad is not None and value.grad.any()}
        assert not left, f"{subject}: no gradient reaches {sorted(left)}"
        assert all(value.grad.isfinite().all() for value in subject.parameters.values() if value.grad is not None)


def test_players_share_no_parameter(name: str) -> None:
    for stage in build(name).stages():
        lists = [list(owned(stage.learner, player)) for player in stage.learner.players]
        together = [key for keys in lists for key in keys]
        assert len(together) == len(set(together)), f"stage {stage.name}: a parameter has two players"
        trainable = {key for key, value in stage.learner.named_parameters() if value.requires_grad}
        assert set(together) == trainable, f"stage {stage.name}: nobody trains {trainable - set(together)}"


def test_other_players_do_not_move(name: str) -> None:
    for subject in subjects(build(name)):
        before = {key: value.clone() for key, value in subject.learner.named_parameters()}
        step(subject, 0)
        moved = {key for key, value in subject.learner.named_parameters() if not torch.equal(value, before[key])}
        assert moved <= set(subject.parameters), f"{subject} moves {moved - set(subject.parameters)}"


def test_twenty_steps_improve(name: str) -> None:
    players: dict[str, list[Subject]] = {}
    for subject in subjects(build(name)):
        players.setdefault(subject.stage, []).append(subject)
        if len(players[subject.stage]) < len(subject.learner.players):
            continue
        before = monitored(players[subject.stage])
        optimisers = [
            make_optimiser(p.parameters.values(), p.optimiser, captured=False) for p in players[subject.stage]
        ]
        for number in range(20):
            for player, optimiser in zip(players[subject.stage], optimisers, strict=True):
                step(player, number, optimiser)
        if before is None:  # a game: no number must fall, and none may break
            continue
        after = monitored(players[subject.stage])
        assert after < before, f"stage {subject.stage}: {subject.learner.monitor} went from {before} to {after}"


def test_loss_waits_for_no_value(name: str) -> None:
    """Nothing in a loss may depend on what a tensor holds: such a step cannot be captured, and waits for the device."""
    for subject in subjects(build(name)):
        learner = copy.deepcopy(subject.learner)
        with seeded(0), FakeTensorMode(allow_non_fake_inputs=True) as mode:
            faked = mapped(subject.batch, mode.from_tensor)
            batch = replace(faked, label=mode.from_tensor(subject.batch.label))
            learner.loss(batch, subject.player, torch.tensor(0.5))


def test_state_dict_round_trip(name: str) -> None:
    first, second = build(name, seed=0), build(name, seed=1)
    ours, theirs = list(subjects(first)), list(subjects(second))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for mine, other in zip(ours, theirs, strict=True):
        same = loss_of(mine).total, loss_of(other, batch=mine.batch).total  # of a stack, weights decide on batches
        assert torch.equal(*same), f"{mine} has weights outside its state"


def test_double_agrees_with_float(name: str) -> None:
    for subject in subjects(build(name)):
        single = loss_of(subject).total
        learner = copy.deepcopy(subject.learner).double()
        batch = mapped(subject.batch, torch.Tensor.double)
        double = loss_of(Subject(subject.stage, subject.player, learner, batch, subject.recipe)).total
        assert double.dtype == torch.float64, f"{subject} leaves double precision"
        torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-5, msg=f"{subject}: {single}, {double}")


def test_batch_of_one(name: str) -> None:
    for subject in subjects(build(name), count=1):
        assert loss_of(subject).total.isfinite(), f"{subject}"


@torch.no_grad()
def test_examples_do_not_see_each_other(name: str) -> None:
    model = ready(name)
    x = examples(model.smoke)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    together, shuffled, alone = per_example(model, x), per_example(model, x[order]), per_example(model, x[:1])
    for method, value in together.items():
        torch.testing.assert_close(shuffled[method], value[order], msg=f"{method} depends on the order of examples")
        torch.testing.assert_close(alone[method], value[:1], msg=f"{method} depends on the other examples")


@torch.no_grad()
def test_capabilities_give_what_they_declare(name: str) -> None:
    model = ready(name)
    x = examples(model.smoke)
    for capability in CAPABILITIES:
        if isinstance(model, capability):
            with seeded(0):
                CHECKS[capability](model, x)


def test_config_survives_json(name: str) -> None:
    for config in _configs(name):
        assert from_json(type(config), json.loads(json.dumps(to_json(config)))) == config


def test_config_survives_flags(name: str) -> None:
    cls = model_class(name).Config
    for config in _configs(name):
        words: list[str] = []
        for key, value in to_json(config).items():
            words += _typed(key.replace("_", "-"), value)
        given = parse([Group("model", cls)], words, prog="test", about="")
        assert cls(**given["model"]) == config


def test_every_field_is_documented(name: str) -> None:
    silent = [field.name for field in fields(model_class(name).Config) if not field.text.strip()]
    assert not silent, f"write a docstring under {silent}"


def test_equations_are_numbered(name: str) -> None:
    numbers = _equations(name)
    assert numbers, "the module's docstring has no indented equation with its number (1)"
    assert numbers == list(range(1, len(numbers) + 1)), f"equations are numbered {numbers}"


def test_equations_that_are_named_exist(name: str) -> None:
    named = {int(number) for number in re.findall(r"[Ee]quations? \((\d+)\)", _file(name).read_text())}
    assert named <= set(_equations(name)), f"there is no equation {named - set(_equations(name))}"


@pytest.mark.parametrize("section", ["References", "Departures"])
def test_docstring_has_section(name: str, section: str) -> None:
    assert _section(name, section), f"the module's docstring has no section `{section}:`"


def test_references_have_years(name: str) -> None:
    assert re.search(r"\b(18|19|20)\d\d\b", _section(name, "References"))


def test_encoding_passes_the_gradient_that_it_promises(name: str) -> None:
    model = ready(name)
    if not isinstance(model, Encodes):
        return
    x = examples(model.smoke).requires_grad_()
    features = model.encode(x)
    if not model.differentiable:
        assert not features.requires_grad, "a gradient comes back, and none is promised"
        return
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    slopes = torch.autograd.grad(features.square().sum(), [x, *weights], allow_unused=True)
    assert slopes[0] is not None and slopes[0].any(), "no gradient reaches the examples"
    assert any(slope is not None and slope.any() for slope in slopes[1:]), "no gradient reaches a weight"


def test_loss_asks_for_no_mode(name: str) -> None:
    """What is measured on held-out data is said by `held_out`: a loss that asked for the mode would be two losses."""
    assert "self.training" not in _file(name).read_text()


def test_imports_go_down(name: str) -> None:
    tree = ast.parse(_file(name).read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    ours = {module.split(".")[1] for module in modules if module.startswith("untaught.")}
    assert not ours & ABOVE, f"a model may not import {ours & ABOVE}"


def test_known_failures_are_checks(name: str) -> None:
    checks = {key.removeprefix("test_") for key in globals() if key.startswith("test_")}
    unknown = set(model_class(name).known_failures) - checks
    assert not unknown, f"there is no check called {unknown}"


def _configs(name: str) -> list[object]:
    cls = model_class(name)
    return [cls.smoke.config, cls.Config()]


def _typed(key: str, value: object) -> list[str]:
    """A field as a person types it."""
    if isinstance(value, bool):
        return [f"--{key}" if value else f"--no-{key}"]
    words = value if isinstance(value, list) else ["none" if value is None else value]
    return [f"--{key}", *(str(word) for word in words)]


def _docstring(name: str) -> str:
    return inspect.getdoc(importlib.import_module(model_class(name).__module__)) or ""


def _section(name: str, section: str) -> str:
    """What stands under a heading, on its line or below it, up to the next."""
    found = re.search(rf"^{section}:\s*(.+?)(?=^\w+:|\Z)", _docstring(name), re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def _equations(name: str) -> list[int]:
    """Numbers at the beginning or the end of indented lines, before the references."""
    text = re.split(r"^References:", _docstring(name), flags=re.MULTILINE)[0]
    found = re.findall(r"^ +(?:\((\d+)\) .*|.*\((\d+)\) *)$", text, re.MULTILINE)
    return [int(first or last) for first, last in found]


def _file(name: str) -> Path:
    return Path(inspect.getfile(model_class(name)))
