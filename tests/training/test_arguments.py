"""Numbers on the command lines of the training."""

import pytest

from training import ablate, evaluate_converter, merge_weights, pack, train_tiny
from training.arguments import number_between
from training.sa3d import made_up


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (ablate.main, ["2", "--data", "d", "--out", "o", "--seeds=0"]),
        (ablate.main, ["2", "--data", "d", "--out", "o", "--jobs=-1"]),
        (evaluate_converter.main, ["--data", "d", "--kept=-1"]),
        (merge_weights.main, ["a", "b", "--out", "o.safetensors", "--share=nan"]),
        (pack.main, ["d", "-o", "o.tar", "--max-mb=inf"]),
        (pack.main, ["d", "-o", "o.tar", "--longest=95"]),
        (train_tiny.main, ["c.toml", "--data", "d", "--out", "o", "--profile=-1"]),
        (made_up.main, ["d", "--views=0"]),
        (made_up.main, ["d", "--side=0"]),
        (made_up.main, ["d", "--degrees=" + "9" * 400]),
    ],
)
def test_numbers_out_of_range_are_named(main, words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    name, _, value = words[-1].partition("=")
    told = capsys.readouterr().err
    assert f"argument {name}: {value!r} is not a " in told
    assert "number from " in told


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("0.5", 0.5), ("1", 1.0)])
def test_numbers_in_range_are_taken(text, value):
    assert number_between(0, 1, float)(text) == value
    assert number_between(1)("9" * 400) == int("9" * 400)
