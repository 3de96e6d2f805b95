"""The README says what is true: its keys, its commands and its files."""

import re
import shlex
from pathlib import Path

import pytest

from zim_app.cli import main as cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_keys_are_those_of_the_window():
    from zim_app.gui.commands.actions import ACTIONS

    known = {key for spec in ACTIONS for key in spec.keys}
    table = README.partition("## In the studio")[2].partition("\n\n!")[0]
    cells = " ; ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    key = r"(?:Ctrl\+|Shift\+)*(?:[A-Z]|\d|PgUp|PgDown|Delete|[?,\[\]])"
    named = set(re.findall(rf"(?<![\w+]){key}(?![\w+])", cells))
    named -= {","}  # between two keys
    assert {"F", "Ctrl+E", "[", "?", "Ctrl+,", "1"} <= named, "the table is read"
    assert named <= known


def test_linked_files_exist():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 3
    for link in links:
        if not link.startswith("http"):
            assert (ROOT / link).exists(), link


@pytest.mark.slow
def test_commands_run_as_written(tmp_path, monkeypatch, capsys):
    sample = ROOT / "assets" / "samples" / "cat.jpg"
    (tmp_path / "cat.jpg").write_bytes(sample.read_bytes())
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^zim-studio (matte .*)$", README, re.MULTILINE)
    assert len(commands) >= 2
    for command in commands:
        assert cli.run(shlex.split(command)) == 0, capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} >= {"cutout.png", "matte.png"}


@pytest.mark.slow
def test_python_example_runs_as_written(tmp_path, monkeypatch):
    sample = ROOT / "assets" / "samples" / "cat.jpg"
    (tmp_path / "cat.jpg").write_bytes(sample.read_bytes())
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(example, names)
    assert names["alpha"].shape == (300, 451)
