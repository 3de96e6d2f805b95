"""The user's Hugging Face cache, mirror, offline mode and token."""

import hashlib
import io
import os
import urllib.request
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest

from zim_model.errors import DownloadError
from zim_model.weights import hub
from zim_model.weights.catalogue import ModelFile, find_known
from zim_model.weights.download import download, partial_bytes
from zim_model.weights.installed import find_installed

CONTENT = {"encoder.onnx": b"e" * 70_000, "decoder.onnx": b"d" * 9_000}
REVISION = "0301cddf0a971bd9c7c513f296e5de649e5ad706"
REPOSITORY = "models--naver-iv--zim-anything-vitb"
BASE = f"https://huggingface.co/naver-iv/zim-anything-vitb/resolve/{REVISION}"
VARIABLES = (
    *("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"),
    *("HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_TOKEN"),
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf"


@pytest.fixture
def info():
    files = (
        ModelFile(
            name,
            f"{BASE}/zim_vit_b_2043/{name}",
            len(data),
            hashlib.sha256(data).hexdigest(),
        )
        for name, data in CONTENT.items()
    )
    return replace(find_known("zim-vit-b-official"), files=tuple(files))


class Answer(io.BytesIO):
    status = 200

    def __init__(self, data):
        super().__init__(data)
        self.headers = Message()
        self.headers["Content-Length"] = str(len(data))
        self.headers["ETag"] = '"x"'


@pytest.fixture
def network():
    """Serves the files of any host; records the requests."""
    requests = []

    def opener(request):
        requests.append(request)
        return Answer(CONTENT[request.full_url.rpartition("/")[2]])

    opener.requests = requests
    return opener


def fetch(info, network):
    return download(
        info, lambda p: None, lambda: False, open_url=network, sleep=lambda s: None
    )


def fill(home, info, *, revision=REVISION, linked=True, data=CONTENT):
    """A cache as the hub's client leaves it: links from snapshots to blobs."""
    repository = home / "hub" / REPOSITORY
    folder = repository / "snapshots" / revision / "zim_vit_b_2043"
    folder.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for file in info.files:
        place = folder / file.name
        if linked:
            blob = repository / "blobs" / file.sha256
            blob.write_bytes(data[file.name])
            place.symlink_to(os.path.relpath(blob, folder))
        else:  # on systems without links
            place.write_bytes(data[file.name])
    return repository


def contents(model):
    return {path.name: path.read_bytes() for path in model.path.iterdir()}


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("offline", ["", "1"])
def test_files_in_the_cache_need_no_network(
    home, info, network, linked, offline, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    fill(home, info, linked=linked)
    model = fetch(info, network)
    assert contents(model) == CONTENT
    assert not any(path.is_symlink() for path in model.path.iterdir())
    assert network.requests == []


def test_a_cache_of_another_revision_will_do_if_the_file_is_the_same(
    home, info, network
):
    fill(home, info, revision="main-of-tomorrow", linked=False)
    assert contents(fetch(info, network)) == CONTENT
    assert network.requests == []


def test_the_installed_model_outlives_the_cache(home, info, network):
    repository = fill(home, info)
    model = fetch(info, network)
    for blob in (repository / "blobs").iterdir():
        blob.unlink()
    assert contents(model) == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_instead(home, info, network):
    wrong = {**CONTENT, "decoder.onnx": b"x" * 9_000}
    fill(home, info, data=wrong)
    assert contents(fetch(info, network)) == CONTENT
    assert [r.full_url.rpartition("/")[2] for r in network.requests] == ["decoder.onnx"]


def test_a_file_of_another_size_is_not_even_read(home, info, network):
    fill(home, info, data=dict.fromkeys(CONTENT, b"short"))
    assert [hub.find_cached(file) for file in info.files] == [None, None]
    assert contents(fetch(info, network)) == CONTENT


def test_a_part_that_was_fetched_gives_way_to_the_cache(home, info, network, tmp_path):
    part = tmp_path / "models" / f"{info.name}.part" / "encoder.onnx.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"e" * 100)
    assert partial_bytes(info) == 100
    fill(home, info)
    reports = []
    model = download(info, reports.append, lambda: False, open_url=network)
    assert contents(model) == CONTENT
    assert reports[-1].done <= reports[-1].total


def test_offline_forbids_the_hub_and_nothing_is_installed(info, network, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "true")
    with pytest.raises(DownloadError, match=r"HF_HUB_OFFLINE forbids.*Unset"):
        fetch(info, network)
    assert network.requests == []
    assert find_installed(info.name) is None


def test_offline_is_about_the_hub_only(info, network, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    monkeypatch.setenv("HF_TOKEN", "secret")
    moved = tuple(
        replace(file, url=f"https://example.org/{file.name}") for file in info.files
    )
    assert contents(fetch(replace(info, files=moved), network)) == CONTENT
    assert network.requests[0].full_url == "https://example.org/encoder.onnx"
    assert not network.requests[0].has_header("Authorization")


def test_a_mirror_takes_the_place_of_the_hub(info, network, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/")
    fetch(info, network)
    path = f"/naver-iv/zim-anything-vitb/resolve/{REVISION}/zim_vit_b_2043/encoder.onnx"
    assert network.requests[0].full_url == f"https://mirror.example/hf{path}"
    assert hub.hub_host(info.files[0]) == "mirror.example"


def test_an_insecure_mirror_is_refused(info, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    with pytest.raises(DownloadError, match=r"http://mirror\.example.*not a secure"):
        download(info, lambda p: None, lambda: False, sleep=lambda s: None)


def test_the_token_goes_to_the_hub_and_no_further(info, network, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    fetch(info, network)
    request = network.requests[0]
    assert request.get_header("Authorization") == "Bearer secret"
    again = urllib.request.HTTPRedirectHandler().redirect_request(
        request, None, 302, "", {}, "https://cdn.example/x"
    )
    assert not again.has_header("Authorization")


def test_without_a_token_none_is_sent(info, network):
    fetch(info, network)
    assert not network.requests[0].has_header("Authorization")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/c", "HF_HOME": "/b"}, "/c"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/d"}, "/b/hub"),
        ({"HF_HOME": "", "XDG_CACHE_HOME": "/d"}, "/d/huggingface/hub"),
        ({"HF_HOME": "$PLACE/hf", "PLACE": "/e"}, "/e/hf/hub"),
    ],
    ids=str,
)
def test_the_cache_is_where_the_hubs_client_keeps_it(monkeypatch, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hub.cache_folder() == Path(expected)


def test_by_default_the_cache_is_in_the_home(monkeypatch):
    monkeypatch.delenv("HF_HOME")
    assert hub.cache_folder() == Path.home() / ".cache" / "huggingface" / "hub"


def test_the_layout_is_that_of_the_hubs_client(home, info, monkeypatch):
    """If it is installed, its own look-up returns the same file as ours."""
    client = pytest.importorskip("huggingface_hub")
    repository = fill(home, info)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    cached = client.try_to_load_from_cache(
        "naver-iv/zim-anything-vitb",
        "zim_vit_b_2043/encoder.onnx",
        cache_dir=hub.cache_folder(),
    )
    ours = hub.find_cached(info.files[0])
    assert Path(cached).resolve() == ours.resolve()
