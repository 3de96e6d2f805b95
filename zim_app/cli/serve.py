"""``zim-studio serve``: cut-outs over HTTP, for programs on this computer."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import math
import socket
import sys
from importlib import import_module

from zim_app.cli.models import add_device_arguments
from zim_app.core import isolation
from zim_model.errors import ZimError, msg
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights.catalogue import DEFAULT_MODEL
from zim_model.weights.installed import find_installed

PORT = 7000
"""That of rembg's server."""
_PACKAGES = ("fastapi", "uvicorn", "python_multipart")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio serve``."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this computer alone); there "
        "is no password",
    )
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="N", help="default: %(default)s"
    )
    parser.add_argument(
        "--max-megabytes",
        type=float,
        default=50.0,
        metavar="N",
        help="largest photo (default: %(default)g)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="for a request, with its wait for those before it (default: %(default)g)",
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help="of requests that name none (default: %(default)s)",
    )
    add_device_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return the exit code.

    Raises:
        ZimError: the extra is not installed, there is no such model, or the address
            cannot be used.
        ArgumentError: a number is out of range.
    """
    if not (0 < args.max_megabytes < math.inf and 0 < args.timeout < math.inf):
        raise argparse.ArgumentError(
            None, "--max-megabytes and --timeout are greater than 0"
        )
    if not 0 <= args.port <= 65535:
        raise argparse.ArgumentError(None, "--port is a number from 0 to 65535")
    _require_packages()
    import uvicorn

    from zim_app.cli.server import Limits, check_model, make_app
    from zim_app.core.remove import Remover

    check_model(args.model)
    limits = Limits(int(args.max_megabytes * 1e6), args.timeout)
    remover = Remover(DeviceChoice(args.device, args.precision))
    isolation.isolate()  # a photo that crashes its decoder ends its request alone
    isolation.warm_up()
    if find_installed(args.model) is not None:
        remover.prepare(args.model)
    with _listen(args.host, args.port) as listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        print(f"zim-studio: http://{address}:{port} until Ctrl-C", file=sys.stderr)
        if not ipaddress.ip_address(host).is_loopback:
            print(
                "zim-studio: warning: other computers can use it, without a password.",
                file=sys.stderr,
            )
        config = uvicorn.Config(
            make_app(remover, limits, args.model),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        # Clients are told of their malformed forms; the parser would tell it here, too.
        logging.getLogger("python_multipart").setLevel(logging.ERROR)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:  # raised again after the server has ended
            return 0
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ZimError: there is no such address, or another program listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ZimError(
            msg(
                "The server cannot listen on {host}, port {port}: {reason}.",
                host=host,
                port=port,
                reason=error.strerror or str(error),
            ),
            msg("Choose another with --host and --port."),
        ) from error


def _require_packages() -> None:
    """Check that what the extra ``serve`` brings is installed.

    Raises:
        ZimError: naming the package that is missing.
    """
    for name in _PACKAGES:
        try:
            import_module(name)
        except ImportError as error:
            raise ZimError(
                msg(
                    "This needs the package {name}, which is not installed.", name=name
                ),
                msg("Install it with: pip install 'zim-studio[serve]'."),
            ) from error
