"""Columns of true variables: which are kept, and under which name."""

import torch

from untaught.data.view import Batch
from untaught.evaluate.variables import variables


def batch(seed: int, fixed: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    shape = torch.rand(7, 4, 3, generator=generator)
    shape[..., 1] = 0.5
    angle = torch.rand(7, 4, 1, generator=generator)
    latents = {"angle": torch.ones_like(angle) if fixed else angle, "shape": shape, "same": torch.ones(7, 4, 1)}
    return Batch(torch.zeros(7, 4, 1, 2, 2), torch.zeros(7).long(), latents)


def test_columns_are_those_of_the_last_frame_that_vary() -> None:
    held = batch(0)
    known = variables([held])
    assert known.sizes == {"angle": 1, "shape": 2}
    assert torch.equal(known.columns[0][:, 0], held.latents["angle"][:, -1, 0])
    assert torch.equal(known.columns[0][:, 1:], held.latents["shape"][:, -1][:, [0, 2]])


def test_what_stands_still_in_the_last_batch_is_left_out_of_all() -> None:
    known = variables([batch(0), batch(1), batch(2, fixed=True)])
    assert known.sizes == {"shape": 2} and [column.shape[1] for column in known.columns] == [2, 2, 2]


def test_values_are_given_back_by_variable() -> None:
    known = variables([batch(0)])
    values = torch.tensor([1.0, 2.0, 4.0])
    assert known.means(values) == {"angle": 1.0, "shape": 3.0}
    assert known.components(values, 1) == {"shape": [2.0]}
    assert known.places(5) == {"angle": 0, "shape_1": 1, "shape_2": 2}


def test_data_without_variables_have_no_columns() -> None:
    assert variables([Batch.of(torch.zeros(3, 2))]).sizes == {}
