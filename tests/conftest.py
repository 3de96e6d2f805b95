"""Qt without a screen, and property tests without deadlines."""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import settings

os.environ["QT_QPA_PLATFORM"] = "offscreen"

# On a shared machine the duration of an example is not meaningful.
settings.register_profile("zim-studio", settings(), deadline=None)
settings.load_profile("zim-studio")


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("pytest-qt"):  # not needed without a window
        return
    # The offscreen platform warns about every window with a minimum size.
    config.addinivalue_line("qt_log_ignore", "does not support propagateSizeHints")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files of slow tests, so that no worker waits for them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def decoding_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No helper processes, which take a second to start, but where a test asks."""
    monkeypatch.setattr("zim_app.core.isolation.isolate", lambda: None)


@pytest.fixture(autouse=True)
def in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers on all CPUs, whatever instructions they have."""
    monkeypatch.setattr("zim_model.runtime.devices.bf16_time_on_cpu", lambda: math.inf)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots",
        action="store_true",
        help="take what is drawn now as what should be drawn; look at it, then commit",
    )
