"""Downloads from a server on the loopback device that misbehaves on demand."""

import errno
import hashlib
import http.server
import shutil
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

from zim_model.errors import Cancelled, DownloadError, WeightsError
from zim_model.weights import download as downloads
from zim_model.weights import installed as store
from zim_model.weights.catalogue import APACHE, ModelFile, ModelInfo
from zim_model.weights.download import ATTEMPTS, download, open_https, partial_bytes
from zim_model.weights.installed import find_installed, installed_models, remove_model

CONTENT = np.random.default_rng(0).bytes(1_500_000)


class Server(http.server.ThreadingHTTPServer):
    """Serves ``content``; the attributes make it misbehave."""

    content = CONTENT
    etag = '"one"'
    breaks_after = None
    busy = 0
    ranges = True
    redirect = None
    status = None
    omits_length = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/weights.pth"

    def handle_error(self, request, client_address):
        """Clients of these tests hang up, which is expected."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        if server.busy:
            server.busy -= 1
            self.send_error(503)
            return
        if server.status:
            self.send_error(server.status)
            return
        start = self._start()
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            total = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if server.etag:
            self.send_header("ETag", server.etag)
        if not server.omits_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.breaks_after is not None:
            body, server.breaks_after = body[: server.breaks_after], None
        self.wfile.write(body)

    def _start(self):
        span = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, self.server.etag)
        if not (span and same and self.server.ranges):
            return 0
        return int(span.removeprefix("bytes=").partition("-")[0])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def info(server):
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = ModelFile("weights.pth", server.url, len(CONTENT), digest)
    return ModelInfo("small", "Small", "For tests.", APACHE, "", "sam", (file,))


def open_loopback(request):
    """What the product refuses: plain http."""
    return urllib.request.urlopen(request, timeout=5)


def fetch(info, *, cancelled=lambda: False, progress=lambda p: None, **kwargs):
    kwargs.setdefault("open_url", open_loopback)
    return download(info, progress, cancelled, sleep=lambda s: None, **kwargs)


def stopped_halfway(info, server):
    """Leave a part behind, as a cancelled download does."""
    reports = []
    with pytest.raises(Cancelled):
        fetch(info, progress=reports.append, cancelled=lambda: arrived(info) > 0)
    assert 0 < arrived(info) < info.size


def arrived(info):
    return partial_bytes(info)


def test_a_download_is_installed_whole(info, folder):
    reports = []
    model = fetch(info, progress=reports.append)
    assert model.path == folder / "small" / "weights.pth"
    assert model.path.read_bytes() == CONTENT
    assert find_installed("small") == model
    assert [path.name for path in folder.iterdir()] == ["small"]
    assert [path.name for path in (folder / "small").iterdir()] == ["weights.pth"]
    assert reports[0].done == 0
    assert reports[-1].done == reports[-1].total == len(CONTENT)
    assert reports[-1].verifying


def test_an_installed_model_is_not_fetched_again(info, server):
    fetch(info)
    fetch(info)
    assert len(server.requests) == 1


def test_a_cancelled_download_goes_on_where_it_was(info, server):
    stopped_halfway(info, server)
    here = arrived(info)
    assert all(model.bundled for model in installed_models())
    reports = []
    model = fetch(info, progress=reports.append)
    assert reports[0].done == here
    assert server.requests[-1]["Range"] == f"bytes={here}-"
    assert server.requests[-1]["If-Range"] == '"one"'
    assert model.path.read_bytes() == CONTENT


def test_a_connection_that_breaks_is_taken_up_again(info, server):
    server.breaks_after = 700_000
    assert fetch(info).path.read_bytes() == CONTENT
    assert server.requests[1]["Range"] == "bytes=700000-"


def test_a_file_that_changed_meanwhile_is_fetched_anew(info, server):
    server.content, server.etag = bytes(len(CONTENT)), '"older"'
    stopped_halfway(info, server)
    server.content, server.etag = CONTENT, '"one"'
    assert fetch(info).path.read_bytes() == CONTENT


def test_from_a_server_without_ranges_all_is_fetched(info, server):
    stopped_halfway(info, server)
    server.ranges = False
    assert fetch(info).path.read_bytes() == CONTENT


def test_without_a_validator_nothing_is_resumed(info, server):
    server.etag = None
    stopped_halfway(info, server)
    assert fetch(info).path.read_bytes() == CONTENT
    assert "Range" not in server.requests[-1]


def test_a_weak_validator_is_not_trusted(info, server):
    server.etag = 'W/"one"'
    stopped_halfway(info, server)
    assert fetch(info).path.read_bytes() == CONTENT
    assert "Range" not in server.requests[-1]


def test_two_programs_do_not_download_the_same_model_at_once(info, server):
    refused = []

    def meanwhile(progress):
        if progress.done and not refused:
            with pytest.raises(DownloadError, match="downloaded already, by another"):
                fetch(info)
            refused.append(len(server.requests))

    assert fetch(info, progress=meanwhile).name == "small"
    assert refused == [1]
    assert [p.name for p in find_installed("small").path.parent.iterdir()] == [
        "weights.pth"
    ]
    remove_model("small")
    assert fetch(info).name == "small"


@pytest.mark.parametrize("at", [0, 1_499_999])
def test_a_damaged_file_never_becomes_a_model(info, server, folder, at):
    server.content = CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :]
    with pytest.raises(DownloadError, match="checksum is wrong"):
        fetch(info)
    assert find_installed("small") is None
    assert arrived(info) == 0
    server.content = CONTENT
    assert fetch(info).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content", [CONTENT[:-1], CONTENT + b"x"], ids=["less", "more"]
)
def test_a_file_of_another_size_is_refused_at_once(info, server, content):
    server.content = content
    with pytest.raises(DownloadError, match="is another file now"):
        fetch(info)
    assert find_installed("small") is None


def test_a_truncated_file_without_a_length_is_no_model(info, server):
    server.omits_length, server.content = True, CONTENT[:1000]
    with pytest.raises(DownloadError, match="broke off"):
        fetch(info)
    assert find_installed("small") is None


def test_a_request_to_a_busy_server_is_repeated(info, server):
    server.busy = ATTEMPTS - 1
    assert fetch(info).path.read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_named(info, server):
    server.busy = 99
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 is too busy.*kept"):
        fetch(info)
    assert len(server.requests) == ATTEMPTS


def test_a_missing_file_is_not_requested_twice(info, server):
    server.status = 404
    with pytest.raises(DownloadError, match=r"weights\.pth \(HTTP 404\).*from disk"):
        fetch(info)
    assert len(server.requests) == 1


def test_a_range_that_does_not_exist_starts_anew(info, server):
    stopped_halfway(info, server)
    served = iter([416, None])

    def opener(request):
        server.status = next(served, None)
        return open_loopback(request)

    assert fetch(info, open_url=opener).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (urllib.error.URLError(OSError("no route")), "cannot be reached.*online"),
        (urllib.error.URLError(TimeoutError()), "does not answer"),
        (TimeoutError(), "does not answer"),
        (ConnectionResetError(), "broke off"),
    ],
)
def test_without_a_network_the_error_has_the_cure(info, error, message):
    def opener(request):
        raise error

    with pytest.raises(DownloadError, match=message):
        fetch(info, open_url=opener)


def test_waiting_for_another_try_can_be_cancelled(info, server):
    server.busy = 99
    with pytest.raises(Cancelled):
        fetch(info, cancelled=lambda: len(server.requests) == 2)


def test_a_full_disk_is_reported_before_anything_is_fetched(info, server, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(store.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match=r"too full.*ZIM_STUDIO_MODELS"):
        fetch(info)
    assert not server.requests


def test_a_disk_that_fills_up_keeps_what_is_there(info, monkeypatch):
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        def write(self, chunk):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(downloads._FileDownload, "_open_part", lambda self: Full())
    with pytest.raises(WeightsError, match="the disk is full"):
        fetch(info)


def test_a_folder_that_cannot_be_made_is_named(info, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(WeightsError, match="models cannot be written"):
        fetch(info)


def test_a_model_of_two_files_appears_only_when_both_are_there(info, server, folder):
    encoder = replace(info.files[0], name="encoder.onnx")
    decoder = replace(info.files[0], name="decoder.onnx", url=server.url + "2")
    pair = replace(info, files=(encoder, decoder))
    with pytest.raises(Cancelled):
        fetch(pair, cancelled=lambda: arrived(pair) > len(CONTENT))
    assert find_installed("small") is None
    server.requests.clear()
    assert fetch(pair).path == folder / "small"
    assert len(server.requests) == 1, "the first file was there already"
    names = {path.name for path in (folder / "small").iterdir()}
    assert names == {"encoder.onnx", "decoder.onnx"}


def test_an_unfinished_download_can_be_removed(info, server):
    stopped_halfway(info, server)
    remove_model("small")
    assert arrived(info) == 0


@pytest.mark.parametrize("url", ["http://example.org/x", "ftp://example.org/x"])
def test_only_https_is_opened(url):
    with pytest.raises(DownloadError, match="Only https"):
        open_https(urllib.request.Request(url))


def test_redirections_leave_https_never():
    handler = downloads._HttpsRedirects()
    request = urllib.request.Request("https://example.org/x")
    with pytest.raises(DownloadError, match="not a secure address"):
        handler.redirect_request(request, None, 302, "", {}, "http://example.org/x")
    again = handler.redirect_request(
        request, None, 302, "", {}, "https://cdn.example.org/x"
    )
    assert again.full_url == "https://cdn.example.org/x"


def test_a_redirection_keeps_the_range(info, server):
    stopped_halfway(info, server)
    here = arrived(info)
    direct = server.url

    def opener(request):
        server.redirect = direct + "?signed" if "?" not in request.full_url else None
        return open_following(request, server)

    assert fetch(info, open_url=opener).path.read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == f"bytes={here}-"


def open_following(request, server):
    class Once(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args):
            server.redirect = None
            return super().redirect_request(*args)

    return urllib.request.build_opener(Once()).open(request, timeout=5)
