"""A certificate for this machine's names, made for an installation that was given none."""

from __future__ import annotations

import ipaddress
import logging
import socket
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.logs import event
from gateway_modules.private_file import create_private

logger = logging.getLogger(__name__)

VALID_DAYS = 365
COMMON_NAME = "MiniCPM-o gateway"


def needs_new_pair(certificate_path: Path, key_path: Path) -> bool:
    """Whether the default pair is missing, or is an expired one of ours."""
    if not (certificate_path.is_file() and key_path.is_file()):
        return True
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    is_ours = [name.value for name in names] == [COMMON_NAME]
    return is_ours and certificate.not_valid_after_utc < datetime.now(timezone.utc)


def make_certificate(certificate_path: Path, key_path: Path) -> None:
    """Write a self-signed EC certificate for this machine's names, and its key with mode 0600."""
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    now = datetime.now(timezone.utc)
    key_usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(local_names()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key_path.unlink(missing_ok=True)
    create_private(key_path, key_pem)
    certificate_path.parent.mkdir(parents=True, exist_ok=True)
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def local_names() -> list[x509.GeneralName]:
    """The names and addresses under which this machine may be reached."""
    host_name = socket.gethostname()
    names = dict.fromkeys(name for name in ("localhost", host_name, socket.getfqdn()) if name)
    addresses = dict.fromkeys(("127.0.0.1", "::1", *_own_addresses(host_name)))
    return [
        *(x509.DNSName(name) for name in names if name.isascii()),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]


def _own_addresses(host_name: str) -> list[str]:
    addresses = []
    try:
        for *_, address in socket.getaddrinfo(host_name, None):
            addresses.append(str(address[0]).partition("%")[0])
    except OSError:
        logger.debug(event("host_name_unresolved", host=host_name))
    addresses += _outgoing_address(socket.AF_INET, "192.0.2.1")
    addresses += _outgoing_address(socket.AF_INET6, "2001:db8::1")
    return addresses


def _outgoing_address(family: socket.AddressFamily, documentation_address: str) -> list[str]:
    """The address this machine would call from; a connected UDP socket sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((documentation_address, 9))
            return [str(probe.getsockname()[0]).partition("%")[0]]
    except OSError:
        return []
