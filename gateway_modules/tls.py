"""The certificate with which the gateway serves HTTPS: the operator's, or one made here."""

from __future__ import annotations

import logging
from pathlib import Path

from config import PROJECT_ROOT
from core.logs import event

logger = logging.getLogger(__name__)

DEFAULT_CERTIFICATE = PROJECT_ROOT / "certs" / "cert.pem"
DEFAULT_KEY = PROJECT_ROOT / "certs" / "key.pem"


class CertificateError(Exception):
    """The certificate or key that was asked for cannot be used."""


def find_certificate(certificate: str | None, key: str | None) -> tuple[Path, Path]:
    """The certificate and key to serve with; the default pair is made when it is missing.

    Raises:
        CertificateError: a file that was named on the command line does not exist.
    """
    for option, given in (("--ssl-certfile", certificate), ("--ssl-keyfile", key)):
        if given is not None and not Path(given).is_file():
            raise CertificateError(f"{option}: {given} does not exist")
    certificate_path = Path(certificate) if certificate else DEFAULT_CERTIFICATE
    key_path = Path(key) if key else DEFAULT_KEY
    if (certificate is None) != (key is None):
        raise CertificateError("--ssl-certfile and --ssl-keyfile belong together: give both")
    if certificate is None:
        from gateway_modules.self_signed import make_certificate, needs_new_pair  # 8 MB of library

        if needs_new_pair(certificate_path, key_path):
            make_certificate(certificate_path, key_path)
            logger.info(event("certificate_made", path=certificate_path))
    return certificate_path, key_path
