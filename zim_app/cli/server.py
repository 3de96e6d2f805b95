"""The HTTP interface of ``zim-studio serve``; ``POST /api/remove`` is that of rembg.

The server fetches nothing and stores nothing.  Requests wait in one queue for the one
engine; they are limited in size, time and number.
"""

# Without postponed annotations: FastAPI reads those of the routes, which name what is
# imported in the function.

import argparse
import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from zim_app.cli import arguments
from zim_app.core.remove import Remover
from zim_model.errors import Cancelled, WeightsError, ZimError, msg
from zim_model.weights.installed import find_installed, installed_models

OPTIONS = ("model", "om", "bgc", "box", "points")
"""Names of the options of a request, in the query or as fields of the form."""
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
_PATIENCE, _PATIENT_SECONDS = 4, 2.0
"""How many times the largest size is read of a larger body, and for how long, so that
the client gets the answer in place of a broken connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost.

    Attributes:
        size: bytes of its body.
        seconds: until it is answered, with the wait for those before it.
        waiting: requests in the queue.
    """

    size: int
    seconds: float
    waiting: int = 64


class Refused(Exception):
    """A request that is not answered with an image.

    Attributes:
        status: the HTTP status.
        reason: a sentence for the client.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class EngineQueue:
    """Calls a remover on one thread, one request after the other."""

    def __init__(self, remover: Remover, waiting: int) -> None:
        self._remover, self._most = remover, waiting
        self._thread = ThreadPoolExecutor(1, "serve")
        self._ending = threading.Event()
        self._count = 0

    async def remove(self, image: bytes, options: Mapping[str, Any]) -> bytes:
        """The cut-out of an image, as the bytes of a PNG.

        A request that is given up is left out, or ends at the engine's next step.

        Raises:
            Refused: too many wait.
            ZimError: the image or an option cannot be used.
        """
        if self._count >= self._most:
            raise Refused(503, "The server is busy. Try again later.")
        gone = threading.Event()
        work = partial(self._remove, image, options, gone)
        self._count += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Cancelled:  # the server ends
            raise Refused(503, "The server is ending.") from None
        finally:
            gone.set()
            self._count -= 1

    def _remove(
        self, image: bytes, options: Mapping[str, Any], gone: threading.Event
    ) -> bytes:
        def cancelled() -> bool:
            return gone.is_set() or self._ending.is_set()

        if cancelled():
            raise Cancelled
        result: bytes = self._remover.remove(image, cancelled=cancelled, **options)
        return result

    def close(self) -> None:
        """End the thread at the engine's next step."""
        self._ending.set()
        self._thread.shutdown(cancel_futures=True)


def make_app(remover: Remover, limits: Limits, default_model: str) -> Any:
    """The application, in the sense of ASGI.

    Args:
        remover: makes the cut-outs, on a thread of its own.
        limits: of every request.
        default_model: of requests that name none.
    """
    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse, JSONResponse, Response

    queue = EngineQueue(remover, limits.waiting)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        queue.close()

    app = FastAPI(title="zim-studio", docs_url=None, redoc_url=None, lifespan=lifespan)

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        return HTMLResponse(_PAGE.replace("MODEL", default_model))

    @app.get("/api/remove", include_in_schema=False)
    async def fetch() -> JSONResponse:
        reason = "This server fetches nothing: POST the photo as the field file."
        return JSONResponse({"detail": reason}, 405, {"Allow": "POST"})

    @app.post("/api/remove", response_class=Response)
    async def remove(
        request: Request,
        model: str = default_model,
        om: str = "false",
        bgc: str = "",
        box: str = "",
        points: str = "",
    ) -> Response:
        """The photo in the multipart field ``file`` without its background, as PNG."""
        try:
            async with asyncio.timeout(limits.seconds):
                photo, fields = await _read_form(request, limits.size)
                given = {**fields, **request.query_params}
                options = read_options(given, default_model)
                png = await queue.remove(photo, options)
        except TimeoutError:
            reason = f"The request took longer than {limits.seconds:g} s."
            return JSONResponse({"detail": reason}, 408)
        except Refused as refused:
            return JSONResponse({"detail": refused.reason}, refused.status)
        except ZimError as error:
            return JSONResponse({"detail": str(error)}, 422)
        return Response(png, media_type="image/png")

    return app


def check_model(name: str) -> None:
    """Check that a model is installed; requests may not name files.

    Raises:
        WeightsError: it is not.
    """
    installed = find_installed(name, None)
    if installed is None or installed.kind == "trimap":
        kinds = (*installed_models("prompt"), *installed_models("automatic"))
        raise WeightsError(
            msg("There is no model {name:.64} here.", name=name),
            msg("Installed: {names}.", names=", ".join(each.name for each in kinds)),
        )


