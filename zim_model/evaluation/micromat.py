"""Downloading MicroMat-3K, only when the user asks for it.

It comes from the authors' page on the Hugging Face hub, at one fixed revision, file by
file: received files are kept, and each is compared with the digest that the hub records
for that revision.  The authors have published no digest of their own.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from zim_model.errors import MALFORMED, DownloadError, msg
from zim_model.evaluation.mini import FOLDER
from zim_model.json_values import is_number
from zim_model.request import CancelCheck, raise_if_cancelled
from zim_model.runtime.atomic_files import atomic_write
from zim_model.weights.catalogue import Licence, ModelFile
from zim_model.weights.download import (
    Opener,
    ProgressCallback,
    fetch_files,
    open_https,
)
from zim_model.weights.hub import HUB
from zim_model.weights.installed import check_space, translate_os_errors

REPOSITORY = "naver-iv/MicroMat-3K"
REVISION = "7e6a7eca5cf6471ccba193d390b4ce8d7b7e8624"
SOURCE = f"{HUB}/datasets/{REPOSITORY}"
LICENCE = Licence("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/")
TERMS = (
    "MicroMat-3K, some 3,000 mattes of large photographs (several gigabytes), from\n"
    f"{SOURCE}\n"
    f"Licence, as that page says: {LICENCE.name} ({LICENCE.url}). The photographs are\n"
    "said to come from DIV2K, whose own terms apply to them. Files are compared with\n"
    "the digests that the hub records; the authors have published none."
)
"""Shown before the download."""
PAGES = 100
"""Most pages that a list of files may have."""
MAX_BYTES = 1 << 40
"""Largest size of a file."""
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _HubFile:
    """A file of the list: its path, size and digest."""

    path: str
    size: int
    digest: str
    large: bool

    @property
    def url(self) -> str:
        return f"{SOURCE}/resolve/{REVISION}/{urllib.parse.quote(self.path)}"


def download_micromat(
    folder: Path,
    progress: ProgressCallback,
    cancelled: CancelCheck,
    *,
    open_url: Opener = open_https,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch the data set into ``folder/MicroMat3K``, from where it was left.

    Args:
        folder: it is made.
        progress: called about ten times a second, on this thread.
        cancelled: polled; what has arrived is kept for the next time.
        open_url: opens a request; the default knows https only.
        sleep: waits so many seconds before another try.

    Returns:
        The root of the data set.

    Raises:
        DownloadError: the server cannot be reached or sends something else.
        WeightsError: the disk is full or cannot be written.
        Cancelled: ``cancelled`` became true.
    """
    listed = list(dict.fromkeys(_list_files(open_url, cancelled)))
    with translate_os_errors(folder):
        for part in {(folder / file.path).parent for file in listed}:
            part.mkdir(parents=True, exist_ok=True)
        left = [file for file in listed if not (folder / file.path).is_file()]
        check_space(folder, sum(file.size for file in left), model=False)
    for file in (file for file in left if not file.large):
        raise_if_cancelled(cancelled)
        _fetch_small(file, folder / file.path, open_url)
    large = [
        (ModelFile(Path(f.path).name, f.url, f.size, f.digest), folder / f.path)
        for f in listed
        if f.large
    ]
    fetch_files(large, progress, cancelled, open_url=open_url, sleep=sleep)
    return folder / FOLDER


def _list_files(open_url: Opener, cancelled: CancelCheck) -> Iterator[_HubFile]:
    """The files of the data set, as the hub lists them, page by page."""
    url = f"{HUB}/api/datasets/{REPOSITORY}/tree/{REVISION}/{FOLDER}?recursive=true"
    for _ in range(PAGES):
        raise_if_cancelled(cancelled)
        content, link = _read_url(open_url, url)
        try:
            entries = json.loads(content)
            yield from (
                _parse_entry(each) for each in entries if each["type"] == "file"
            )
        except MALFORMED as error:
            raise DownloadError(
                msg(
                    "The list of files at {url} cannot be understood: {error}.",
                    url=url,
                    error=str(error),
                ),
                msg("Fetch the data set with a browser from {source}.", source=SOURCE),
            ) from error
        match = _NEXT.search(link)
        if match is None:
            return
        url = match[1]
        if not url.startswith(f"{HUB}/"):
            raise DownloadError(
                msg("The list of files goes on at {url}, a stranger's.", url=url)
            )


def _parse_entry(entry: Any) -> _HubFile:
    path, lfs = str(entry["path"]), entry.get("lfs")
    parts = PurePosixPath(path).parts
    if parts[0] != FOLDER or ".." in parts or "\\" in path or len(parts) < 2:
        raise ValueError(f"the path {path!r} leads elsewhere")
    if "\0" in path or not path.isprintable():
        raise ValueError(f"the path {path!r} is none")
    digest = str(lfs["oid"] if lfs else entry["oid"])
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no digest")
    size = entry["size"]
    if not is_number(size, 0, MAX_BYTES, whole=True):
        raise ValueError(f"{size!r:.40} is no size")
    return _HubFile(path, size, digest, bool(lfs))


def _fetch_small(file: _HubFile, target: Path, open_url: Opener) -> None:
    """Fetch a file that is stored in Git itself, and compare Git's digest."""
    content, _ = _read_url(open_url, file.url)
    head = f"blob {len(content)}\0".encode()
    # Git's name of a content: not a matter of security, which https gives.
    digest = hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
    if digest != file.digest:
        raise DownloadError(
            msg("{path} arrived damaged: its checksum is wrong.", path=file.path),
            msg("Download again: what has arrived is kept."),
        )
    with (
        translate_os_errors(target),
        atomic_write(target) as stream,
    ):
        stream.write(content)


def _read_url(open_url: Opener, url: str) -> tuple[bytes, str]:
    """The content of a URL, and the Link header."""
    request = urllib.request.Request(url)
    request.add_header("User-Agent", "zim-studio")
    request.add_header("Accept-Encoding", "identity")
    content = bytearray()
    try:
        response = open_url(request)
        try:
            while chunk := response.read(256 << 10):
                content += chunk
            return bytes(content), str(response.headers.get("Link") or "")
        finally:
            response.close()
    except urllib.error.HTTPError as error:
        code = error.code
        error.close()
        raise DownloadError(
            msg("{url} is not given (HTTP {code}).", url=url, code=code),
            msg("It may have moved: look at {source}.", source=SOURCE),
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(
            msg("{url} cannot be reached: {error}.", url=url, error=str(error)),
            msg(
                "Check that this computer is online, then download again: what has "
                "arrived is kept."
            ),
        ) from error
