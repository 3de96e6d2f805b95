"""Row of one model in the model manager: description, licence, state and buttons."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.language import (
    format_number,
    size_text,
    time_left_text,
    translate_message,
)
from zim_app.gui.models.model_worker import Download
from zim_app.gui.status_bar import WARNING
from zim_model.errors import ZimError
from zim_model.weights import hub
from zim_model.weights.adapted import Adaptation
from zim_model.weights.catalogue import ModelInfo, find_known
from zim_model.weights.download import DownloadProgress, partial_bytes
from zim_model.weights.installed import InstalledModel

translate = QCoreApplication.translate

_PERMILLE = 1000
"""Steps of a progress bar."""


def progress_text(progress: DownloadProgress) -> str:
    """Progress of a download as text: percent, rate and remaining time."""
    if progress.verifying:
        return translate("ModelRow", "Checking the file…")
    percent = 100 * progress.done // max(1, progress.total)
    parts = [
        translate("ModelRow", "{} % of {}").format(percent, size_text(progress.total))
    ]
    left = progress.seconds_left
    if left is not None:
        rate = size_text(progress.rate)
        parts.append(translate("ModelRow", "{} per second").format(rate))
        parts.append(time_left_text(left))
    return " · ".join(parts)


class ModelRow(QFrame):
    """Row of one model: description, licence, state and buttons.

    Args:
        name: of the model.
        adaptation: where it comes from, if it was adapted from another one.
        stated: the licence that the file of an unknown model states.

    **Signals**: ``use_requested``, ``download_requested``, ``cancel_requested`` and
    ``remove_requested``, each with the model's name.

    **Threads**: the window's only.
    """

    use_requested = Signal(str)
    download_requested = Signal(str)
    cancel_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(
        self,
        name: str,
        adaptation: Adaptation | None = None,
        stated: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name, self._adaptation, self._stated = name, adaptation, stated
        self.info: ModelInfo | None = find_known(name)
        self.setObjectName("model-row")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.title = QLabel(self.info.title if self.info else name)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.state = QLabel()
        self.description = self._text(self._description())
        self.cost = self._text(self._cost())
        self.cost.setVisible(bool(self.cost.text()))
        self.licence = self._licence()
        self.progress = QProgressBar()
        self.progress.setRange(0, _PERMILLE)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress_label = QLabel()
        self.error = self._text("")
        self._setup_buttons()
        self._setup_layout()

    def _text(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label

    def _description(self) -> str:
        if self.info is not None:
            return translate_message(self.info.description)
        if self._adaptation is None:
            if self._stated is None:
                return self.tr("Added from the disk; its licence is not known here.")
            text = self.tr("Added from the disk; its file states the licence {}.")
            return text.format(self._stated)
        parent = find_known(self._adaptation.parent)
        return self.tr("Adapted from {} to {} corrected photos.").format(
            parent.title if parent else self._adaptation.parent,
            self._adaptation.images,
        )

    def _cost(self) -> str:
        """How long the model takes without a GPU; empty where it is not known."""
        if self.info is None or self.info.cpu_seconds is None:
            return ""
        photo, click = self.info.cpu_seconds
        text = self.tr(
            "On one CPU core: {} s for a new photo, then {} s for each click"
        )
        return text.format(format_number(photo, 0), format_number(click, 1))

    def _licence(self) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setOpenExternalLinks(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        # An adapted model inherits the licence of the known one that it began with.
        info = self.info
        if info is None and self._adaptation is not None:
            info = find_known(self._adaptation.origin)
        if info is not None:
            terms = info.licence
            link = f'<a href="{escape(terms.url)}">{escape(terms.name)}</a>'
            text = self.tr("Licence: {}").format(link)
            if not terms.commercial:
                warning = escape(self.tr("not for commercial use"))
                text += f' · <b style="color:{WARNING.name()}">{warning}</b>'
            source = self.tr("authors’ page")
            text += f' · <a href="{escape(info.source)}">{escape(source)}</a>'
            label.setText(text)
        return label

    def _setup_buttons(self) -> None:
        self.use_button = self._button(self.tr("Use"), self._on_use_clicked)
        self.use_button.setToolTip(
            self.tr("Matte the active object with this model, and new photos too")
        )
        self.download_button = self._button("", self._on_download_clicked)
        self.cancel_button = self._button(self.tr("Cancel"), self._on_cancel_clicked)
        self.cancel_button.setToolTip(
            self.tr("Stop the download; what has arrived is kept")
        )
        self.remove_button = self._button(self.tr("Remove"), self._on_remove_clicked)
        self.remove_button.setToolTip(self.tr("Delete the files from this computer"))

    def _button(self, text: str, handler: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(handler)
        return button

    @Slot()
    def _on_use_clicked(self) -> None:
        self.use_requested.emit(self.name)

    @Slot()
    def _on_download_clicked(self) -> None:
        self.download_requested.emit(self.name)

    @Slot()
    def _on_cancel_clicked(self) -> None:
        self.cancel_requested.emit(self.name)

    @Slot()
    def _on_remove_clicked(self) -> None:
        self.remove_requested.emit(self.name)

    def _setup_layout(self) -> None:
        buttons = QHBoxLayout()
        for button in (
            self.use_button,
            self.download_button,
            self.cancel_button,
            self.remove_button,
        ):
            buttons.addWidget(button)
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addWidget(self.state)
        head.addStretch(1)
        head.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(4)
        layout.addLayout(head)
        for widget in (
            self.description,
            self.cost,
            self.licence,
            self.progress,
            self.progress_label,
            self.error,
        ):
            layout.addWidget(widget)

    def show_state(
        self,
        model: InstalledModel | None,
        download: Download | None,
        error: ZimError | None,
        *,
        in_use: bool,
    ) -> None:
        """Show the current state of the model.

        Args:
            model: the installed model, if it is installed.
            download: current or waiting download.
            error: of the last download or addition.
            in_use: whether the active object uses it.
        """
        received = partial_bytes(self.info) if self.info and not model else 0
        self.state.setText(self._state(model, download, received, in_use=in_use))
        self.use_button.setVisible(model is not None and model.kind == "prompt")
        self.use_button.setEnabled(not in_use)
        self.download_button.setVisible(model is None and download is None)
        self._name_download(received)
        self.cancel_button.setVisible(download is not None)
        self.cancel_button.setEnabled(not (download and download.stop.is_set()))
        removable = not model.bundled if model else received > 0
        self.remove_button.setVisible(removable and download is None)
        self._show_progress(download)
        self.licence.setVisible(bool(self.licence.text()))
        self.error.setVisible(error is not None)
        if error is not None:
            self.error.setText(error_text(error))
            self.error.setStyleSheet(f"color: {error_colour(self.palette())};")

    def _state(
        self,
        model: InstalledModel | None,
        download: Download | None,
        received: int,
        *,
        in_use: bool,
    ) -> str:
        if download is not None:
            if download.stop.is_set():
                return self.tr("Stopping…")
            if download.progress is None:
                return self.tr("Waiting for its turn")
            return self.tr("Downloading")
        if model is None:
            total = self.info.size if self.info else 0
            if received:
                text = self.tr("{} of {} downloaded")
                return text.format(size_text(received), size_text(total))
            return self.tr("Not installed")
        kind = self.tr("Bundled") if model.bundled else self.tr("Installed")
        parts = [kind, size_text(model.size)]
        if in_use:
            parts.append(self.tr("in use"))
        return " · ".join(parts)

    def _name_download(self, received: int) -> None:
        if self.info is None:
            return
        total = size_text(self.info.size)
        text = self.tr("Resume") if received else self.tr("Download {}").format(total)
        self.download_button.setText(text)
        host = hub.hub_host(self.info.files[0]) if self.info.files else ""
        tip = self.tr("Fetch {} from {}; the licence above applies")
        if all(map(hub.find_cached, self.info.files)):
            tip = self.tr(
                "Take {} from the Hugging Face cache, without the network; the licence "
                "above applies"
            )
        self.download_button.setToolTip(tip.format(total, host))

    def _show_progress(self, download: Download | None) -> None:
        progress = download.progress if download else None
        self.progress.setVisible(download is not None)
        self.progress_label.setVisible(progress is not None)
        self.progress.setValue(0)
        if progress is not None:
            permille = _PERMILLE * progress.done // max(1, progress.total)
            self.progress.setValue(permille)
            self.progress_label.setText(progress_text(progress))


def error_text(error: ZimError) -> str:
    """Message and hint of an error, translated."""
    return (
        f"{translate_message(error.message)}\n{translate_message(error.hint)}".strip()
    )


def error_colour(palette: QPalette) -> str:
    """A red that is readable on this palette's background."""
    dark = palette.color(QPalette.ColorRole.Window).lightness() < 128
    return "#ff8a80" if dark else "#b3261e"