def read_options(given: Mapping[str, str], default_model: str) -> dict[str, Any]:
    """Options of :func:`zim_model.remove` from those of a request.

    Args:
        given: by the names in :data:`OPTIONS`; others, such as those of rembg's alpha
            matting, are ignored, and empty ones are as if they were not given.
        default_model: where none is named.

    Raises:
        Refused: a value is malformed.
        WeightsError: the model is not installed.
    """
    model = given.get("model") or default_model
    check_model(model)
    options: dict[str, Any] = {"model": model}
    only_mask = given.get("om", "").lower()
    if only_mask not in (*_TRUE, *_FALSE):
        raise Refused(422, "om is true or false.")
    options["only_mask"] = only_mask in _TRUE
    try:
        if given.get("bgc"):
            options["background"] = _background(given["bgc"])
        if given.get("box"):
            options["box"] = arguments.numbers(given["box"], (4,), "X0,Y0,X1,Y1")
        if given.get("points"):
            options["points"] = [
                arguments.numbers(text, (2, 3), "X,Y[,LABEL];X,Y[,LABEL];...")
                for text in given["points"].split(";")
            ]
    except argparse.ArgumentTypeError as error:
        raise Refused(422, f"{error}.") from error
    return options


def _background(text: str) -> tuple[int, int, int] | None:
    """The colour of ``bgc``: of rembg's four numbers, the last is its opacity."""
    colour, _, opacity = text.rpartition(",")
    if text.count(",") != 3:
        return arguments.colour(text)
    if opacity.strip() not in ("0", "255"):
        raise argparse.ArgumentTypeError("the opacity in bgc is 0 or 255")
    return arguments.colour(colour) if opacity.strip() == "255" else None


async def _read_form(request: Any, size: int) -> tuple[bytes, dict[str, str]]:
    """The photo and the options among the fields of a multipart form.

    Raises:
        Refused: the form is too large, malformed, or has no photo.
    """
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser
    from starlette.requests import ClientDisconnect

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Refused(422, "Send the photo as the field file of a multipart form.")
    body = _limited(request, size)
    try:
        form = await MultiPartParser(
            request.headers, body, max_files=1, max_fields=32
        ).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Refused(422, "The multipart form is malformed.") from error
    except ClientDisconnect as error:
        raise Refused(400, "The multipart form has no end.") from error
    finally:
        await body.aclose()
    try:
        photo = form.get("file")
        if not isinstance(photo, UploadFile):
            raise Refused(422, "The form has no field file with a photo.")
        fields = {
            name: value
            for name, value in form.items()
            if name in OPTIONS and isinstance(value, str)
        }
        return await photo.read(), fields
    finally:
        await form.close()


async def _limited(request: Any, size: int) -> AsyncGenerator[bytes, None]:
    """The pieces of a request's body.

    Raises:
        Refused: it is larger than ``size`` bytes.
    """
    refused = Refused(413, f"The photo is larger than {size / 1e6:g} MB.")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > _PATIENCE * size:
        raise refused
    received, pieces = 0, request.stream()
    async for piece in pieces:
        received += len(piece)
        if received > size:
            break
        yield piece
    if received <= size:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENT_SECONDS):
            async for piece in pieces:
                received += len(piece)
                if received > _PATIENCE * size:
                    break
    raise refused


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>zim-studio</title>
<style>body{font:16px/1.5 sans-serif;max-width:46em;margin:3em auto;padding:0 1em}
pre{background:#eee;color:#111;padding:1em;overflow:auto}</style>
<h1>zim-studio</h1>
<form action="/api/remove" method="post" enctype="multipart/form-data">
<input type="file" name="file" accept="image/*" required>
<label><input type="checkbox" name="om" value="true"> matte only</label>
<button>Remove background</button></form>
<pre>curl -F file=@photo.jpg http://HOST:PORT/api/remove -o cut.png
curl -F file=@photo.jpg "http://HOST:PORT/api/remove?box=80,0,400,300" -o cut.png</pre>
<p><code>POST /api/remove</code> takes a photo as the multipart field <code>file</code>
and gives a PNG. In the query or as fields: <code>model</code> (default MODEL),
<code>om</code> (true: the matte alone), <code>bgc</code> (background, R,G,B or
R,G,B,255), <code>box</code> (X0,Y0,X1,Y1 in pixels), <code>points</code>
(X,Y or X,Y,0 for the background; separated by semicolons). Without box and points: the
main object. Errors are JSON with a <code>detail</code>. The interface is that of
rembg's server, but nothing is fetched from addresses.</p></html>
"""
