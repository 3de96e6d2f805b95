"""``serve``: cut-outs over HTTP, asked for as rembg's clients do."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import zim_model
from zim_app.__main__ import main
from zim_app.cli.server import Limits, make_app
from zim_app.core.remove import Remover
from zim_model.errors import Cancelled

pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")

LIMITS = Limits(100_000, 60.0)
Ask = Callable[..., tuple[int, str, bytes]]


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A bright disc on a dark ground, as a PNG."""
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 40, y - 30) < 17
    pixels = np.where(disc[..., None], [230, 200, 60], [20, 40, 60]).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def form(photo: bytes | None, **fields: str) -> tuple[bytes, str]:
    head = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    lines = [head.format(*field).encode() for field in fields.items()]
    if photo is not None:
        head = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
        lines.append(f"{head}\r\n".encode() + photo + b"\r\n")
    return b"".join([*lines, b"--B--\r\n"]), "multipart/form-data; boundary=B"


def ask(
    port: int,
    body: tuple[bytes, str] = (b"", ""),
    query: str = "",
    method: str = "POST",
    path: str = "/api/remove",
) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            method, path + query, body[0] or None, {"Content-Type": body[1]}
        )
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


@pytest.fixture
def serving() -> Iterator[Callable[..., int]]:
    """Starts servers; returns their ports."""
    started = []

    def start(remover: object, limits: Limits = LIMITS) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        app = make_app(remover, limits, "zim-tiny")  # type: ignore[arg-type]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        started.append((server, thread, listener))
        return listener.getsockname()[1]

    yield start
    for server, thread, listener in started:
        server.should_exit = True
        thread.join(20)
        listener.close()


class Slow:
    """A remover whose steps take until it is told to go on."""

    def __init__(self) -> None:
        self.go_on, self.entered = threading.Event(), threading.Event()
        self.running = self.most = self.calls = self.cancellations = 0

    def remove(self, image: bytes, *, cancelled, **options: object) -> bytes:
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self.entered.set()
        try:
            while not self.go_on.wait(0.01):
                if cancelled():
                    self.cancellations += 1
                    raise Cancelled
            return b"png"
        finally:
            self.running -= 1


def test_the_answer_is_that_of_one_call(serving, photo) -> None:
    port = serving(Remover())
    status, kind, answer = ask(port, form(photo), "?box=20,10,60,50")
    assert (status, kind) == (200, "image/png")
    assert answer == zim_model.remove(photo, box=(20, 10, 60, 50))
    blank = "&points=&model=&om=&bgc="  # as forms send what was left empty
    assert ask(port, form(photo), f"?box=20,10,60,50{blank}")[2] == answer
    query = "?points=40,30;5,5,0&om=true"
    matte = ask(port, form(photo), query)[2]
    points = [(40, 30), (5, 5, 0)]
    assert matte == zim_model.remove(photo, points=points, only_mask=True)
    fields = form(photo, bgc="255,0,0,255", box="20,10,60,50", a="true", af="240")
    with Image.open(io.BytesIO(ask(port, fields)[2])) as image:
        assert (image.mode, image.getpixel((0, 0))) == ("RGB", (255, 0, 0))
    subject = ask(port, form(photo))[2]
    assert subject == zim_model.remove(photo)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?model=u2net", "no model u2net here. Installed: zim-tiny"),
        ("?model=/etc/passwd", "no model /etc/passwd"),
        ("?om=perhaps", "om is true or false"),
        ("?bgc=1,2", "not a colour"),
        ("?bgc=1,2,3,128", "0 or 255"),
        ("?box=1,2,3", "X0,Y0,X1,Y1"),
        ("?points=1", "X,Y"),
        ("?box=900,900,990,990", "no area"),
        ("?box=0.1,0.1,0.9,0.9", "pixels are meant"),
    ],
)
def test_what_is_malformed_is_said_in_json(serving, photo, query, reason) -> None:
    status, kind, answer = ask(serving(Remover()), form(photo), query)
    assert (status, kind) == (422, "application/json")
    assert reason in json.loads(answer)["detail"]


@pytest.mark.parametrize(
    "body",
    [
        form(None),
        form(None, file="text"),
        form(b"no photo"),
        (b"no form", "multipart/form-data; boundary=B"),
        (b"no form", "multipart/form-data"),
        (b"{}", "application/json"),
    ],
)
def test_what_is_no_photo_is_said_in_json(serving, body) -> None:
    port = serving(Remover())
    status, _, answer = ask(port, body)
    assert status == 422
    assert json.loads(answer)["detail"]


