"""Every command of the window, as one table, and the menus and tool bar made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QMenu,
    QMenuBar,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from zim_app.gui.icons import icon
from zim_app.gui.overlay import VIEW_MODES

ICON_SIZE = QSize(20, 20)
PRIMARY_STYLE = """
#primary { border-radius: 4px; padding: 4px 14px; margin: 2px 6px; }
#primary:enabled { background: #1f74d6; color: white; }
#primary:enabled:hover { background: #2f84e6; }
#primary:enabled:pressed { background: #175eb0; }
"""


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command.

    Attributes:
        id: names it in menus and handlers.
        text: in menus, to be translated in the context "Actions".
        keys: shortcuts; the first is shown.
        icon: a Material Design name, see :mod:`zim_app.gui.icons`.
        short: what the tool bar says instead of showing the icon.
        tip: what it does, where the text does not say it all.
        always: can be used before a picture is open.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    short: str = ""
    always: bool = False


ACTIONS = (
    ActionSpec(
        "open",
        QT_TRANSLATE_NOOP("Actions", "&Open…"),
        ("Ctrl+O",),
        "folder-open-outline",
        QT_TRANSLATE_NOOP("Actions", "Open a picture"),
        always=True,
    ),
    ActionSpec(
        "export",
        QT_TRANSLATE_NOOP("Actions", "&Export cut-out…"),
        ("Ctrl+E",),
        "export-variant",
        QT_TRANSLATE_NOOP("Actions", "Save the object with a transparent background"),
        QT_TRANSLATE_NOOP("Actions", "Export…"),
    ),
    ActionSpec("quit", QT_TRANSLATE_NOOP("Actions", "&Quit"), ("Ctrl+Q",), always=True),
    ActionSpec("undo", QT_TRANSLATE_NOOP("Actions", "&Undo"), ("Ctrl+Z",), "undo"),
    ActionSpec(
        "redo",
        QT_TRANSLATE_NOOP("Actions", "&Redo"),
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "redo",
    ),
    ActionSpec(
        "delete",
        QT_TRANSLATE_NOOP("Actions", "&Delete prompt"),
        ("Delete", "Backspace"),
        "map-marker-remove-outline",
        QT_TRANSLATE_NOOP("Actions", "Delete the selected point or box"),
    ),
    ActionSpec(
        "clear",
        QT_TRANSLATE_NOOP("Actions", "&Clear prompts"),
        ("Ctrl+Shift+Delete",),
        "broom",
        QT_TRANSLATE_NOOP("Actions", "Delete all points and the box"),
    ),
    ActionSpec(
        "escape",
        QT_TRANSLATE_NOOP("Actions", "De&select"),
        ("Escape",),
        tip=QT_TRANSLATE_NOOP("Actions", "Abort the drag under way, or select nothing"),
    ),
    ActionSpec(
        "zoom_in",
        QT_TRANSLATE_NOOP("Actions", "Zoom &in"),
        ("Ctrl++", "Ctrl+=", "+", "="),
        "magnify-plus-outline",
    ),
    ActionSpec(
        "zoom_out",
        QT_TRANSLATE_NOOP("Actions", "Zoom &out"),
        ("Ctrl+-", "-"),
        "magnify-minus-outline",
    ),
    ActionSpec(
        "fit",
        QT_TRANSLATE_NOOP("Actions", "&Fit to window"),
        ("Ctrl+0",),
        "fit-to-page-outline",
    ),
    ActionSpec(
        "actual_size",
        QT_TRANSLATE_NOOP("Actions", "&Actual size"),
        ("Ctrl+1",),
        tip=QT_TRANSLATE_NOOP(
            "Actions", "One screen pixel for each pixel of the picture"
        ),
        short=QT_TRANSLATE_NOOP("Actions", "1:1"),
    ),
    ActionSpec("next_view", QT_TRANSLATE_NOOP("Actions", "&Next view"), ("F",)),
    ActionSpec("about", QT_TRANSLATE_NOOP("Actions", "&About zim-studio"), always=True),
)
"""All commands except the view modes, whose table is :data:`VIEW_MODES`."""

VIEWS = tuple(f"view_{mode.id}" for mode in VIEW_MODES)
SEPARATOR, STRETCH = "-", "<>"
MENUS = (
    (
        QT_TRANSLATE_NOOP("Actions", "&File"),
        ("open", "@samples", "@recent", SEPARATOR, "export", SEPARATOR, "quit"),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&Edit"),
        ("undo", "redo", SEPARATOR, "delete", "clear", "escape"),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&View"),
        (
            *("zoom_in", "zoom_out", "fit", "actual_size", SEPARATOR),
            *VIEWS,
            *(SEPARATOR, "next_view"),
        ),
    ),
    (QT_TRANSLATE_NOOP("Actions", "&Help"), ("about",)),
)
"""Titles and contents of the menus; "@name" stands for a submenu made elsewhere."""

TOOL_BAR = (
    *("open", SEPARATOR, "undo", "redo", SEPARATOR, "delete", "clear", SEPARATOR),
    *("zoom_out", "zoom_in", "fit", "actual_size", STRETCH, *VIEWS, STRETCH, "export"),
)


def tr(text: str) -> str:
    """Translate a text of these tables."""
    return QCoreApplication.translate("Actions", text)


def make_actions(
    parent: QObject, handlers: Mapping[str, Callable[[], object]]
) -> dict[str, QAction]:
    """Make the actions of the table; each id needs a handler, each handler an id."""
    actions = {spec.id: _make_action(spec, parent) for spec in ACTIONS}
    group = QActionGroup(parent)
    for id_, mode in zip(VIEWS, VIEW_MODES, strict=True):
        action = QAction(QCoreApplication.translate("ViewMode", mode.text), group)
        action.setCheckable(True)
        action.setToolTip(
            tr(QT_TRANSLATE_NOOP("Actions", "Show the {}; F shows the next")).format(
                action.text().lower()
            )
        )
        actions[id_] = action
    assert set(actions) == set(handlers), set(actions) ^ set(handlers)
    for id_, action in actions.items():
        action.setObjectName(id_)
        action.triggered.connect(handlers[id_])
    return actions


def _make_action(spec: ActionSpec, parent: QObject) -> QAction:
    action = QAction(tr(spec.text), parent)
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    tip = tr(spec.tip) if spec.tip else action.text().replace("&", "")
    action.setToolTip(with_key(tip, action))
    action.setStatusTip(tip)
    return action


def with_key(tip: str, action: QAction) -> str:
    """A tool tip with the action's key."""
    key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    return f"{tip} ({key})" if key else tip


