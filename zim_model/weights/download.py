"""Downloading known models: resumable, checked, and never half installed.

This is the only module that opens connections, and only when :func:`download` or
:func:`fetch_files` is called, or :func:`open_https` is passed to another function.
Files in the user's Hugging Face cache are used from there, see
:mod:`zim_model.weights.hub`. A file is received under a name that ends in ``.part``; it
is renamed once its SHA-256 is right, and the model's folder is renamed once all files
are there.
"""

from __future__ import annotations

import http.client
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from zim_model.errors import DownloadError, msg
from zim_model.request import CancelCheck, raise_if_cancelled
from zim_model.runtime.atomic_files import delete_error, exclusive_lock, read_error
from zim_model.weights import hub
from zim_model.weights.catalogue import ModelFile, ModelInfo
from zim_model.weights.installed import (
    PART_FOLDER,
    InstalledModel,
    check_space,
    find_installed,
    link_or_copy,
    models_folder,
    part_folder,
    sha256,
    translate_os_errors,
)

TIMEOUT_S = 15
"""Seconds without data after which a connection is given up."""
ATTEMPTS = 4
"""Attempts without progress in a row before a download fails."""
REPORT_S = 0.1
"""Seconds between progress reports."""
_CHUNK = 256 << 10
_VALIDATOR = ".validator"
_PASSING = (408, 416, 425, 429, 500, 502, 503, 504)
"""HTTP statuses that are retried; 416 after the part is deleted."""


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Progress of a download.

    Attributes:
        done: bytes on the disk, of all files together.
        total: bytes of all files.
        rate: bytes per second, recently; 0 while unknown.
        verifying: the checksum is being computed.
    """

    done: int
    total: int
    rate: float = 0.0
    verifying: bool = False

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the last byte at this rate; None while unknown."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None


ProgressCallback = Callable[[DownloadProgress], None]


class Response(Protocol):
    """The part of :class:`http.client.HTTPResponse` that is used."""

    status: int
    headers: Any

    def read(self, amount: int) -> bytes:
        """Up to ``amount`` bytes; none at the end."""

    def close(self) -> None:
        """End the connection."""


Opener = Callable[[urllib.request.Request], Response]


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to https only."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme != "https":
        raise DownloadError(
            msg("{url} is not a secure address.", url=url),
            msg("Only https is downloaded from."),
        )


def open_https(request: urllib.request.Request) -> Response:
    """Open a URL with verified certificates; proxies of the environment are used."""
    _require_https(request.full_url)
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _HttpsRedirects(),
    ):
        director.add_handler(handler)
    response: Response = director.open(request, timeout=TIMEOUT_S)
    return response


def partial_bytes(info: ModelInfo) -> int:
    """Bytes of an unfinished download of that model on the disk."""
    return sum(
        _downloaded_bytes(part_folder(info.name) / file.name) for file in info.files
    )


def _downloaded_bytes(target: Path) -> int:
    for path in (target, _part_path(target)):
        if path.is_file():
            return path.stat().st_size
    return 0


def download(
    info: ModelInfo,
    progress: ProgressCallback,
    cancelled: CancelCheck,
    *,
    open_url: Opener = open_https,
    sleep: Callable[[float], None] = time.sleep,
) -> InstalledModel:
    """Fetch a known model into the models folder; resumes an earlier download.

    Args:
        info: one of :data:`zim_model.weights.catalogue.MODELS`.
        progress: called about ten times a second, on this thread.
        cancelled: polled; the received part is kept for the next time.
        open_url: opens a request; the default accepts https only.
        sleep: waits for some seconds before another attempt.

    Raises:
        DownloadError: the server cannot be reached or sends something else, or another
            program downloads the same model.
        WeightsError: the disk is full or cannot be written.
        Cancelled: ``cancelled`` became true.
    """
    present = find_installed(info.name, None)
    if present is not None:
        return present
    staging = part_folder(info.name)
    targets = [(file, staging / file.name) for file in info.files]
    with translate_os_errors(models_folder()):
        staging.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(staging) as alone:
            if not alone:
                raise DownloadError(
                    msg(
                        "{title} is being downloaded already, by another program.",
                        title=info.title,
                    ),
                    msg("Wait for it, or stop it and download again."),
                )
            check_space(staging, info.size - partial_bytes(info))
            fetch_files(targets, progress, cancelled, open_url=open_url, sleep=sleep)
            staging.rename(models_folder() / info.name)
    model = find_installed(info.name, None)
    assert model is not None
    return model


def fetch_files(
    targets: Sequence[tuple[ModelFile, Path]],
    progress: ProgressCallback,
    cancelled: CancelCheck,
    *,
    open_url: Opener = open_https,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch files to their targets, whose folders exist; resumes earlier downloads.

    A file that has its final name was verified before and is skipped.  For the
    arguments and errors see :func:`download`.
    """
    done = sum(_downloaded_bytes(target) for _, target in targets)
    meter = _ProgressMeter(
        sum(file.size for file, _ in targets), done, progress, cancelled
    )
    for file, target in targets:
        _FileDownload(file, target, meter, open_url, sleep).run()


