"""A real nginx with the configuration that we ship, in front of a server of the tests."""

import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.postgres import free_port

SITE = Path(__file__).resolve().parents[2] / "app" / "deploy" / "nginx.conf"
IS_HERE = shutil.which("nginx") is not None
NEEDED = pytest.mark.skipif(not IS_HERE, reason="nginx is not installed")
_MAIN = """
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/quickwin.conf;
}}
"""


class Proxy(NamedTuple):
    """A running proxy."""

    url: str
    port: int
    log: Path
    """Who came; beside it `error.log` says what went wrong."""
    trust: ssl.SSLContext
    """Knows its certificate."""


@contextmanager
def proxied(server: str, folder: Path, *, patience: int = 60) -> Iterator[Proxy]:
    """Our nginx in front of the server at a URL, with TLS on a free port, until the block ends.

    It has `patience` with an answer for so many seconds; with exports for as long as it says itself.
    """
    folder.mkdir()
    port, plain = free_port(), free_port()
    certificate, key = _certificate(folder)
    site = SITE.read_text(encoding="utf-8")
    for ours, theirs in {
        r"listen 80;": f"listen 127.0.0.1:{plain};",
        r"listen 443 ": f"listen 127.0.0.1:{port} ",
        r"server 127\.0\.0\.1:8000 ": f"server {server.removeprefix('http://')} ",
        r"/etc/ssl/quickwin\.pem": str(certificate),
        r"/etc/ssl/private/quickwin\.key": str(key),
        r"/var/log/nginx/quickwin\.log": str(folder / "access.log"),
        r"/var/log/nginx/quickwin-error\.log": str(folder / "error.log"),
        r"proxy_read_timeout 60s;": f"proxy_read_timeout {patience}s;",
    }.items():
        site, times = re.subn(ours, theirs, site)
        assert times == 1, ours
    (folder / "quickwin.conf").write_text(site, encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user), encoding="utf-8")
    process = subprocess.Popen(
        ["nginx", "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"]
    )
    try:
        proxy = Proxy(
            f"https://127.0.0.1:{port}",
            port,
            folder / "access.log",
            ssl.create_default_context(cafile=certificate),
        )
        _wait(proxy, process, folder / "error.log")
        yield proxy
    finally:
        process.terminate()
        process.wait(10)


def _wait(proxy: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{proxy.url}/health/live", verify=proxy.trust)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "quickwin.example")])
    now = datetime.now(UTC)
    local = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(local, critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(encoding))
    files[1].write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    return files
