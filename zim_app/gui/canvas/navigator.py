"""The navigator: a small overview of the photo while the view shows a part of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from zim_app.gui.canvas.markers import ACCENT
from zim_app.gui.canvas.overlay import OverlayItem, OverlayLayer
from zim_app.gui.canvas.pyramid_item import ImageItem
from zim_app.gui.canvas.view_modes import VIEW_MODES
from zim_app.gui.canvas.viewport import WHEEL_STEP, ZOOM_STEP, Viewport
from zim_model.arrays import ByteArray

LONGEST_SIDE = 180
"""Most pixels of a side of the overview, in view pixels."""
SHARE = 0.3
"""Most of the view's width and height that the overview takes."""
_SMALLEST = 60
"""Longest side below which there is no use in an overview."""
_MARGIN = 12
_WHOLE = 0.5
"""Image pixels that may be out of view while the image counts as wholly visible."""
_SHADE = QColor(0, 0, 0, 110)
_OUTLINE = next(mode for mode in VIEW_MODES if mode.outlined)
_MOVES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


class Navigator(QWidget):
    """Shows the photo, the outlines of the mattes, and what of it the view shows.

    It lies in a corner of the view while the image does not fit there, and gives way to
    a loupe or bar that needs the place.  Clicking and dragging move the view.

    Attributes:
        enabled_by_user: whether it is shown at all.

    **Threads**: the window's only.
    """

    def __init__(self, view: Viewport) -> None:
        super().__init__(view)
        self._view = view
        self.enabled_by_user = True
        self._image, self._outlines = ImageItem(), OverlayItem()
        self._outlines.set_mode(_OUTLINE)
        self._picture: QPixmap | None = None
        self._grab: QPointF | None = None  # from the view's centre, in image pixels
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setAccessibleName(self.tr("Navigator"))
        self.setToolTip(self.tr("The visible part of the photo; drag to move it"))
        self.hide()
        view.zoom_changed.connect(self._follow)
        for bar in (view.horizontalScrollBar(), view.verticalScrollBar()):
            bar.valueChanged.connect(self._follow)
        view.levels_shown.connect(self._on_levels_shown)
        view.layers_shown.connect(self._on_layers_shown)
        view.installEventFilter(self)
        for child in view.findChildren(
            QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
        ):
            child.installEventFilter(self)

    def set_enabled_by_user(self, on: bool) -> None:
        """Show the overview when it is of use, or never."""
        self.enabled_by_user = on
        self._follow()

    # -- The view ---------------------------------------------------------------------

    @property
    def shown_area(self) -> QRectF:
        """The visible part of the image, in image pixels."""
        inverse, _ = self._view.viewportTransform().inverted()
        seen = inverse.mapRect(QRectF(self._view.viewport().rect()))
        return seen & self._view.image_rect

    @Slot(object)
    def _on_levels_shown(self, levels: tuple[ByteArray, ...]) -> None:
        self._image.set_levels(levels)
        self._outlines.set_levels(levels)
        self._picture = None
        self._follow()

    @Slot(object)
    def _on_layers_shown(self, layers: tuple[OverlayLayer, ...]) -> None:
        self._outlines.set_layers(layers)
        self._picture = None
        self.update()

    @Slot()
    def _follow(self) -> None:
        """Adapt place and visibility to the view."""
        if self._grab is None:  # else it would leave the pointer that drags it
            self._place()
            self.setVisible(self._is_useful() and not self._is_in_the_way())
        self.update()

    def _place(self) -> None:
        image, room = self._view.image_rect, self._view.size()
        size = (
            image.size()
            .toSize()
            .scaled(
                QSize(LONGEST_SIDE, LONGEST_SIDE).boundedTo(room * SHARE),
                Qt.AspectRatioMode.KeepAspectRatio,
            )
        )
        size = size.expandedTo(QSize(1, 1))  # of a very long image
        corner = QPoint(room.width(), room.height()) - QPoint(_MARGIN, _MARGIN)
        if size != self.size():
            self._picture = None
            self.resize(size)
        self.move(corner - QPoint(size.width(), size.height()))

    def _is_useful(self) -> bool:
        image, shown = self._view.image_rect, self.shown_area
        partial = (
            shown.width() < image.width() - _WHOLE
            or shown.height() < image.height() - _WHOLE
        )
        large = max(self.width(), self.height()) >= _SMALLEST
        return self.enabled_by_user and partial and large

    def _is_in_the_way(self) -> bool:
        """Whether another widget over the view, such as the loupe, needs the place."""
        return any(
            sibling.isVisible() and sibling.geometry().intersects(self.geometry())
            for sibling in self._siblings()
        )

    def _siblings(self) -> list[QWidget]:
        """Loupes and bars; not the line of the wipe, which crosses the whole view."""
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        children = self._view.findChildren(QWidget, options=direct)
        room = self._view.height()
        others = [x for x in children if x not in (self, self._view.viewport())]
        return [x for x in others if x.height() < room]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.ChildPolished and watched is self._view:
            child = event.child()  # type: ignore[attr-defined]
            if child is not self and child.isWidgetType():
                child.installEventFilter(self)
        elif kind in _MOVES and watched is not self._view.viewport():
            self._follow()
        return False

    # -- Mouse ------------------------------------------------------------------------

    def _to_image(self, position: QPointF) -> QPointF:
        scale = self._view.image_rect.width() / self.width()
        return position * scale

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # whatever the button, it is no prompt
        if event.button() != Qt.MouseButton.LeftButton:
            return
        position, shown = self._to_image(event.position()), self.shown_area
        held = shown.contains(position)
        self._grab = position - shown.center() if held else QPointF()
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self._view.centerOn(position - self._grab)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grab is not None:
            self._view.centerOn(self._to_image(event.position()) - self._grab)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grab = None
            self.setCursor(Qt.CursorShape.OpenHandCursor)
            self._follow()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the centre of the view."""
        self._view.zoom_by(ZOOM_STEP ** (event.angleDelta().y() / WHEEL_STEP))
        event.accept()

    # -- Painting ---------------------------------------------------------------------

    def overview(self, ratio: float) -> QPixmap:
        """Photo and outlines.

        Args:
            ratio: screen pixels per view pixel.
        """
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(self._view.backgroundBrush().color())
        image = self._view.image_rect
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.scale(self.width() / image.width(), self.height() / image.height())
        scale = self.width() * ratio / image.width()
        self._image.paint_exposed(painter, image, scale)
        self._outlines.paint_exposed(painter, image, scale)
        painter.end()
        return pixmap

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            self._picture = self.overview(ratio)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        scale = self.width() / self._view.image_rect.width()
        shown = self.shown_area
        frame = QRectF(shown.topLeft() * scale, shown.size() * scale)
        whole = QRectF(self.rect())
        painter.save()
        painter.setClipRegion(event.region().subtracted(frame.toAlignedRect()))
        painter.fillRect(whole, _SHADE)
        painter.restore()
        painter.setPen(QPen(ACCENT, 2))
        painter.drawRect(frame.adjusted(1, 1, -1, -1).intersected(whole))
        painter.setPen(self.palette().color(QPalette.ColorRole.Dark))
        painter.drawRect(whole.adjusted(0, 0, -1, -1))
