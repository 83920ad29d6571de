"""Test certificates shaped like those of the IGC-Santé, made by the openssl command.

A root, an intermediate, the server's certificate, and the two of an organisation: AUTH_CLI for TLS only, SIGN
for signatures only. Keys are readable by their owner alone.
"""

import ipaddress
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Names of files hold no space, so a command can be read, and split, as a shell would.
_MAKE_KEY = "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {name}.key"
_MAKE_CERTIFICATE = (
    "req -x509 -new -sha256 -utf8 -days 825 -config openssl.cnf"
    " -extensions {name} -key {name}.key -out {name}.pem"
)
_ISSUED_BY = "-CA {issuer}.pem -CAkey {issuer}.key"

_CONFIG = """\
[req]
prompt = no
distinguished_name = dn
string_mask = utf8only
[dn]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = {names}
[auth]
basicConstraints = critical, CA:false
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[sign]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = emailProtection
authorityKeyIdentifier = keyid
"""


class PkiProblem(Exception):
    """The PKI could not be made; the text says why."""


@dataclass(frozen=True)
class Organisation:
    finess_ej: str
    name: str

    @property
    def subject(self) -> str:
        """OU is the Struct_IdNat of the legal entity: 1 and its FINESS."""
        name, structure = _escaped(self.name), _escaped(f"1{self.finess_ej}")
        return f"/C=FR/ST=Vosges (88)/O={name}/OU={structure}/CN=passerelle-dmp"


@dataclass(frozen=True)
class Certificate:
    name: str  # of its files, and of its section in the configuration
    issuer: str | None
    subject: str


def _certificates(organisation: Organisation) -> tuple[Certificate, ...]:
    """In the order they are issued."""
    authority = "/C=FR/O=TEST DMPFEED/OU=0002 000000000"
    return (
        Certificate("root", None, f"{authority}/CN=TEST AC RACINE ELEMENTAIRE"),
        Certificate("intermediate", "root", f"{authority}/CN=TEST AC ELEMENTAIRE ORGANISATIONS"),
        Certificate("server", "intermediate", "/C=FR/O=TEST DMPFEED/CN=DMP SIMULE"),
        Certificate("auth", "intermediate", organisation.subject),
        Certificate("sign", "intermediate", organisation.subject),
    )


# The file that is kept, and what it is made of: a leaf is followed by its intermediate, as TLS sends them.
FILES = {
    "ca.pem": ("root.pem",),
    "ca.key": ("root.key",),
    "intermediate.pem": ("intermediate.pem",),
    "intermediate.key": ("intermediate.key",),
    "server.pem": ("server.pem", "intermediate.pem"),
    "server.key": ("server.key",),
    "auth.pem": ("auth.pem", "intermediate.pem"),
    "auth.key": ("auth.key",),
    "sign.pem": ("sign.pem", "intermediate.pem"),
    "sign.key": ("sign.key",),
}


def make_pki(folder: Path, server_name: str, organisation: Organisation) -> bool:
    """False when a PKI is there already. Raises PkiProblem when a part of one is: nothing is overwritten."""
    there = [name for name in FILES if (folder / name).exists()]
    if len(there) == len(FILES):
        return False
    if there:
        missing = ", ".join(name for name in FILES if name not in there)
        raise PkiProblem(f"{folder} holds a part of a PKI, which is not overwritten; {missing} missing")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as workshop:
        _issue(Path(workshop), server_name, organisation)
        _install(Path(workshop), folder)
    return True


def issue_expired(pki: Path, folder: Path) -> Path:
    """The server's certificate again, for the same key and names, but one that ended yesterday."""
    for name in ("server.pem", "server.key", "intermediate.pem", "intermediate.key"):
        shutil.copy(pki / name, folder)
    for command in (
        "x509 -x509toreq -in server.pem -signkey server.key -copy_extensions copyall -out request",
        "x509 -req -in request -copy_extensions copyall -days -1 -out expired.pem"
        " -CA intermediate.pem -CAkey intermediate.key",
    ):
        OpenSsl(folder, *command.split()).check()
    chain = folder / "chain.pem"
    chain.write_bytes((folder / "expired.pem").read_bytes() + (folder / "intermediate.pem").read_bytes())
    return chain


def _issue(workshop: Path, server_name: str, organisation: Organisation) -> None:
    (workshop / "openssl.cnf").write_text(_CONFIG.format(names=_alternative_names(server_name)))
    certificates = _certificates(organisation)
    _make_keys(workshop, certificates)
    for certificate in certificates:
        command = _MAKE_CERTIFICATE.format(name=certificate.name)
        if certificate.issuer:
            command += " " + _ISSUED_BY.format(issuer=certificate.issuer)
        OpenSsl(workshop, *command.split(), "-subj", certificate.subject).check()


def _make_keys(workshop: Path, certificates: tuple[Certificate, ...]) -> None:
    """All at once: this is where the time goes."""
    running = [OpenSsl(workshop, *_MAKE_KEY.format(name=c.name).split()) for c in certificates]
    for command in running:
        command.check()


class OpenSsl:
    """One openssl command, started at once and waited for later."""

    def __init__(self, workshop: Path, *arguments: str):
        executable = shutil.which("openssl")
        if executable is None:
            raise PkiProblem("the openssl command is not installed")
        self._arguments = arguments
        self._process = subprocess.Popen(
            [executable, *arguments],
            cwd=workshop,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self) -> None:
        _, said = self._process.communicate()
        if self._process.returncode != 0:
            raise PkiProblem(f"openssl {self._arguments[0]} failed: {said.strip()}")


def _install(workshop: Path, folder: Path) -> None:
    for name, sources in FILES.items():
        whole = workshop / f"whole-{name}"
        whole.write_bytes(b"".join((workshop / source).read_bytes() for source in sources))
        whole.chmod(0o600 if name.endswith(".key") else 0o644)
        os.replace(whole, folder / name)


def _alternative_names(server_name: str) -> str:
    names = ["IP:127.0.0.1", "IP:::1", "DNS:localhost"]
    try:
        asked = f"IP:{ipaddress.ip_address(server_name)}"
    except ValueError:
        if not server_name.replace("-", "").replace(".", "").isalnum():
            raise PkiProblem("the server name is neither an address nor a host name") from None
        asked = f"DNS:{server_name}"
    return ", ".join(dict.fromkeys([*names, asked]))


def _escaped(value: str) -> str:
    """For -subj, where / separates and + joins."""
    return "".join(f"\\{c}" if c in "\\/+" else c for c in value)
