"""Certificates: the operator's are used or refused, our own are made once per installation."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import stat
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from gateway_modules import self_signed, tls


@pytest.fixture
def default_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    pair = tmp_path / "certs" / "cert.pem", tmp_path / "certs" / "key.pem"
    monkeypatch.setattr(tls, "DEFAULT_CERTIFICATE", pair[0])
    monkeypatch.setattr(tls, "DEFAULT_KEY", pair[1])
    return pair


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_pair_is_made_on_first_start_and_kept(default_pair: tuple[Path, Path]) -> None:
    assert tls.find_certificate(None, None) == default_pair
    first = default_pair[0].read_bytes()
    tls.find_certificate(None, None)
    assert default_pair[0].read_bytes() == first


def test_only_the_owner_may_read_the_key(default_pair: tuple[Path, Path]) -> None:
    tls.find_certificate(None, None)
    assert stat.S_IMODE(default_pair[1].stat().st_mode) == 0o600


def test_the_certificate_names_this_machine(default_pair: tuple[Path, Path]) -> None:
    tls.find_certificate(None, None)
    names = (
        read(default_pair[0]).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
    assert {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} <= set(
        names.get_values_for_type(x509.IPAddress)
    )


def test_the_key_is_an_elliptic_one_that_fits(default_pair: tuple[Path, Path]) -> None:
    tls.find_certificate(None, None)
    key = read(default_pair[0]).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*default_pair)


def test_a_client_that_trusts_the_certificate_connects(default_pair: tuple[Path, Path]) -> None:
    tls.find_certificate(None, None)
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(*default_pair)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with server_context.wrap_socket(connection, server_side=True) as secured:
                secured.sendall(b"hello")

        thread = threading.Thread(target=serve)
        thread.start()
        context = ssl.create_default_context(cafile=default_pair[0])
        with (
            socket.create_connection(listener.getsockname()) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            assert secured.recv(5) == b"hello"
        thread.join()


def test_an_expired_pair_of_ours_is_replaced(
    default_pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_signed, "VALID_DAYS", 0)
    self_signed.make_certificate(*default_pair)
    expired = read(default_pair[0])
    monkeypatch.setattr(self_signed, "VALID_DAYS", 365)

    tls.find_certificate(None, None)

    now = datetime.now(timezone.utc)
    assert expired.not_valid_after_utc <= now
    assert read(default_pair[0]).not_valid_after_utc > now + timedelta(days=300)


def test_a_given_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(tls.CertificateError, match=r"--ssl-certfile: .*absent\.pem does not exist"):
        tls.find_certificate(str(tmp_path / "absent.pem"), None)


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    self_signed.make_certificate(certificate, tmp_path / "key.pem")
    with pytest.raises(tls.CertificateError, match="give both"):
        tls.find_certificate(str(certificate), None)
