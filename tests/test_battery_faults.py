"""The battery finds what it is for: each fault, put into a model that passes, makes the check of that name fail."""

from __future__ import annotations

import pytest
from capability_checks import CHECKS
from dropped_in import copy_with, failures, python, skeleton

from untaught.model import CAPABILITIES

HEAD = "        hidden = self.encode(batch.x)\n"
FAULTS = {
    "own_randomness": (HEAD, HEAD + "        hidden = hidden * __import__('random').random()\n", "same_seed_same_loss"),
    "hidden_state": (
        "return Loss(total",
        "self.calls = getattr(self, 'calls', 0) + 1\n        return Loss(total + self.calls",
        "same_seed_same_loss",
    ),
    "unused": (
        "        self.visible_bias",
        "        self.unused = nn.Parameter(torch.zeros(3))\n        self.visible_bias",
        "every_parameter_gets_a_gradient",
    ),
    "untrained": ("    config: Config\n", '    players = {"a": ("weight", "hidden")}\n', "players_share_no_parameter"),
    "climbs": ("total = error", "total = 2 * error.detach() - error", "twenty_steps_improve"),
    "reads_values": (HEAD, HEAD + "        assert hidden.mean().item() > 0\n", "loss_waits_for_no_value"),
    "single_precision": ("Loss(total,", "Loss(total.float(),", "double_agrees_with_float"),
    "outside_state": (
        "        self.visible_bias",
        "        self.scale = torch.rand(())\n        self.visible_bias",
        "state_dict_round_trip",
    ),
    "drawn_features": ("x.flatten(1) @", "torch.rand_like(x).flatten(1) @", "capabilities_give_what_they_declare"),
    "batch_mean": ("x.flatten(1) @", "(x - x.mean(0)).flatten(1) @", "examples_do_not_see_each_other"),
    "wrong_shape": (".unflatten(1, self.shape)", "", "capabilities_give_what_they_declare"),
    "attached": ("error.detach()", "error", "parts_carry_no_gradient"),
    "infinite": ("total = error", "total = error / 0", "loss_is_finite_scalar"),
    "undocumented": ('        """Hidden units."""\n', "", "every_field_is_documented"),
    "no_references": ("References:", "Papers:", "docstring_has_section"),
    "misnumbered": ("(4)\n\nx is", "(5)\n\nx is", "equations_are_numbered"),
    "misnamed": ("equation (4)", "equation (7)", "equations_that_are_named_exist"),
    "from_above": ("import torch\n", "import torch\nfrom untaught.runs.settings import Training\n", "imports_go_down"),
    "excused": (
        "    config: Config\n",
        '    known_failures = {"batch_of_one": "said to fail, but passes"}\n',
        "batch_of_one",
    ),
}
"""A fault put into the skeleton: what is replaced by what, and the check that must find it."""


def faulty(name: str) -> str:
    """The skeleton with one fault, as a model of that name."""
    old, new, _ = FAULTS[name]
    assert old in skeleton(), f"the skeleton no longer has {old!r}"
    text = skeleton().replace(old, new)
    if name == "outside_state":
        text = text.replace("total = error", "total = self.scale * error")
    return text.replace("Contractive", "Faulty" + name.title().replace("_", ""))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The checks that failed, by model."""
    tree = copy_with({f"faulty_{name}": faulty(name) for name in FAULTS}, tmp_path_factory.mktemp("faulty"))
    quiet = ("-p", "no:cacheprovider", "-rfE", "--tb=no")
    run = python(tree, "-m", "pytest", "tests/test_battery.py", "-k", "faulty", *quiet)
    assert run.returncode == 1, run.stdout + run.stderr
    return failures(run.stdout)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.slow
def test_battery_finds(name: str, found: dict[str, set[str]]) -> None:
    assert FAULTS[name][2] in found.get(f"faulty-{name.replace('_', '-')}", set())


def test_capability_checks_are_complete() -> None:
    assert set(CHECKS) == set(CAPABILITIES)
