"""Panels come with the first image and stay where the user left them."""

from zim_app.gui.main_window import MainWindow
from zim_app.gui.workers.inference_queue import InferenceQueue


def panels(window):
    return {a.text(): a for a in window.panels.menu.actions()}


def test_panels_wait_for_a_image(window):
    docks = (window.objects, window.tools.candidates, window.tools.refine)
    assert not any(dock.isVisible() for dock in docks)
    assert not window.panels.menu.isEnabled()


def test_a_closed_panel_is_brought_back_by_the_menu(opened):
    refine = opened.tools.refine
    assert refine.isVisible()
    refine.close()
    assert not refine.isVisible()
    panels(opened)["Refine"].trigger()
    assert refine.isVisible()


def test_a_closed_panel_stays_closed(opened, settle, photo, qtbot, engine):
    opened.tools.candidates.close()
    opened.open_path(photo)
    settle()
    assert not opened.tools.candidates.isVisible(), "with the next image"
    opened.close()
    again = MainWindow(InferenceQueue(lambda: engine))
    qtbot.addWidget(again)
    again.show()
    again.open_path(photo)
    qtbot.waitUntil(lambda: again.idle)
    assert not again.tools.candidates.isVisible(), "at the next start"
    assert again.objects.isVisible()
    again.close()
