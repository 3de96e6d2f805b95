"""The main window: connects document, canvas, engine, files and menus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt, Slot
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QUndoGroup,
)
from PySide6.QtWidgets import (
    QGridLayout,
    QMenu,
    QStackedWidget,
    QToolBar,
    QWidget,
)

from zim_app.gui import crash
from zim_app.gui.activity import ActivityIndicator
from zim_app.gui.adaptation.adaptation_controller import AdaptationController
from zim_app.gui.batch.batch_controller import BatchController
from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.view_controller import ViewController
from zim_app.gui.commands import actions, cheat_sheet, menus
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.erasing.erase_controller import EraseController
from zim_app.gui.evaluation.evaluation_controller import EvaluationController
from zim_app.gui.everything.everything_controller import EverythingController
from zim_app.gui.everything.subject_controller import SubjectController
from zim_app.gui.files import dialogs
from zim_app.gui.files.autosave import Autosave
from zim_app.gui.files.drag_handle import DragHandle
from zim_app.gui.files.export_controller import ExportController
from zim_app.gui.files.file_controller import FileController
from zim_app.gui.files.mask_controller import MaskController
from zim_app.gui.files.open_job import OpenedImage
from zim_app.gui.files.open_notices import OPEN_TOPIC
from zim_app.gui.files.start_page import StartPage, sample_name, sample_paths
from zim_app.gui.input_filter import InputFilter
from zim_app.gui.models.model_controller import ModelController, default_model
from zim_app.gui.notices import Banner, BusyBar
from zim_app.gui.panels.folder_strip import FolderStrip
from zim_app.gui.panels.objects_panel import ObjectsPanel
from zim_app.gui.panels.panels import DockPanels
from zim_app.gui.settings import preferences, settings_dialog, window_state
from zim_app.gui.status_bar import StatusBar
from zim_app.gui.tab_order import TabOrderWindow
from zim_app.gui.tools.tool_controller import ToolController
from zim_app.gui.workers.file_worker import FileWorker
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_app.gui.workers.matte_packer import MattePacker
from zim_model.errors import ZimError
from zim_model.request import Matte, Request, Timings


class MainWindow(TabOrderWindow):
    """The one window of the program, and the controllers' ``Studio``.

    Args:
        queue: of requests to the engine; the window owns and closes it.

    **Threads**: the window's; file access and the engine run on others.
    """

    def __init__(self, queue: InferenceQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self.actions_by_id: dict[str, QAction] = {}
        self.queue = queue
        queue.setParent(self)
        self.file_worker = FileWorker(self)
        self._packer = MattePacker(self)
        self.sessions = Autosave(self.file_worker, self)
        self._undo_group = QUndoGroup(self)
        self._pointer_position: QPointF | None = None
        self.canvas = Canvas()
        self.tools = ToolController(self, self.canvas, queue)
        self.view = ViewController(self.canvas, self)
        self.objects = ObjectsPanel()
        self.everything = EverythingController(self.canvas, queue, self)
        self.start_page = StartPage(sample_paths(), window_state.recent_paths())
        self.pages, self.banner = QStackedWidget(), Banner()
        self.busy_bar = BusyBar()
        self.status, self.strip = StatusBar(), FolderStrip()
        self.files = FileController(self)
        self.models = ModelController(queue, self.banner, self)
        self.export = ExportController(self)
        self.erasing = EraseController(self)
        self.masks = MaskController(self)
        self.subjects = SubjectController(self)
        self.batch = BatchController(self)
        self.evaluation = EvaluationController(self)
        self.adaptation = AdaptationController(self, self.models)
        self.activity = ActivityIndicator(
            queue, self.file_worker, self.status, self.busy_bar, self
        )
        self._setup_layout()
        InputFilter(self, self.canvas)
        self._setup_actions()
        self._connect()
        self._update_actions()
        self._update_title()
        if not self.restoreGeometry(window_state.window_geometry()):
            self.resize(window_state.first_size(self.screen()))

    @property
    def widget(self) -> QWidget:
        """The window, as :class:`~zim_app.gui.studio.Studio` offers it."""
        return self

    @property
    def idle(self) -> bool:
        """Whether no worker is running."""
        workers = (self.queue, self.file_worker, self.strip, self.view, self._packer)
        controllers = (self.models, self.batch, self.adaptation)
        return all(part.idle for part in (*workers, *controllers))

    @Slot()
    def warm_up(self) -> None:
        """Load the modules of the first image and click in the background."""
        self.file_worker.warm_up(self.start_page.buttons)
        self.queue.warm_up()

    # -- Set-up -----------------------------------------------------------------

    def _setup_layout(self) -> None:
        self.pages.addWidget(self.start_page)
        self.pages.addWidget(self.canvas)
        centre = QWidget()
        layout = QGridLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        top = Qt.AlignmentFlag.AlignTop
        layout.addWidget(self.pages, 0, 0)
        layout.addWidget(self.busy_bar, 0, 0, top)
        # The banner lies over the canvas, so that nothing moves when it appears.
        over = QGridLayout()
        over.setContentsMargins(12, 12, 12, 12)
        over.addWidget(self.banner)
        layout.addLayout(over, 0, 0, top)
        self.setCentralWidget(centre)
        areas = Qt.DockWidgetArea
        self.addDockWidget(areas.RightDockWidgetArea, self.objects)
        self.setStatusBar(self.status)
        self.addDockWidget(areas.BottomDockWidgetArea, self.strip)
        # On small screens the panels need the full height.
        self.setCorner(Qt.Corner.BottomRightCorner, areas.RightDockWidgetArea)
        self.setAcceptDrops(True)
        self.canvas.setAcceptDrops(False)

    def _setup_actions(self) -> None:
        self.actions_by_id = menus.make_actions(
            self,
            {
                "open": self.files.choose_file,
                "open_folder": self.files.choose_folder,
                "save_project": self.files.save_project,
                "save_project_as": self.files.save_project_as,
                "paste": self.files.paste,
                "previous_picture": partial(self.strip.step, -1),
                "next_picture": partial(self.strip.step, 1),
                "strip": self.files.set_strip_shown,
                "select_subject": self.subjects.select,
                "quit": self.close,
                "undo": self._undo_group.undo,
                "redo": self._undo_group.redo,
                "delete": self.canvas.delete_selected,
                "clear": self.canvas.clear_prompts,
                "escape": self._escape,
                "stop": self.stop,
                "show_object": self.canvas.zoom_to_object,
                "settings": self.show_settings,
                "cheat_sheet": self.show_cheat_sheet,
                "log_folder": crash.open_log_folder,
                "models": self.models.show_manager,
                "about": self.show_about,
                **self.export.handlers,
                **self.erasing.handlers,
                **self.view.handlers,
                **self.tools.handlers,
                **self.objects.handlers,
                **self.everything.handlers,
                **self.masks.handlers,
                **self.batch.handlers,
                **self.evaluation.handlers,
                **self.adaptation.handlers,
            },
        )
        self.objects.set_actions(self.actions_by_id)
        self.activity.set_action(self.actions_by_id["stop"])
        self._recent_menu = QMenu(self.tr("Open &recent"), self)
        self._recent_menu.aboutToShow.connect(self._fill_recent_menu)
        backgrounds = QMenu(self.tr("&Background"), self)
        menus.fill_menu(backgrounds, actions.BACKGROUND_MENU, self.actions_by_id, {})
        self.view.connect_actions(self.actions_by_id, backgrounds)
        self.panels = DockPanels(self, (self.objects, *self.tools.panels))
        submenus = {
            "panels": self.panels.menu,
            "samples": self._samples_menu(),
            "recent": self._recent_menu,
            "background": backgrounds,
            **self.models.menus,
        }
        menus.fill_menu_bar(self.menuBar(), self.actions_by_id, submenus)
        self._tool_bar = QToolBar(self.tr("Commands"))
        self._tool_bar.setObjectName("commands")
        self._tool_bar.setMovable(False)
        widgets = {"background": self.view.button}
        menus.fill_tool_bar(self._tool_bar, self.actions_by_id, widgets)
        self._tool_bar.addWidget(DragHandle(self.export))
        self.addToolBar(self._tool_bar)
        self.tools.connect_actions(self, self.actions_by_id)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._paint_icons()

    def _paint_icons(self) -> None:
        menus.paint_icons(self.actions_by_id, self.palette())
        self.tools.paint_icons(self.palette())

    def _samples_menu(self) -> QMenu:
        menu = QMenu(self.tr("Open sa&mple"), self)
        for path in sample_paths():
            menu.addAction(sample_name(path), partial(self.open_path, path))
        menu.setEnabled(not menu.isEmpty())
        return menu

    @Slot()
    def _fill_recent_menu(self) -> None:
        self._recent_menu.clear()
        for path in window_state.recent_paths():
            action = self._recent_menu.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(partial(self.open_path, path))
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction(self.tr("Nothing yet")).setEnabled(False)

    def _connect(self) -> None:
        group, by_id = self._undo_group, self.actions_by_id
        self.queue.prepared.connect(self._on_queue_prepared)
        self.queue.solved.connect(self._on_queue_solved)
        self.queue.failed.connect(self._on_queue_failed)
        self.file_worker.thumbnail_read.connect(self.start_page.set_thumbnail)
        self.models.model_chosen.connect(self.use_model)
        self.tools.refine.models_requested.connect(self.models.show_manager)
        preferences.changed.connect(self._on_preference_changed)
        preferences.failed.connect(self.report)
        self.objects.selection_changed.connect(self._update_actions)
        show = partial(self.banner.show_error, topic=OPEN_TOPIC)
        self.objects.rejected.connect(show)
        self.everything.rejected.connect(show)
        self.everything.active_changed.connect(by_id["everything"].setChecked)
        self.canvas.pointer_moved.connect(self._on_canvas_pointer_moved)
        self.canvas.zoom_changed.connect(self.status.show_zoom)
        self.status.zoom_requested.connect(self.canvas.set_zoom)
        self.status.fit_requested.connect(self.canvas.fit)
        for part in (self.everything, self.batch, self.view):
            part.failed.connect(self.report)
        self.canvas.selection_changed.connect(self._update_actions)
        self.files.project_changed.connect(self._update_title)
        self.files.preview.shown.connect(self.panels.show_early)
        self.files.strip_shown_changed.connect(by_id["strip"].setChecked)
        self.export.exported.connect(self.files.record_export)
        self.start_page.open_requested.connect(self.files.choose_file)
        self.start_page.path_requested.connect(self.open_path)
        group.canUndoChanged.connect(by_id["undo"].setEnabled)
        group.canRedoChanged.connect(by_id["redo"].setEnabled)
        group.undoTextChanged.connect(self._on_undo_text_changed)
        group.redoTextChanged.connect(self._on_redo_text_changed)
        group.cleanChanged.connect(self._update_title)

    # -- Opening ----------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open the first of several images, folders or projects."""
        self.files.open_paths(paths)

    @Slot(object)
    def open_path(
        self, path: Path, *, on_done: Callable[[Document], object] | None = None
    ) -> None:
        """Open an image, folder or project in the background; the latest call wins."""
        self.files.open_path(path, on_done)

    def show_document(self, opened: OpenedImage) -> Document:
        """Make an opened image the current document, and return it."""
        old, model = self.document, default_model()
        document = Document(opened.image, opened.levels, model=model, parent=self)
        self.document = document
        document.changed.connect(self._on_document_changed)
        document.request_changed.connect(self._on_document_request_changed)
        document.failed.connect(self.report_matte_error)
        self.queue.drafted.connect(document.receive_draft)
        self._undo_group.addStack(document.undo_stack)
        self._undo_group.setActiveStack(document.undo_stack)
        self._packer.follow(document)
        self.canvas.set_document(document)
        self.objects.set_document(document)
        self.everything.set_document(document)
        self.tools.set_document(document)
        self.panels.show()
        self.pages.setCurrentWidget(self.canvas)
        self.canvas.fit()
        self.canvas.setFocus()
        self.models.set_current(document.state.recipe.model)
        self.models.tell_missing()
        self.queue.prepare(document.request())
        self._update_title()
        self._update_actions()
        for topic in ("answer", OPEN_TOPIC):
            self.banner.remove_topic(topic)
        if old is not None:
            old.deleteLater()
        return document

    # -- The engine ----------------------------------------------------------------

    @Slot(object, object)
    def _on_queue_prepared(self, request: Request, timings: Timings) -> None:
        if self.document and request.image_key == self.document.image.key:
            self._show_timings(request, timings)

    @Slot(object, object)
    def _on_queue_solved(self, request: Request, matte: Matte) -> None:
        if self.document is not None:
            self.document.receive_matte(request, matte)
            self._show_timings(request, matte.timings)

    def _show_timings(self, request: Request, timings: Timings) -> None:
        self.status.show_timings(request, timings)
        self.models.show_notes(timings)

    @Slot(object, object)
    def _on_queue_failed(self, request: Request, error: ZimError) -> None:
        if self.document is not None:
            self.document.receive_matte(request, None)
        self.report_matte_error(error)

    @Slot(object)
    def report(self, error: Exception, *, topic: str = "") -> None:
        """Show a :class:`ZimError`; raise any other exception, for the crash report."""
        if not isinstance(error, ZimError):
            raise error
        self.banner.show_error(error.message, error.hint, topic=topic)

    @Slot(object)
    def report_matte_error(self, error: ZimError) -> None:
        """Show why there is no matte, until the recipe changes."""
        self.banner.show_error(error.message, error.hint, topic="answer")

    # -- The document and the canvas ----------------------------------------------

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.recipe != old.recipe or (new.is_complete and not old.is_complete):
            self.banner.remove_topic("answer")
        self.models.set_current(new.recipe.model)
        if new.matte is not old.matte:
            self.status.show_pointer(self._pointer_position, new.matte)
        self._update_actions()

    @Slot(object)
    def _on_document_request_changed(self, request: Request | None) -> None:
        if request is None:
            self.queue.withdraw()
        else:
            self.queue.solve(request)

    @Slot(str)
    def use_model(self, name: str) -> None:
        """Matte the active object with another model, as one undo step."""
        if self.document is not None:
            recipe = replace(self.document.state.recipe, model=name)
            self.document.edit(self.tr("Change model"), recipe)
            if not recipe.has_prompts:
                self.queue.prepare(self.document.request())

    @Slot(object)
    def _on_canvas_pointer_moved(self, position: QPointF | None) -> None:
        self._pointer_position = position
        matte = self.document.state.matte if self.document else None
        self.status.show_pointer(position, matte)

    @Slot(str)
    def _on_undo_text_changed(self, step: str) -> None:
        self._name_undo_action("undo", self.tr("&Undo: {}").format(step))

    @Slot(str)
    def _on_redo_text_changed(self, step: str) -> None:
        self._name_undo_action("redo", self.tr("&Redo: {}").format(step))

    def _name_undo_action(self, id_: str, text: str) -> None:
        action = self.actions_by_id[id_]
        text = text.removesuffix(": ")
        action.setText(text)
        menus.set_tip(action, text.replace("&", ""))

    @Slot()
    def _update_actions(self) -> None:
        document = self.document
        state = document.state if document else DocumentState()
        enabled_actions = {
            "undo": self._undo_group.canUndo(),
            "redo": self._undo_group.canRedo(),
            "delete": self.canvas.selected is not None,
            "clear": bool(state.recipe.prompts or state.recipe.more_prompt_sets),
            **dict.fromkeys(actions.EXPORTS, self.export.ready),
            **self.objects.enabled_actions(),
            "stop": self.activity.stoppable,
        }
        always = {spec.id for spec in actions.ACTIONS if spec.always}
        for id_, action in self.actions_by_id.items():
            usable = id_ in always or document is not None
            action.setEnabled(usable and enabled_actions.get(id_, True))

    @Slot()
    def _update_title(self) -> None:
        if self.document is None:
            self.setWindowTitle(self.tr("zim-studio"))
            return
        project = self.files.project
        name = project.name if project else self.document.image.name
        self.setWindowTitle(self.tr("{}[*] – zim-studio").format(name))
        self.setWindowModified(not self.document.undo_stack.isClean())

    @Slot()
    def stop(self) -> None:
        """Stop all work, and offer to continue if mattes are missing."""
        self.everything.cancel_search()
        self.activity.stop()
        self.files.cancel_open()
        if self.document is not None and self.document.cancel_pending():
            self.banner.show_error(
                self.tr("Matting was stopped."),
                self.tr("The matte on screen may be older than the prompts."),
                self.tr("Go on"),
                self.document.request_again,
                topic="answer",
            )

    @Slot()
    def _escape(self) -> None:
        if self.everything.active:
            self.everything.leave()
        else:
            self.canvas.escape()

    def show_about(self) -> None:
        """Show the about box."""
        dialogs.about_dialog(self).open()

    def show_settings(self) -> None:
        """Show the dialog of settings and shortcuts, which apply at once."""
        settings_dialog.SettingsDialog(self).open()

    def show_cheat_sheet(self) -> None:
        """Show the list of shortcuts and gestures."""
        cheat_sheet.CheatSheet(self).open()

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "shortcuts":
            menus.set_keys(self.actions_by_id)

    # -- Events -----------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.files.can_drop(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if not self.masks.take_drop(event):
            self.files.drop(event.mimeData())
            event.acceptProposedAction()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.actions_by_id:
            self._paint_icons()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not all(x.may_close() for x in (self.batch, self.adaptation, self.files)):
            event.ignore()
            return
        window_state.set_window_geometry(self.saveGeometry())
        self.panels.save_state()
        self.hide()  # a running export is finished first
        controllers = (self.batch, self.adaptation, self.evaluation, self.files)
        others = (self.export, self.view, self.models, self._packer)
        for part in (self.queue, *controllers, *others):
            part.close()
        self.strip.close_worker()
        event.accept()
