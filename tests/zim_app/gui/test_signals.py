import sys

from PySide6.QtCore import QObject, Signal


class _Emitter(QObject):
    flag = Signal(bool)


def test_signals_keep_their_references(qapp):
    # PySide6 6.12.0 drops a reference to True at every emission.
    emitter, seen = _Emitter(), []
    emitter.flag.connect(seen.append)
    before = sys.getrefcount(True)
    for _ in range(2000):
        emitter.flag.emit(True)
    assert len(seen) == 2000
    seen.clear()
    assert abs(sys.getrefcount(True) - before) < 50
