"""Names of controls, and announcements, for screen readers."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

INPUTS = (QAbstractSpinBox, QAbstractSlider, QComboBox, QLineEdit, QAbstractButton)
"""Kinds of controls; inside each other, the outer one counts."""


def inputs_in(root: QWidget) -> list[QWidget]:
    """Controls in a widget, itself included, without parts of other controls."""
    widgets = [root, *root.findChildren(QWidget)]
    controls = [widget for widget in widgets if isinstance(widget, INPUTS)]
    return [control for control in controls if control.parent() not in controls]


def name_controls(form: QFormLayout) -> None:
    """Name the controls of a form that show no text.

    The first one of a row gets the row's label, the others their tool tips.  Qt itself
    names only controls that fill a row.
    """
    for row in range(form.rowCount()):
        field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
        widget = field.widget() if field is not None else None
        if widget is None:
            continue
        label = form.labelForField(widget)
        name = label.text().replace("&", "") if isinstance(label, QLabel) else ""
        for control in inputs_in(widget):
            if control.accessibleName():
                continue
            if isinstance(control, QAbstractButton) and control.text():
                continue
            control.setAccessibleName(name or control.toolTip())
            name = ""


def speak(source: QObject, text: str) -> None:
    """Let a running screen reader speak a text, after what it is saying."""
    if text and QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(source, text))
