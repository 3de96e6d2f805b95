"""Starts the window."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from zim_app.core import isolation
from zim_app.gui import crash, language, logs
from zim_app.gui.display import make_application
from zim_app.gui.main_window import MainWindow
from zim_app.gui.settings import preferences
from zim_app.gui.stall_monitor import StallMonitor
from zim_app.gui.termination import Termination
from zim_app.gui.theme import Theme
from zim_app.gui.workers.inference_queue import InferenceQueue, create_engine
from zim_model.assets import asset_path

WARM_UP_AFTER_MS = 50


def run_window(paths: Sequence[Path] = ()) -> int:
    """Show the window, with the first of ``paths`` open, until it is closed.

    Returns:
        The exit code.
    """
    app = QApplication.instance() or make_application()
    assert isinstance(app, QApplication)
    _set_up(app)
    features = preferences.value("feature_memory") * 2**20
    window = MainWindow(InferenceQueue(partial(create_engine, features)))
    window.show()
    isolation.isolate()
    window.open_paths(paths)
    window.files.start()
    # Imports on other threads would delay the first paint by half a second.
    QTimer.singleShot(WARM_UP_AFTER_MS, window.warm_up)
    QTimer.singleShot(WARM_UP_AFTER_MS, _log_versions)
    stalls = StallMonitor.from_environment(app)
    termination = Termination(app, window)
    code = app.exec()
    termination.end()
    if stalls is not None:
        stalls.report()
    return code


def _log_versions() -> None:
    logging.getLogger(__name__).info("started: %s", crash.versions())


def _set_up(app: QApplication) -> None:
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    app.setOrganizationName("zim-studio")
    app.setApplicationName("zim-studio")
    app.setWindowIcon(QIcon(str(asset_path("icons", "zim-studio.png"))))
    Theme(app)
    language.install_translators(app)
    logs.start()
    crash.install_hook()