class _ProgressMeter:
    """Reports progress at a limited rate, and polls for cancellation."""

    def __init__(
        self,
        total: int,
        done: int,
        progress: ProgressCallback,
        cancelled: CancelCheck,
    ) -> None:
        self._progress, self._cancelled = progress, cancelled
        self._total, self._done = total, done
        self._rate = 0.0
        self._since, self._fresh = time.monotonic(), 0
        self.report()

    def check(self) -> None:
        raise_if_cancelled(self._cancelled)

    def add(self, nbytes: int) -> None:
        """Count received or (negative) deleted bytes."""
        self._done += nbytes
        self._fresh += max(0, nbytes)
        elapsed = time.monotonic() - self._since
        if elapsed >= REPORT_S:
            current = self._fresh / elapsed
            # A running mean over about two seconds.
            weight = min(1.0, elapsed / 2) if self._rate else 1.0
            self._rate += weight * (current - self._rate)
            self._since, self._fresh = time.monotonic(), 0
            self.report()

    def report(self, *, verifying: bool = False) -> None:
        self._progress(DownloadProgress(self._done, self._total, self._rate, verifying))


class _FileDownload:
    """Downloads one file."""

    def __init__(
        self,
        file: ModelFile,
        target: Path,
        meter: _ProgressMeter,
        open_url: Opener,
        sleep: Callable[[float], None],
    ) -> None:
        self._file, self._target, self._meter = file, target, meter
        self._open_url, self._sleep = open_url, sleep
        self._part = _part_path(target)
        self._validator = target.with_name(target.name + _VALIDATOR)
        self._url, self._host = hub.file_url(file), hub.hub_host(file)

    def run(self) -> None:
        """Fetch the missing part, verify the file, and rename it."""
        if self._target.is_file():  # it was verified before it was renamed
            return
        if not self._copy_from_hub_cache():
            self._fetch_all()
            self._verify()
        with translate_os_errors(self._target):
            os.replace(self._part, self._target)
            self._validator.unlink(missing_ok=True)

    def _copy_from_hub_cache(self) -> bool:
        """Link the file from the Hugging Face cache, if it is there and whole."""
        cached = hub.find_cached(self._file)
        if cached is None:
            return False
        self._meter.report(verifying=True)
        try:
            if sha256(cached, self._meter.check) != self._file.sha256:
                return False
        except OSError:  # it cannot be read, or another program deletes it
            return False
        self._delete_part()
        with translate_os_errors(self._part):
            link_or_copy(cached.resolve(), self._part)
        self._meter.add(self._file.size)
        return True

    def _fetch_all(self) -> None:
        """Complete the part."""
        if hub.is_offline() and hub.is_on_hub(self._file):
            raise DownloadError(
                msg(
                    "{name} is not in the Hugging Face cache ({folder}), and "
                    "HF_HUB_OFFLINE forbids to fetch it.",
                    name=self._file.name,
                    folder=hub.cache_folder(),
                ),
                msg("Unset HF_HUB_OFFLINE, or add the model from disk."),
            )
        most, failed_attempts = self._size(), 0
        while self._size() != self._file.size:
            self._meter.check()
            try:
                self._fetch()
            except (OSError, http.client.HTTPException) as error:
                # Only a new maximum is progress, else it could go on forever.
                failed_attempts = 0 if self._size() > most else failed_attempts + 1
                most = max(most, self._size())
                self._give_up_or_wait(error, failed_attempts)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _give_up_or_wait(self, error: Exception, failed_attempts: int) -> None:
        code = error.code if isinstance(error, urllib.error.HTTPError) else 0
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        hopeless = code and code not in _PASSING
        if hopeless or failed_attempts >= ATTEMPTS or _is_certificate(error):
            raise self._describe_error(error, code) from error
        for _ in range(10 * 2**failed_attempts):  # one second, then two, four, eight
            self._meter.check()
            self._sleep(0.1)

    def _fetch(self) -> None:
        """Append the result of one request to the part."""
        received_bytes = self._size()
        if received_bytes > self._file.size or not self._validator.is_file():
            received_bytes = self._delete_part()
        request = urllib.request.Request(self._url)
        request.add_header("User-Agent", "zim-studio")
        request.add_header("Accept-Encoding", "identity")
        hub.add_token(request, self._file)
        if received_bytes:
            request.add_header("Range", f"bytes={received_bytes}-")
            request.add_header("If-Range", self._validator.read_text("utf-8"))
        try:
            response = self._open_url(request)
        except urllib.error.HTTPError as error:
            if error.code == 416 and received_bytes:
                self._delete_part()  # no rest: the part belongs to another file
            raise
        try:
            self._receive(response, received_bytes)
        finally:
            response.close()

    def _receive(self, response: Response, received_bytes: int) -> None:
        if response.status == 206 and not self._continues(response, received_bytes):
            self._delete_part()
            raise http.client.HTTPException("not the part that was asked for")
        if response.status != 206 and received_bytes:
            received_bytes = (
                self._delete_part()
            )  # it changed, or the server has no ranges
        length = response.headers.get("Content-Length", "")
        expected = self._file.size - received_bytes
        if length.isdecimal() and int(length) != expected:
            self._delete_part()
            raise DownloadError(
                msg(
                    "{url} is another file now: {length:,} bytes instead of "
                    "{expected:,}.",
                    url=self._url,
                    length=int(length),
                    expected=expected,
                ),
                msg("Look for a newer version of zim-studio."),
            )
        if not received_bytes:
            self._remember_validator(response)
        with self._open_part() as out:
            while received_bytes < self._file.size:
                self._meter.check()
                chunk = response.read(min(_CHUNK, self._file.size - received_bytes))
                if not chunk:
                    raise http.client.IncompleteRead(
                        b"", self._file.size - received_bytes
                    )
                with translate_os_errors(self._part):
                    out.write(chunk)
                received_bytes += len(chunk)
                self._meter.add(len(chunk))

    def _continues(self, response: Response, received_bytes: int) -> bool:
        """Whether a response continues the part, and is not another file."""
        span = response.headers.get("Content-Range", "")
        expected = f"bytes {received_bytes}-{self._file.size - 1}/{self._file.size}"
        return bool(span == expected)

    def _open_part(self) -> IO[bytes]:
        with translate_os_errors(self._part):
            return self._part.open("ab", buffering=0)

    def _remember_validator(self, response: Response) -> None:
        """Store the tag by which a later response can continue this one."""
        tag = response.headers.get("ETag", "")
        if not tag or tag.startswith("W/"):  # weak: equal in meaning, not in bytes
            tag = response.headers.get("Last-Modified", "")
        with translate_os_errors(self._validator):
            self._validator.write_text(tag, "utf-8")
            if not tag:
                self._validator.unlink()

    def _delete_part(self) -> int:
        """Delete the part; return 0, its new size."""
        self._meter.add(-self._size())
        with translate_os_errors(self._part, delete_error):
            self._part.unlink(missing_ok=True)
            self._validator.unlink(missing_ok=True)
        return 0

    def _verify(self) -> None:
        """Compare the digest; a wrong file is deleted."""
        self._meter.report(verifying=True)
        with translate_os_errors(self._part, read_error):
            digest = sha256(self._part, self._meter.check)
        if digest != self._file.sha256:
            self._delete_part()
            raise DownloadError(
                msg(
                    "{name} arrived damaged: its checksum is wrong.",
                    name=self._file.name,
                ),
                msg(
                    "Download it again. If that does not help, something between here "
                    "and {host} changes files, or there is a newer one.",
                    host=self._host,
                ),
            )

    def _describe_error(self, error: Exception, code: int) -> DownloadError:
        """The error for the user."""
        host, reason = self._host, getattr(error, "reason", error)
        if code in _PASSING:
            return DownloadError(
                msg("{host} is too busy now (HTTP {code}).", host=host, code=code),
                msg("Wait, then download again: what has arrived is kept."),
            )
        if code:
            return DownloadError(
                msg(
                    "{host} does not give {name} (HTTP {code}).",
                    host=host,
                    name=self._file.name,
                    code=code,
                ),
                msg(
                    "It may have moved: fetch it with a browser, then add it from disk."
                ),
            )
        if _is_certificate(error):
            return DownloadError(
                msg(
                    "The connection to {host} is not secure: {reason}.",
                    host=host,
                    reason=reason,
                ),
                msg(
                    "Check the clock of this computer; behind a company's proxy, name "
                    "its certificate in SSL_CERT_FILE."
                ),
            )
        if isinstance(error, TimeoutError) or isinstance(reason, TimeoutError):
            return DownloadError(
                msg("{host} does not answer.", host=host),
                msg(
                    "Check the network, then download again: what has arrived is kept."
                ),
            )
        if isinstance(error, urllib.error.URLError):
            return DownloadError(
                msg("{host} cannot be reached.", host=host),
                msg(
                    "Check that this computer is online, then download again: what "
                    "has arrived is kept."
                ),
            )
        return DownloadError(
            msg("The connection to {host} broke off.", host=host),
            msg("Download again to go on: what has arrived is kept."),
        )


def _part_path(target: Path) -> Path:
    return target.with_name(target.name + PART_FOLDER)


def _is_certificate(error: Exception) -> bool:
    return isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError)
