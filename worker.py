"""One worker: a model on one device, behind HTTP and WebSocket. `python worker.py --help`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import torch

from config import (
    EMBEDDED_MODEL_PATH,
    NANO_MODEL_PATH,
    WORKER_SECRET_VARIABLE,
    ServiceConfig,
    describe_error,
    embedded_model_path,
    is_loopback,
    load_config,
    resolve_asset,
)
from core.logs import configure_logging, event
from core.processors import RequestLimits
from core.processors.duplex_options import service_options
from core.schemas import WorkerHealthResponse, WorkerRegistration, WorkerStatus
from core.voice_folders import VoiceFolders
from MiniCPMO45.tiny import build as build_embedded_model
from worker_modules.access import RequireSecret
from worker_modules.app import create_app
from worker_modules.garbage import spare_what_is_loaded
from worker_modules.model_worker import MiniCPMOWorker
from worker_modules.registration import Registration
from worker_modules.server import make_server
from worker_modules.state import WorkerState

__all__ = ["MiniCPMOWorker", "WorkerHealthResponse", "WorkerState", "WorkerStatus"]

logger = logging.getLogger("worker")

REGISTER_VARIABLE = "MINICPMO45_REGISTER_URL"
ADVERTISE_VARIABLE = "MINICPMO45_ADVERTISE"
SECRET_SETTING = f"security.worker_secret or {WORKER_SECRET_VARIABLE}"
EXIT_FAILED = 1


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve one MiniCPM-o 4.5 model.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, help="default: the configured base port + index")
    parser.add_argument("--worker-index", type=int, default=0, help="number of this worker")
    parser.add_argument("--gpu-id", type=int, help="label for health and logs (default: index)")
    parser.add_argument("--model-path", help="folder or hub id of the weights")
    parser.add_argument("--pt-path", help="extra weights laid over the base ones")
    parser.add_argument("--ref-audio-path", help="default voice")
    parser.add_argument("--duplex-pause-timeout", type=float, metavar="SECONDS")
    parser.add_argument(
        "--compile", action="store_true", default=None, help="same as model.cuda_graphs"
    )
    parser.add_argument(
        "--register",
        metavar="URL",
        default=os.environ.get(REGISTER_VARIABLE),
        help=f"a gateway to offer this worker to (default: ${REGISTER_VARIABLE})",
    )
    parser.add_argument(
        "--advertise",
        metavar="HOST[:PORT]",
        default=os.environ.get(ADVERTISE_VARIABLE),
        help=f"where that gateway reaches it (default: ${ADVERTISE_VARIABLE}, else where it calls "
        "from)",
    )
    return parser.parse_args(arguments)


def read_config(options: argparse.Namespace) -> ServiceConfig:
    """The configuration with the command line over it.

    Raises:
        FileNotFoundError, ValueError: it is missing or wrong; `describe_error` says how.
    """
    return load_config(
        overrides={
            "model.model_path": options.model_path,
            "model.pt_path": options.pt_path,
            "audio.ref_audio_path": options.ref_audio_path,
            "duplex.pause_timeout": options.duplex_pause_timeout,
            "service.compile": options.compile,
        },
        allow_missing=options.model_path is not None,
    )


def choose_model_path(config: ServiceConfig, *, has_gpu: bool) -> str:
    """The configured model; without a GPU and without local weights, the embedded one."""
    if config.local_model_folder is not None:
        return str(config.local_model_folder)
    if has_gpu:
        return config.model.model_path
    path = embedded_model_path()
    if path == EMBEDDED_MODEL_PATH:
        build_embedded_model(path)
    logger.warning(event("embedded_model", name=path.name, reason="no GPU and no local weights"))
    return str(path)


def overlay_for(config: ServiceConfig, model_path: str) -> str | None:
    """The configured extra weights; the embedded models are too small to take them."""
    embedded = {path.resolve() for path in (EMBEDDED_MODEL_PATH, NANO_MODEL_PATH)}
    return None if Path(model_path).resolve() in embedded else config.model.pt_path


def make_worker(config: ServiceConfig, *, gpu_id: int) -> MiniCPMOWorker:
    model_path = choose_model_path(config, has_gpu=torch.cuda.is_available())
    return MiniCPMOWorker(
        model_path,
        gpu_id,
        overlay_for(config, model_path),
        str(resolve_asset(config.ref_audio_path)) if config.ref_audio_path else None,
        config.duplex_pause_timeout,
        config.compile,
        config.chat_vocoder,
        config.attn_implementation,
        revision=config.model.revision,
        n_slots=config.n_slots,
        limits=RequestLimits.from_settings(config.limits),
        duplex_options=service_options(config.duplex),
        vocoder_backend=config.audio.vocoder_backend,
        cuda_graphs=config.model.cuda_graphs,
        quantization=config.model.quantization,
        find_voice_file=VoiceFolders.of(config).find,
    )


def main(arguments: list[str] | None = None) -> int:
    configure_logging()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = parse_arguments(arguments)
    try:
        config = read_config(options)
        port = config.worker_port(options.worker_index) if options.port is None else options.port
        secret = secret_for(options, config)
        registration = registration_for(options, port, secret)
    except (FileNotFoundError, ValueError) as error:
        sys.stderr.write(f"worker: {describe_error(error)}\n")
        return 1
    gpu_id = options.worker_index if options.gpu_id is None else options.gpu_id
    logger.info(event("starting", host=options.host, port=port, gpu_id=gpu_id))
    return serve(make_worker(config, gpu_id=gpu_id), config, options.host, port, registration)


def secret_for(options: argparse.Namespace, config: ServiceConfig) -> str:
    """The secret of the workers; empty where none is configured and none is needed.

    Raises:
        ValueError: other machines can reach this worker, or it has to register, without one.
    """
    secret = config.security.worker_secret or ""
    if not secret and not is_loopback(options.host):
        raise ValueError(f"--host {options.host} lets other machines in: set {SECRET_SETTING}")
    if not secret and options.register:
        raise ValueError(f"--register needs {SECRET_SETTING}")
    return secret


def registration_for(options: argparse.Namespace, port: int, secret: str) -> Registration | None:
    """What offers this worker to a gateway, if there is one.

    Raises:
        ValueError: the gateway's or the worker's address is none.
    """
    if not options.register:
        return None
    if urlsplit(options.register).scheme not in ("http", "https"):
        raise ValueError(f"--register {options.register} is no http:// or https:// address")
    advertised = urlsplit(f"//{options.advertise or ''}")
    place = WorkerRegistration(host=advertised.hostname, port=advertised.port or port)
    return Registration(options.register, secret, place)


def serve(
    worker: MiniCPMOWorker,
    config: ServiceConfig,
    host: str,
    port: int,
    registration: Registration | None = None,
) -> int:
    """Serve until a signal comes, or until the device fails; the exit status.

    After a lost device the status is not 0, so that whoever supervises starts a new process.
    """
    device_lost = threading.Event()

    def give_up() -> None:
        device_lost.set()
        server.should_exit = True

    app = create_app(worker, config, give_up, spare_what_is_loaded)
    if not is_loopback(host):
        app = RequireSecret(app, config.security.worker_secret or "")
    server = make_server(app, config, host, port, registration)
    server.run()
    return EXIT_FAILED if device_lost.is_set() or not server.started else 0


if __name__ == "__main__":
    sys.exit(main())
