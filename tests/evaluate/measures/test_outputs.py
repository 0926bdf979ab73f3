"""What a classifier says of fixed examples, as a list."""

import pytest
import torch

from tests.evaluate.fakes import subject_of
from tests.evaluate.measures.test_classification import LABEL, PROBABILITY, Told
from untaught.data.part import Part
from untaught.errors import ConfigError
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.measures.outputs import EXAMPLES, MEASURE, applies


def test_probabilities_stand_row_after_row() -> None:
    part = Part.of(PROBABILITY, LABEL)
    found = MEASURE.take(subject_of(Told().eval(), part, part))
    given = torch.tensor(found["probabilities"]).view(found["examples"], found["classes"])
    assert (found["examples"], found["classes"]) == (min(EXAMPLES, len(LABEL)), 3)
    torch.testing.assert_close(given, PROBABILITY, rtol=0, atol=6e-5)


def test_it_is_taken_only_where_it_is_asked_for() -> None:
    part = Part.of(PROBABILITY, LABEL)
    subject = subject_of(Told().eval(), part, part)
    assert "classification" in evaluate(subject) and "outputs" not in evaluate(subject)
    assert "outputs" in evaluate(subject, ["outputs"])


def test_it_needs_labels() -> None:
    part = Part.of(PROBABILITY)
    assert applies(subject_of(Told().eval(), part, part)) == "the data have no labels"
    with pytest.raises(ConfigError, match="no labels"):
        evaluate(subject_of(Told().eval(), part, part), ["outputs"])
