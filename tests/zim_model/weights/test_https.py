"""What the product opens: https with verified certificates, and nothing else."""

import hashlib
import http.server
import shutil
import ssl
import subprocess
import threading

import pytest

from zim_model.errors import DownloadError
from zim_model.weights.catalogue import APACHE, ModelFile, ModelInfo
from zim_model.weights.download import download

CONTENT = b"weights" * 20_000
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/weights.pth")
            self.send_header("Content-Length", "0")
        elif self.path == "/plain":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/")
            self.send_header("Content-Length", "0")
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path == "/weights.pth":
            self.wfile.write(CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = (folder / "cert.pem", folder / "key.pem")
    command = [
        *(OPENSSL, "req", "-x509", "-nodes", "-days", "2"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-out", files[0], "-keyout", files[1]),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.fixture
def server(certificate):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("no_proxy", "*")


def fetch(server, path):
    digest = hashlib.sha256(CONTENT).hexdigest()
    url = f"https://127.0.0.1:{server.server_port}{path}"
    file = ModelFile("weights.pth", url, len(CONTENT), digest)
    info = ModelInfo("small", "Small", "For tests.", APACHE, "", "sam", (file,))
    return download(info, lambda p: None, lambda: False, sleep=lambda s: None)


@pytest.mark.parametrize("path", ["/weights.pth", "/moved"])
def test_a_trusted_server_delivers(server, certificate, monkeypatch, path):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert fetch(server, path).path.read_bytes() == CONTENT


def test_a_redirection_to_plain_http_is_refused(server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with pytest.raises(DownloadError, match="is not a secure address"):
        fetch(server, "/plain")


def test_an_unknown_certificate_is_refused_at_once(server):
    with pytest.raises(DownloadError, match=r"is not secure.*SSL_CERT_FILE"):
        fetch(server, "/weights.pth")