def paint_icons(actions: Mapping[str, QAction], palette: QPalette) -> None:
    """Give the actions icons in the palette's colours."""
    group = QPalette.ColorGroup
    colour = palette.color(group.Active, QPalette.ColorRole.ButtonText)
    faint = palette.color(group.Disabled, QPalette.ColorRole.ButtonText)
    for spec in ACTIONS:
        if spec.icon:
            actions[spec.id].setIcon(icon(spec.icon, colour.name(), faint.name()))


def fill_menu_bar(
    bar: QMenuBar, actions: Mapping[str, QAction], submenus: Mapping[str, QMenu]
) -> None:
    """Make the menus of the table; ``submenus`` has those with an "@"."""
    for title, entries in MENUS:
        menu = bar.addMenu(tr(title))
        for entry in entries:
            if entry == SEPARATOR:
                menu.addSeparator()
            elif entry.startswith("@"):
                menu.addMenu(submenus[entry[1:]])
            else:
                menu.addAction(actions[entry])


def fill_tool_bar(bar: QToolBar, actions: Mapping[str, QAction]) -> None:
    """Make the tool bar of the table; the last entry is what all work leads to."""
    bar.setIconSize(ICON_SIZE)
    for entry in TOOL_BAR:
        if entry == SEPARATOR:
            bar.addSeparator()
        elif entry == STRETCH:
            bar.addWidget(_stretch())
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
