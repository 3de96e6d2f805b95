"""The page that the window shows before an image is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import (
    QCoreApplication,
    QPointF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.canvas.markers import paint_prompts
from zim_app.gui.elided_label import elided_file_name
from zim_app.gui.icons import glyph
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.assets import asset_path
from zim_model.prompts import Point, PromptSet

THUMBNAIL = QSize(168, 126)
SIGN_COLOUR = "#8a8a8a"
"""A grey that is visible on light and on dark."""
RECENT = 3
"""Most recent files that are shown."""
COLUMN = 3 * (THUMBNAIL.width() + 24)


SAMPLES = (
    QT_TRANSLATE_NOOP("Samples", "Astronaut"),
    QT_TRANSLATE_NOOP("Samples", "Cat"),
    QT_TRANSLATE_NOOP("Samples", "Coffee"),
)
"""Names of the bundled samples, for translators."""


def sample_paths() -> list[Path]:
    """Paths of the bundled sample images."""
    folder = asset_path("samples")
    return sorted(p for p in folder.glob("*") if p.suffix in (".jpg", ".png"))


def sample_name(path: Path) -> str:
    """The translated name of a sample."""
    name = path.stem.replace("_", " ").replace("-", " ").capitalize()
    return QCoreApplication.translate("Samples", name)


class StartPage(QScrollArea):
    """A drop target, recent files, the samples, and short instructions.

    Args:
        samples: bundled photos.
        recent: files of the user, the newest first; the first ones are shown.

    **Signals**

    - ``open_requested()``: the user clicked the open button.
    - ``path_requested(path)``: the user clicked the file with that ``Path``.

    **Threads**: the window's only.
    """

    open_requested = Signal()
    path_requested = Signal(object)

    def __init__(
        self,
        samples: Sequence[Path],
        recent: Sequence[Path] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Start page"))
        self.buttons: dict[Path, QToolButton] = {}
        middle = QWidget()
        middle.setFixedWidth(COLUMN)
        column = QVBoxLayout(middle)
        column.setSpacing(18)
        column.addWidget(self._drop_target())
        recent = [path for path in recent if path not in samples][:RECENT]
        if recent:
            column.addWidget(QLabel(self.tr("Go on with:")))
            column.addLayout(self._files({path: path.name for path in recent}))
        if samples:
            column.addWidget(QLabel(self.tr("Or try one of these:")))
            named = {path: sample_name(path) for path in samples}
            column.addLayout(self._files(named))
        column.addLayout(self._how_to())
        page = QWidget()
        self.setWidget(page)
        outer = QGridLayout(page)
        outer.setContentsMargins(24, 24, 24, 24)
        outer.addWidget(middle, 0, 0, Qt.AlignmentFlag.AlignCenter)

    def set_thumbnail(self, path: Path, image: QImage) -> None:
        """Set the image of a file's button."""
        if not image.isNull():
            self.buttons[path].setIcon(QIcon(QPixmap.fromImage(image)))

    def _drop_target(self) -> QFrame:
        frame = QFrame()
        frame.setObjectName("drop")
        frame.setStyleSheet(
            "#drop { border: 2px dashed #8a8a8a; border-radius: 10px; }"
        )
        symbol = QLabel()
        symbol.setPixmap(glyph("image-plus-outline", 56, SIGN_COLOUR))
        text = QLabel(self.tr("Drop a photo here"))
        font = text.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        text.setFont(font)
        button = QPushButton(self.tr("Open a photo…"))
        button.setToolTip(self.tr("Choose a file to open"))
        button.clicked.connect(self.open_requested)
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(24, 28, 24, 28)
        layout.setSpacing(12)
        for widget in (symbol, text, button):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        return frame

    def _files(self, names: Mapping[Path, str]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        for path, name in names.items():
            button = QToolButton()
            width = THUMBNAIL.width()
            button.setText(elided_file_name(button.fontMetrics(), name, width))
            button.setAccessibleName(name)
            button.setToolTip(str(path))
            button.setIcon(QIcon(glyph("image-outline", 56, SIGN_COLOUR)))
            button.setIconSize(THUMBNAIL)
            button.setAutoRaise(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.clicked.connect(partial(self.path_requested.emit, path))
            self.buttons[path] = button
            row.addWidget(button)
        row.addStretch()
        return row

    def _how_to(self) -> QGridLayout:
        lines = (
            (
                _marker(Point(12, 12)),
                self.tr("Click on what you want to keep."),
            ),
            (
                _marker(Point(12, 12, positive=False)),
                self.tr("Right-click on what does not belong to it."),
            ),
            (
                glyph("selection-drag", 24, SIGN_COLOUR),
                self.tr("Or drag a box around it. Then export the cut-out."),
            ),
        )
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(12)
        for row, (symbol, text) in enumerate(lines):
            sign = QLabel()
            sign.setPixmap(symbol)
            grid.addWidget(sign, row, 0)
            grid.addWidget(QLabel(text), row, 1)
        return grid


def _marker(point: Point) -> QPixmap:
    pixmap = QPixmap(24, 24)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_prompts(painter, PromptSet((point,)), None, QPointF)
    painter.end()
    return pixmap
