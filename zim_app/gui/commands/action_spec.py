"""What there is to say about one command."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command.

    Attributes:
        id: names it in menus and handlers, and in the user's own keys.
        text: in menus, to be translated in ``context``.
        keys: shortcuts unless the user chose others; the first is shown.
        icon: a Material Design name, see :mod:`zim_app.gui.icons`.
        short: what the tool bar says instead of showing the icon.
        tip: what it does, where the text does not say it all.
        always: can be used before a picture is open.
        checkable: is on or off.
        choice: of the checkable actions with the same word here, one is on.
        context: of the translations.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    short: str = ""
    always: bool = False
    checkable: bool = False
    choice: str = ""
    context: str = "Actions"

    @property
    def label(self) -> str:
        """The translated text without the mark of its menu key and the dots."""
        text = QCoreApplication.translate(self.context, self.text)
        return text.replace("&", "").removesuffix("…")
