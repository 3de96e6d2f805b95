"""Description of one command."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Description of one command, from which its action is made.

    Attributes:
        id: its name in menus, handlers and stored keys.
        text: in menus, translated in ``context``.
        keys: default shortcuts; the first is shown.
        icon: a Material Design name, see :mod:`zim_app.gui.icons`.
        short: text on the tool bar in place of the icon.
        tip: explanation, if the text is not enough.
        always: whether it is enabled without an open image.
        checkable: whether it is on or off.
        choice: name of a group of exclusive checkable actions.
        context: translation context of the texts.
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
        """The translated text without its mnemonic and the ellipsis."""
        text = QCoreApplication.translate(self.context, self.text)
        return text.replace("&", "").removesuffix("…")
