"""Menus, tool bar and keys, made from the table of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QCoreApplication, QObject, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QMenu,
    QMenuBar,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.action_spec import ActionSpec
from zim_app.gui.commands.actions import (
    ACTIONS,
    MENUS,
    SEPARATOR,
    STRETCH,
    TOOL_BAR,
)
from zim_app.gui.icons import icon

ICON_SIZE = QSize(20, 20)
PRIMARY_STYLE = """
#primary { border-radius: 4px; padding: 4px 14px; margin: 2px 6px; }
#primary:enabled { background: #1f74d6; color: white; }
#primary:enabled:hover { background: #2f84e6; }
#primary:enabled:pressed { background: #175eb0; }
"""


def tr(text: str) -> str:
    """Translate a text of the tables."""
    return QCoreApplication.translate("Actions", text)


def make_actions(
    parent: QObject, handlers: Mapping[str, Callable[..., object]]
) -> dict[str, QAction]:
    """Make the actions of the table, connected to their handlers by id."""
    groups = {spec.choice: QActionGroup(parent) for spec in ACTIONS if spec.choice}
    actions = {spec.id: _make_action(spec, parent) for spec in ACTIONS}
    assert set(actions) == set(handlers), set(actions) ^ set(handlers)
    for spec in ACTIONS:
        action = actions[spec.id]
        action.triggered.connect(handlers[spec.id])
        if spec.choice:
            groups[spec.choice].addAction(action)
    set_keys(actions)
    return actions


def _make_action(spec: ActionSpec, parent: QObject) -> QAction:
    text = QCoreApplication.translate(spec.context, spec.text)
    action = QAction(text, parent)
    action.setObjectName(spec.id)
    action.setCheckable(spec.checkable or bool(spec.choice))
    tip = QCoreApplication.translate(spec.context, spec.tip)
    set_tip(action, tip or text.replace("&", ""))
    return action


def set_tip(action: QAction, tip: str) -> None:
    """Set status tip and tool tip of an action; the tool tip names its key."""
    action.setStatusTip(tip)
    key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{tip} ({key})" if key else tip)


def set_keys(actions: Mapping[str, QAction]) -> None:
    """Set the keys of the actions from the preferences, also in tool tips."""
    for id_, keys in shortcuts.current().items():
        actions[id_].setShortcuts([QKeySequence(key) for key in keys])
        set_tip(actions[id_], actions[id_].statusTip())


def paint_icons(actions: Mapping[str, QAction], palette: QPalette) -> None:
    """Set the icons of the actions in the palette's colours."""
    group = QPalette.ColorGroup
    colour = palette.color(group.Active, QPalette.ColorRole.ButtonText)
    faint = palette.color(group.Disabled, QPalette.ColorRole.ButtonText)
    for spec in ACTIONS:
        if spec.icon:
            actions[spec.id].setIcon(icon(spec.icon, colour.name(), faint.name()))


def fill_menu_bar(
    bar: QMenuBar, actions: Mapping[str, QAction], submenus: Mapping[str, QMenu]
) -> None:
    """Add the menus of the table; ``submenus`` are those named with "@"."""
    for title, entries in MENUS:
        fill_menu(bar.addMenu(tr(title)), entries, actions, submenus)


def fill_menu(
    menu: QMenu,
    entries: Iterable[str],
    actions: Mapping[str, QAction],
    submenus: Mapping[str, QMenu],
) -> None:
    """Add the entries of a menu of the table."""
    for entry in entries:
        if entry == SEPARATOR:
            menu.addSeparator()
        elif entry.startswith("@"):
            menu.addMenu(submenus[entry[1:]])
        else:
            menu.addAction(actions[entry])


def fill_tool_bar(
    bar: QToolBar, actions: Mapping[str, QAction], widgets: Mapping[str, QWidget]
) -> None:
    """Add the entries of the tool bar; the last one is highlighted.

    ``widgets`` are those named with "@".
    """
    bar.setIconSize(ICON_SIZE)
    for entry in TOOL_BAR:
        if entry == SEPARATOR:
            bar.addSeparator()
        elif entry == STRETCH:
            bar.addWidget(_stretch())
        elif entry.startswith("@"):
            bar.addWidget(widgets[entry[1:]])
        else:
            bar.addAction(actions[entry])
            bar.widgetForAction(actions[entry]).setFocusPolicy(Qt.FocusPolicy.NoFocus)
    for spec in ACTIONS:
        button = bar.widgetForAction(actions[spec.id])
        if spec.short and isinstance(button, QToolButton):
            actions[spec.id].setIconText(tr(spec.short))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    bar.widgetForAction(actions[TOOL_BAR[-1]]).setObjectName("primary")
    bar.setStyleSheet(PRIMARY_STYLE)


def _stretch() -> QWidget:
    stretch = QWidget()
    stretch.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return stretch
