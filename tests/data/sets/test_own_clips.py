"""UCF101 and KTH from folders of one's own: which clip belongs to which part, with and without the published lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_clips import ACTIONS, made_kth, made_ucf101

from untaught.data.part import Part
from untaught.data.source import Source, open_data
from untaught.errors import DataError


def names(part: Part | None) -> set[str]:
    """Files of a part."""
    assert part is not None
    return {Path(str(part.place_of(int(first)).file)).stem for first in part.first}


def classes(source: Source, part: Part | None) -> set[str]:
    """Classes of a part."""
    assert part is not None
    return {source.label_names[int(label)] for label in part.label[part.first]}


def of_groups(*groups: int) -> set[str]:
    return {f"v_{action}_g{group:02d}_c01" for action in ACTIONS for group in groups}


@pytest.mark.parametrize(("split", "tested", "learnt"), [(1, 1, (8, 15, 25)), (2, 8, (1, 15, 25)), (3, 15, (1, 8, 25))])
def test_ucf101_is_split_by_group(split: int, tested: int, learnt: tuple[int, ...], tmp_path: Path) -> None:
    source = open_data(f"ucf101:{made_ucf101(tmp_path)}?split={split}", size=8)
    assert names(source.test) == of_groups(tested) and names(source.validation) == of_groups(22)
    assert names(source.train) == of_groups(*learnt) and source.shape == (3, 8, 8)
    for part in source.all_parts().values():
        assert classes(source, part) == set(ACTIONS)


def test_the_lists_of_ucf101_say_what_is_tested(tmp_path: Path) -> None:
    made_ucf101(tmp_path)
    lists = tmp_path / "ucfTrainTestlist"
    lists.mkdir()
    (lists / "testlist01.txt").write_text("".join(f"{one}/v_{one}_g25_c01.avi\n" for one in ACTIONS))
    source = open_data(f"ucf101:{tmp_path}")
    assert names(source.test) == of_groups(25) and names(source.train) == of_groups(1, 8, 15)
    assert names(open_data(f"ucf101:{tmp_path}?split=2").test) == of_groups(8)


def test_kth_is_split_by_person(tmp_path: Path) -> None:
    source = open_data(f"kth:{made_kth(tmp_path)}")
    people = {name: {int(file[6:8]) for file in names(part)} for name, part in source.all_parts().items()}
    assert people == {"train": {11, 12}, "validation": {19}, "test": {22}}
    assert source.label_names == ("boxing", "walking") and source.shape[0] == 1


def test_without_a_folder_it_is_said_where_one_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    with pytest.raises(DataError, match="no folder .*untaught/kth: put or link the folder of kth's classes") as caught:
        open_data("kth")
    assert "\n" not in str(caught.value)
    made_kth(tmp_path / "untaught" / "kth")
    assert len(open_data("kth").train) == 4


def test_a_folder_of_other_clips_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no clip of .* is of the train part by its name") as caught:
        open_data(f"kth:{made_ucf101(tmp_path)}")
    assert "\n" not in str(caught.value)
