"""The shipped nginx site, with a certificate of its own, in an nginx that needs no rights."""

import ipaddress
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.cluster.machines import Machine
from benchmarks.servers import ROOT, SITE, end, free_port, wait_for_port

NAME = SITE.removeprefix("https://")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Proxy:
    """A running nginx: where it answers, and the file with its certificate."""

    url: str
    certificate: Path


def nginx() -> str:
    """The path of nginx, which is often not in PATH; "" if there is none."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or ""


@contextmanager
def running_proxy(machine: Machine, upstreams: Sequence[str], folder: Path) -> Iterator[Proxy]:
    """In front of these servers, each ``host:port``."""
    https = free_port()
    values = certificate(folder, machine.address) | {
        "SERVER_NAME": NAME, "UPSTREAMS": " ".join(f"server {address} max_fails=0;" for address in upstreams),
        "AWAY": str(ROOT / "deploy" / "nginx"), "LOGS": str(folder),
        "LISTEN_HTTP": f"{machine.address}:{free_port()}", "LISTEN_HTTPS": f"{machine.address}:{https}",
    }  # fmt: skip
    file = folder / "nginx.conf"
    file.write_text(configuration(values, folder))
    subprocess.run(machine.command(nginx(), "-t", "-c", str(file)), check=True, capture_output=True)
    process = subprocess.Popen(machine.command(nginx(), "-c", str(file)), stderr=subprocess.DEVNULL)
    try:
        wait_for_port(machine.address, https)
        yield Proxy(f"https://{machine.address}:{https}", folder / "tls.pem")
    finally:
        end(process)


def configuration(values: dict[str, str], folder: Path) -> str:
    """The shipped site in a configuration of nginx.

    :param values: of the variables of the template
    """
    site = (ROOT / "deploy" / "nginx" / "selfreg.conf.template").read_text()
    for name, value in values.items():
        site = site.replace(f"${{{name}}}", value)
    assert "${" not in site
    paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)
    user = "user root;" if os.getuid() == 0 else ""
    return (
        f"daemon off; master_process off; {user} pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\n{paths}\n{site}\n}}\n"
    )


def certificate(folder: Path, address: str) -> dict[str, str]:
    """The variables of the template that name a new certificate and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address(address))]
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.pem").write_bytes(built.public_bytes(pem))
    (folder / "tls.key").write_bytes(private)
    return {"CERTIFICATE": str(folder / "tls.pem"), "CERTIFICATE_KEY": str(folder / "tls.key")}
