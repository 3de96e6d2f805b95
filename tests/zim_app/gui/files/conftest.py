"""What tests of opened files share: a click, another photo, and how to wait."""

from __future__ import annotations

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def click(opened, qtbot):
    def click(x, y, button=LEFT):
        at = opened.canvas.to_view(x, y).toPoint()
        qtbot.mouseClick(opened.canvas.viewport(), button, pos=at)

    return click


@pytest.fixture
def other(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "other.png"
    Image.new("RGB", (30, 20), (1, 2, 3)).save(path)
    return path


def idle(qtbot, window):
    qtbot.waitUntil(lambda: window.idle)


def prompts(window):
    return window.document.state.recipe.prompts


def project_at(window, path):
    """Save as the user does, into a file that is chosen."""
    window.actions_by_id["save_project_as"].trigger()
    dialog = window.findChildren(QFileDialog)[-1]
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(str(path))
    dialog.accept()
