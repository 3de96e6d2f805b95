from pathlib import Path

import pytest

from zim_app.gui.evaluation.choices import (
    MAX_LIMIT,
    MAX_RECENT,
    ChosenFolder,
    EvaluationChoices,
)
from zim_model.evaluation.systems import ModelSystem, PredictionFolder, PromptKind

FULL = EvaluationChoices(
    root="/data/MicroMat3K",
    recent=("/data/MicroMat3K", "/data/other"),
    models=("zim-tiny", "zim-vit-b"),
    predictions=(
        ChosenFolder("HQ-SAM", "/p/hq"),
        ChosenFolder("Other", "/p/o", chosen=False),
    ),
    box=False,
    clicks=True,
    click_count=7,
    device="cuda:0",
    upsampling="bilinear",
    flip_tta=True,
    limit=10,
    keep_mattes=True,
    out="/out",
)


def test_choices_are_remembered_exactly():
    assert EvaluationChoices.from_json(FULL.to_json()) == FULL


@pytest.mark.parametrize(
    "damage",
    [
        {"models": "zim-tiny"},
        {"click_count": "many"},
        {"predictions": [{"name": "x"}, 3, None]},
        {"upsampling": "cubic"},
        {"limit": -4},
        {"point": 1},
        {"recent": [1, None]},
        {"unknown": {}},
    ],
)
def test_damaged_choices_fall_back(damage):
    assert EvaluationChoices.from_json(damage) == EvaluationChoices.from_json({})


def test_numbers_stay_within_bounds():
    assert EvaluationChoices.from_json({"click_count": 1000}).click_count == 50
    assert EvaluationChoices.from_json({"limit": 2**70}).limit == MAX_LIMIT


def test_systems_and_prompts_are_those_that_are_chosen():
    hq = PredictionFolder("HQ-SAM", Path("/p/hq"))
    assert FULL.systems == (
        ModelSystem.from_name("zim-tiny"),
        ModelSystem.from_name("zim-vit-b"),
        hq,
    )
    assert FULL.prompts == (PromptKind("point"), PromptKind("clicks", 7))
    assert PredictionFolder("Other", Path("/p/o")) in FULL.known_systems


def test_the_newest_data_set_is_the_first_of_the_recent_ones():
    choices = EvaluationChoices()
    for number in range(MAX_RECENT + 3):
        choices = choices.with_root(f"/{number}")
    choices = choices.with_root("/5")
    assert choices.recent[0] == "/5"
    assert len(set(choices.recent)) == len(choices.recent) == MAX_RECENT