@pytest.mark.parametrize("size", [100_001, 300_000, 5_000_000])
def test_a_photo_that_is_too_large_is_refused(serving, size) -> None:
    slow = Slow()
    port = serving(slow)
    try:
        status, _, answer = ask(port, form(bytes(size)))
    except ConnectionError:  # it is not read to its end
        assert size > 4 * LIMITS.size
    else:
        assert status == 413
        assert "0.1 MB" in json.loads(answer)["detail"]
    assert slow.calls == 0


def test_a_body_that_states_no_length_is_limited(serving) -> None:
    port = serving(Slow())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body, kind = form(bytes(200_000))
    pieces = (body[n : n + 10_000] for n in range(0, len(body), 10_000))
    connection.request("POST", "/api/remove", pieces, {"Content-Type": kind})
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_never_ends_is_refused(serving) -> None:
    body, kind = form(bytes(200_000))
    head = f"POST /api/remove HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", serving(Slow())), 60) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_hangs_up_leaves_no_traceback(serving, photo, caplog) -> None:
    port, (body, kind) = serving(Remover()), form(photo)
    head = f"POST /api/remove HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        connection.sendall(body[:100])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b"", "nobody is there to be answered"
    assert ask(port, form(photo), "?box=20,10,60,50")[0] == 200
    assert not caplog.records


def test_a_request_that_takes_too_long_is_given_up(serving, photo) -> None:
    slow = Slow()
    port = serving(slow, Limits(100_000, 0.5))
    status, _, answer = ask(port, form(photo))
    assert status == 408
    assert "0.5 s" in json.loads(answer)["detail"]
    deadline = time.monotonic() + 20
    while not slow.cancellations and time.monotonic() < deadline:
        time.sleep(0.01)
    assert slow.cancellations == 1, "the engine is free for the next"


def test_a_body_that_does_not_arrive_is_given_up(serving) -> None:
    port = serving(Slow(), Limits(100_000, 0.5))
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(
            b"POST /api/remove HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
            b"Content-Type: multipart/form-data; boundary=B\r\n\r\n--B"
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 408")


def test_requests_take_turns(serving, photo) -> None:
    slow = Slow()
    port = serving(slow)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(ask, port, form(photo)) for _ in range(3)]
        assert slow.entered.wait(20)
        time.sleep(0.2)
        slow.go_on.set()
        assert [future.result()[0] for future in waiting] == [200, 200, 200]
    assert (slow.calls, slow.most) == (3, 1)


def test_the_queue_has_a_length(serving, photo) -> None:
    slow = Slow()
    port = serving(slow, Limits(100_000, 60.0, waiting=1))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, port, form(photo))
        assert slow.entered.wait(20)
        status, _, answer = ask(port, form(photo))
        slow.go_on.set()
        assert first.result()[0] == 200
    assert status == 503
    assert "busy" in json.loads(answer)["detail"]


def test_nothing_is_fetched_and_the_page_says_how(serving) -> None:
    port = serving(Slow())
    status, _, answer = ask(port, query="?url=http://example.com/a.jpg", method="GET")
    assert status == 405
    assert "fetches nothing" in json.loads(answer)["detail"]
    status, kind, page = ask(port, method="GET", path="/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert b"/api/remove" in page
    assert b"zim-tiny" in page


def test_the_command_serves_until_it_is_interrupted(photo) -> None:
    command = [sys.executable, "-m", "zim_app", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert line.startswith("zim-studio: http://127.0.0.1:")
        port = int(line.split(":")[3].split()[0])
        status, kind, answer = ask(port, form(photo), "?box=20,10,60,50")
        assert (status, kind) == (200, "image/png")
        assert answer == zim_model.remove(photo, box=(20, 10, 60, 50))
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        assert server.stderr.read() == ""
    finally:
        server.kill()
        server.wait()
        if server.stderr is not None:
            server.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--port", "70000"], 2, "0 to 65535"),
        (["--timeout", "0"], 2, "greater than 0"),
        (["--max-megabytes", "nan"], 2, "greater than 0"),
        (["--timeout", "inf"], 2, "greater than 0"),
        (["--model", "nothing"], 1, "no model nothing"),
        (["--host", "203.0.113.9"], 1, "cannot listen on 203.0.113.9"),
    ],
)
def test_what_cannot_be_served_is_said(arguments, code, reason, capsys) -> None:
    if code == 2:
        with pytest.raises(SystemExit) as ended:
            main(["serve", *arguments])
        assert ended.value.code == 2
    else:
        assert main(["serve", *arguments]) == code
    assert reason in capsys.readouterr().err


def test_a_missing_package_is_named(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 1
    assert "pip install 'zim-studio[serve]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port]) == 1
    assert f"port {port}" in capsys.readouterr().err
