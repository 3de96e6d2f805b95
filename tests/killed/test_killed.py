"""What is killed in writing loses nothing; ``python -m tests.killed`` does more."""

from __future__ import annotations

import sys

import pytest

from tests.killed.__main__ import kill
from tests.killed.writers import WRITERS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are forked"),
]


@pytest.mark.parametrize("name", [writer.name for writer in WRITERS])
def test_killed_programs_lose_nothing(name: str) -> None:
    kills = kill(name, 1)
    assert kills.kills == 1
    assert kills.ends
