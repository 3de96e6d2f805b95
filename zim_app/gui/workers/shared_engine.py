"""The window's engine, lent to work on other threads that has time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zim_model.errors import Cancelled
from zim_model.request import CancelCheck, Matte, Request, never

if TYPE_CHECKING:
    from zim_app.gui.workers.inference_queue import EngineLike
    from zim_model.inference.automatic import Found

Work = Callable[["EngineLike", CancelCheck], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """One question that another thread asks the engine, and waits for.

    Attributes:
        work: asks it, on the engine's thread.
        cancelled: whether the one who asks wants it no more.
        answer: what it waits for.
    """

    work: Work
    cancelled: CancelCheck
    answer: Future[Any] = field(default_factory=Future)

    def run(self, engine: EngineLike, aside: CancelCheck) -> None:
        """Ask, and give the answer to the one who waits.

        Args:
            engine: owned by the calling thread.
            aside: polled; true means that something else is more urgent.

        Raises:
            Cancelled: it stepped aside, and is to be run again.
        """
        try:
            result = self.work(engine, lambda: self.cancelled() or aside())
        except Cancelled as error:
            if not self.cancelled():
                raise
            self.answer.set_exception(error)
        except BaseException as error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(result)


class LentEngine:
    """An engine whose methods wait until the window's engine had time to answer.

    The window's own requests come first: a question that is being answered is given up
    when the user wants something, and asked again after that.  What it computed so far
    and remembers, as the features of a picture, is not computed again.

    Args:
        hand_over: takes an :class:`Errand` to the engine's queue; called on the
            asking thread.

    **Threads**: any but the window's and the engine's may ask.
    """

    def __init__(self, hand_over: Callable[[Errand], None]) -> None:
        self._hand_over = hand_over
        self._lock = threading.Lock()
        self._waiting: set[Errand] = set()
        self._closed = False

    def solve(self, request: Request, cancelled: CancelCheck = never) -> Matte:
        """Answer the request.

        Raises:
            ZimError: as :meth:`zim_model.inference.engine.Engine.solve` does.
            Cancelled: ``cancelled`` became true, or the program ends.
        """
        # What the engine remembers of its last answer is for the window's next stroke.
        passing = replace(request, remembered=False)
        matte: Matte = self._ask(lambda e, c: e.solve(passing, c), cancelled)
        return matte

    def everything(
        self, request: Request, options: None = None, cancelled: CancelCheck = never
    ) -> tuple[Found, ...]:
        """Find the objects of the request's image.

        Raises:
            ZimError: as :meth:`zim_model.inference.engine.Engine.everything` does.
            Cancelled: ``cancelled`` became true, or the program ends.
        """
        work: Work = lambda engine, stop: engine.everything(request, options, stop)  # noqa: E731
        found: tuple[Found, ...] = self._ask(work, cancelled)
        return found

    def _ask(self, work: Work, cancelled: CancelCheck) -> Any:
        errand = Errand(work, cancelled)
        with self._lock:
            if self._closed:
                raise Cancelled
            self._waiting.add(errand)
        try:
            self._hand_over(errand)
            return errand.answer.result()
        finally:
            with self._lock:
                self._waiting.discard(errand)

    def close(self) -> None:
        """Cancel all questions, now and later; after the engine's thread ended."""
        with self._lock:
            self._closed = True
            for errand in self._waiting:
                if not errand.answer.done():
                    errand.answer.set_exception(Cancelled())
