from time import perf_counter

from PySide6.QtCore import QTimer

from zim_app.gui.stall_monitor import VARIABLE, StallMonitor


def test_a_blocked_event_loop_is_noticed(qtbot, capsys):
    def block():
        end = perf_counter() + 0.08
        while perf_counter() < end:
            pass

    monitor = StallMonitor()
    QTimer.singleShot(20, block)
    qtbot.waitUntil(lambda: bool(monitor.stalls))
    monitor.stop()
    assert monitor.longest_ms >= 80
    assert monitor.stalls[0][1] >= 80
    monitor.report()
    assert "longest gap" in capsys.readouterr().err
    monitor.reset()
    assert monitor.stalls == []


def test_it_runs_only_on_request(qapp, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert StallMonitor.from_environment() is None
    monkeypatch.setenv(VARIABLE, "1")
    monitor = StallMonitor.from_environment()
    assert monitor is not None
    monitor.stop()
