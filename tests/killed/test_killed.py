"""What is killed loses nothing; ``python -m tests.killed`` kills more often."""

from __future__ import annotations

import sys

import pytest

from tests.killed.__main__ import NAMES, kill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are forked"),
]


@pytest.mark.parametrize("name", NAMES)
def test_killed_programs_lose_nothing(name: str) -> None:
    kills = kill(name, 1)
    assert kills.kills == 1
    assert kills.ends
