"""A main window in which Tab goes through bars and panels in their visual order."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QDockWidget,
    QMainWindow,
    QStatusBar,
    QToolBar,
    QWidget,
)

_DOCK, _BAR = Qt.DockWidgetArea, Qt.ToolBarArea
_RANKS = {
    **{_BAR.TopToolBarArea: 0, _DOCK.TopDockWidgetArea: 1},
    **{_BAR.LeftToolBarArea: 2, _DOCK.LeftDockWidgetArea: 3},
    **{_DOCK.RightDockWidgetArea: 5, _BAR.RightToolBarArea: 6},
    **{_DOCK.BottomDockWidgetArea: 7, _BAR.BottomToolBarArea: 8},
}
_CENTRE, _STATUS = 4, 9
"""Ranks of the regions of a window, from top left to bottom right."""


class TabOrderWindow(QMainWindow):
    """Tab and Shift+Tab follow the layout, also after panels were moved.

    Qt's own order is that in which widgets were made.  Within one bar or panel it is
    kept.  Of exclusive buttons only the checked one is visited; arrow keys reach the
    others.

    **Threads**: the window's only.
    """

    def focusNextPrevChild(self, next_: bool) -> bool:
        order = self._tab_order()
        focused = self.focusWidget()
        if focused not in order:
            return bool(super().focusNextPrevChild(next_))
        step = 1 if next_ else -1
        reasons = Qt.FocusReason
        reason = reasons.TabFocusReason if next_ else reasons.BacktabFocusReason
        order[(order.index(focused) + step) % len(order)].setFocus(reason)
        return True

    def _tab_order(self) -> list[QWidget]:
        """The widgets that Tab visits, in this order."""
        return sorted(filter(_takes_tab, self._focus_chain()), key=self._region_key)

    def _focus_chain(self) -> Iterator[QWidget]:
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self:
            yield widget
            widget = widget.nextInFocusChain()

    def _region_key(self, widget: QWidget) -> tuple[int, int, int]:
        """Rank and position of the bar or panel that contains a widget."""
        region = widget
        while (parent := region.parentWidget()) is not None and parent is not self:
            region = parent
        match region:
            case QToolBar():
                rank = _RANKS[self.toolBarArea(region)]
            case QDockWidget():
                rank = _RANKS.get(self.dockWidgetArea(region), _CENTRE)
            case QStatusBar():
                rank = _STATUS
            case _:
                rank = _CENTRE
        return rank, region.y(), region.x()


def _takes_tab(widget: QWidget) -> bool:
    if not (widget.focusPolicy() & Qt.FocusPolicy.TabFocus):
        return False
    if widget.focusProxy() is not None or not widget.isEnabled():
        return False
    if isinstance(widget, QAbstractButton):
        group = widget.group()
        if group is not None and group.exclusive() and not widget.isChecked():
            return False
    return widget.isVisible() and not isinstance(widget.window(), QDockWidget)
