import hashlib
import io
import json
import urllib.error

import pytest

from zim_model.errors import Cancelled, DownloadError
from zim_model.evaluation.micromat import HUB, REVISION, SOURCE, download_micromat

FILES = {
    "MicroMat3K/data_list.txt": b"img/1.png matte/fine/1_1.png prompt/1.json s\n",
    "MicroMat3K/prompt/fine/1_1.json": b'{"bbox": [0, 0, 1, 1]}',
    "MicroMat3K/img/1.png": b"image--" * 90_000,
    "MicroMat3K/matte/fine/1_1.png": b"matte" * 90_000,
}
LIST = f"{HUB}/api/datasets/naver-iv/MicroMat-3K/tree/{REVISION}/MicroMat3K"


class Response(io.BytesIO):
    def __init__(self, content, status=200, **headers):
        super().__init__(content)
        self.status = status
        self.headers = {"Content-Length": str(len(content)), "ETag": '"x"'} | headers


def entry(path, content):
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    row = {"type": "file", "path": path, "size": len(content), "oid": git}
    if path.endswith(".png"):
        row["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return row


class Hub:
    """Responds as the hub does, with two pages of a list."""

    def __init__(self):
        self.files = dict(FILES)
        self.entries = [{"type": "directory", "path": "MicroMat3K/img", "oid": "0"}]
        self.entries += [entry(path, content) for path, content in FILES.items()]
        self.next = f"{LIST}?recursive=true&cursor=2"
        self.urls = []

    def open(self, request):
        url = request.full_url
        self.urls.append(url)
        if url == f"{LIST}?recursive=true":
            page = json.dumps(self.entries[:3]).encode()
            return Response(page, Link=f'<{self.next}>; rel="next"')
        if url == f"{LIST}?recursive=true&cursor=2":
            return Response(json.dumps(self.entries[3:]).encode())
        path = url.removeprefix(f"{SOURCE}/resolve/{REVISION}/")
        if path not in self.files:
            raise urllib.error.HTTPError(url, 404, "gone", {}, io.BytesIO())
        content = self.files[path]
        start = int(request.get_header("Range", "bytes=0-")[6:-1])
        if not start:
            return Response(content)
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Response(content[start:], 206, **{"Content-Range": span})


@pytest.fixture
def hub():
    return Hub()


def fetch(folder, hub, cancelled=lambda: False, progress=lambda p: None):
    return download_micromat(
        folder, progress, cancelled, open_url=hub.open, sleep=lambda s: None
    )


def test_the_whole_set_arrives(tmp_path, hub):
    reports = []
    root = fetch(tmp_path / "data", hub, progress=reports.append)
    assert root == tmp_path / "data/MicroMat3K"
    for path, content in FILES.items():
        assert (tmp_path / "data" / path).read_bytes() == content
    assert reports[-1].done == reports[-1].total
    assert all(url.startswith("https://huggingface.co/") for url in hub.urls)


def test_a_download_goes_on_where_it_was_stopped(tmp_path, hub):
    part = tmp_path / "MicroMat3K/img/1.png.part"
    with pytest.raises(Cancelled):
        fetch(tmp_path, hub, lambda: part.is_file() and part.stat().st_size > 0)
    assert 0 < part.stat().st_size < len(FILES["MicroMat3K/img/1.png"])
    hub.urls.clear()
    fetch(tmp_path, hub)
    assert (tmp_path / "MicroMat3K/img/1.png").read_bytes() == FILES[
        "MicroMat3K/img/1.png"
    ]
    assert not any(url.endswith(("json", "txt")) for url in hub.urls)
    hub.urls.clear()
    fetch(tmp_path, hub)
    assert all("/api/" in url for url in hub.urls)  # nothing is fetched twice


@pytest.mark.parametrize("path", ["MicroMat3K/data_list.txt", "MicroMat3K/img/1.png"])
def test_a_damaged_file_is_not_kept(tmp_path, hub, path):
    hub.files[path] = hub.files[path][::-1]
    with pytest.raises(DownloadError, match="checksum"):
        fetch(tmp_path, hub)
    assert not (tmp_path / path).exists()


@pytest.mark.parametrize("path", ["../x.png", "MicroMat3K/../../x.png", "/etc/x", "x"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path, hub, path):
    hub.entries[1]["path"] = path
    with pytest.raises(DownloadError, match="leads elsewhere"):
        fetch(tmp_path / "data", hub)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "changes",
    [
        *({"size": size} for size in (float("inf"), -1, 10**30, "4", None)),
        *({"path": f"MicroMat3K/{name}"} for name in ("a\0b", "\ud800", "a\nb")),
    ],
)
def test_what_no_disk_holds_is_refused(tmp_path, hub, changes):
    hub.entries[1] |= changes
    with pytest.raises(DownloadError, match="cannot be understood"):
        fetch(tmp_path, hub)


def test_a_list_does_not_go_on_elsewhere(tmp_path, hub):
    hub.next = "https://example.org/list"
    with pytest.raises(DownloadError, match="stranger"):
        fetch(tmp_path, hub)


def test_a_list_of_another_form_is_reported(tmp_path, hub):
    hub.entries = ["what"]
    with pytest.raises(DownloadError, match="cannot be understood"):
        fetch(tmp_path, hub)


def test_a_file_that_is_gone_is_reported(tmp_path, hub):
    del hub.files["MicroMat3K/data_list.txt"]
    with pytest.raises(DownloadError, match="HTTP 404"):
        fetch(tmp_path, hub)


def test_a_missing_network_is_reported(tmp_path):
    def refuse(request):
        raise urllib.error.URLError("no network")

    with pytest.raises(DownloadError, match="cannot be reached"):
        download_micromat(tmp_path, lambda p: None, lambda: False, open_url=refuse)
