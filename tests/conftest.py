"""Qt without a screen and without the user's settings."""

from __future__ import annotations

import os

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"


def pytest_configure(config: pytest.Config) -> None:
    # The offscreen platform says so for every window with a minimum size.
    config.addinivalue_line("qt_log_ignore", "does not support propagateSizeHints")
