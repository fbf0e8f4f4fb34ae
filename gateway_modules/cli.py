"""The command line of `gateway.py`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from config import ServiceConfig, describe_error, is_loopback, load_config
from core.logs import configure_logging, event
from gateway_modules import tracing
from gateway_modules.app import create_app
from gateway_modules.server import make_server
from gateway_modules.state import GatewayOptions
from gateway_modules.tls import CertificateError, find_certificate
from gateway_modules.worker_pool import split_address

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns the exit status."""
    options = make_parser().parse_args(arguments)
    configure_logging()
    tracing.set_up()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = load_config(
            overrides={
                "service.host": options.host,
                "service.gateway_port": options.port,
                "service.max_queue_size": options.max_queue_size,
                "service.request_timeout": options.timeout,
            },
            allow_missing=True,
        )
        certificate = (
            None if options.http else find_certificate(options.ssl_certfile, options.ssl_keyfile)
        )
    except (ValidationError, ValueError, CertificateError) as error:
        sys.stderr.write(f"gateway.py: {describe_error(error)}\n")
        return 1
    warn_of_openness(config, insecure=options.insecure)
    gateway_options = GatewayOptions(
        workers=worker_addresses(options, config), lang=options.lang, insecure=options.insecure
    )
    server = make_server(create_app(config, gateway_options), config, certificate)
    server.run()
    return 0 if server.started else 1


def warn_of_openness(config: ServiceConfig, *, insecure: bool) -> None:
    """Say in the log what everybody may do who reaches this address."""
    host = config.service.host
    if is_loopback(host):
        return
    if not config.security.api_keys:
        logger.warning(event("chats_need_no_key", host=host, setting="security.api_keys"))
    if insecure and config.security.admin_token is None:
        logger.warning(event("everybody_is_admin", host=host, setting="security.admin_token"))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gateway.py",
        description="Serve the pages and the API, and pass requests on to workers.",
        epilog="Options win over config.json.",
    )
    parser.add_argument("--port", type=positive_int, help="port to listen on")
    parser.add_argument("--host", help="address to listen on")
    workers = parser.add_mutually_exclusive_group()
    workers.add_argument("--workers", type=address_list, help="addresses, as host:port,host:port")
    workers.add_argument(
        "--num-workers",
        type=whole_number,
        help="so many workers on this machine (default 1); 0 waits for those that register",
    )
    parser.add_argument("--max-queue-size", type=positive_int, help="requests that may wait")
    parser.add_argument("--timeout", type=positive_float, help="seconds to wait for a worker")
    scheme = parser.add_mutually_exclusive_group()
    scheme.add_argument("--https", action="store_true", help="serve HTTPS (the default)")
    scheme.add_argument("--http", action="store_true", help="serve plain HTTP")
    parser.add_argument("--ssl-certfile", help="certificate; made in certs/ when not given")
    parser.add_argument("--ssl-keyfile", help="key of the certificate")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of first-time visitors")
    parser.add_argument(
        "--insecure", action="store_true", help="no admin token, even when others can connect"
    )
    return parser


def worker_addresses(options: argparse.Namespace, config: ServiceConfig) -> tuple[str, ...]:
    if options.workers is not None:
        return options.workers
    n_workers = 1 if options.num_workers is None else options.num_workers
    return tuple(config.worker_addresses(n_workers))


def whole_number(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative")
    return value


def positive_int(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


def positive_float(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def address_list(text: str) -> tuple[str, ...]:
    addresses = tuple(part.strip() for part in text.split(","))
    for address in addresses:
        try:
            host, port = split_address(address, 1)
        except ValueError:
            host, port = "", 0
        if not host or not 0 < port < 65536:
            raise argparse.ArgumentTypeError(f"{address!r} is not host:port")
    return addresses
