"""The user's Hugging Face settings: cache, mirror, offline mode, token.

Files of the Hugging Face hub that another program has fetched are in a shared folder.
Its layout and the meaning of the environment variables are documented by the hub's own
client, which is not needed here.
"""

from __future__ import annotations

import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from zim_model.weights.catalogue import ModelFile

HUB = "https://huggingface.co"
_FILE = re.compile(rf"{re.escape(HUB)}/([\w.-]+/[\w.-]+)/resolve/([\w.-]+)/(.+)")


def is_on_hub(file: ModelFile) -> bool:
    """Whether a file comes from the Hugging Face hub."""
    return _FILE.fullmatch(file.url) is not None


def file_url(file: ModelFile) -> str:
    """URL of a file: at the hub, or at its mirror in ``HF_ENDPOINT``."""
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/")
    if not endpoint or not is_on_hub(file):
        return file.url
    return endpoint + file.url.removeprefix(HUB)


def hub_host(file: ModelFile) -> str:
    """Host name of the server that a file is fetched from."""
    url = file_url(file)
    return urllib.parse.urlsplit(url).hostname or url


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` forbids requests to the hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def add_token(request: urllib.request.Request, file: ModelFile) -> None:
    """Add the token in ``HF_TOKEN``, which some mirrors require; for the hub only.

    It is not sent along with redirections, which lead to other servers.
    """
    token = os.environ.get("HF_TOKEN", "").strip()
    if token and is_on_hub(file):
        request.add_unredirected_header("Authorization", f"Bearer {token}")


def cache_folder() -> Path:
    """The shared cache of the hub's clients; it need not exist."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return _path(os.environ[name])
    if os.environ.get("HF_HOME"):
        return _path(os.environ["HF_HOME"]) / "hub"
    general = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _path(general) / "huggingface" / "hub"


def _path(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()


def find_cached(file: ModelFile) -> Path | None:
    """A file in the cache that has this one's name and size.

    Its SHA-256 must be checked.
    """
    return next(
        (path for path in _candidates(file) if _has_size(path, file.size)), None
    )


def _candidates(file: ModelFile) -> Iterator[Path]:
    match = _FILE.fullmatch(file.url)
    if match is None:
        return
    repository, revision, name = match.groups()
    folder = cache_folder() / f"models--{repository.replace('/', '--')}"
    yield folder / "blobs" / file.sha256  # large files are called by their digest
    yield folder / "snapshots" / revision / name
    try:
        snapshots = sorted((folder / "snapshots").iterdir())
    except OSError:
        return
    yield from (other / name for other in snapshots)


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.is_file() and path.stat().st_size == size
    except OSError:
        return False
