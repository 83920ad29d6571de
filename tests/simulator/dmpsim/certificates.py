"""Certificates that sign, as the DMP sees them: who issued them, what they are for, whom they name.

They are read and verified by the openssl command, once each.
"""

import base64
import binascii
import re
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

# What the DMP compares accents with is unknown: raw UTF-8 and the escapes of RFC 2253 are both right.
_NAME_FORMS = ("RFC2253,utf8,-esc_msb", "RFC2253")
_MANY = 512  # a client that invents certificates must not fill the memory


class NotACertificate(Exception):
    """The bytes are no X.509 certificate."""


@dataclass(frozen=True)
class Certificate:
    der: bytes
    subjects: tuple[str, ...]  # RFC 2253, in each of the forms allowed
    issuers: tuple[str, ...]
    serial: int
    usage: str  # as openssl tells keyUsage and extendedKeyUsage
    problem: str  # why it is not to be trusted, or empty

    @property
    def structure(self) -> str:
        """Struct_IdNat of the legal entity it names: its OU."""
        found = re.search(r"(?:^|,)OU=(\w+)(?:,|$)", self.subjects[0])
        return found[1] if found else ""

    @property
    def unfit(self) -> str:
        """Why it may not sign, or empty: ORG SIGN has nonRepudiation, ORG AUTH_CLI is for TLS alone."""
        if self.problem:
            return f"its certificate is not trusted: {self.problem}"
        if "TLS Web Client Authentication" in self.usage:
            return "its certificate is for TLS (ORG AUTH_CLI), the one for signatures (ORG SIGN) is expected"
        if "Non Repudiation" not in self.usage:
            return "the keyUsage of its certificate lacks nonRepudiation, it is not for signatures (ORG SIGN)"
        return ""


class Trust:
    """The authorities of the simulated DMP, and what it has read of the certificates it was shown."""

    def __init__(self, pki: Path):
        self._authority, self._intermediate = pki / "ca.pem", pki / "intermediate.pem"
        self._lock = threading.Lock()
        self._read: dict[bytes, Certificate] = {}
        # From the one that issues leaves up to the root.
        self.authorities = tuple(self.read(_der_of(path)) for path in (self._intermediate, self._authority))

    def read(self, der: bytes) -> Certificate:
        """Raises NotACertificate."""
        with self._lock:
            found = self._read.get(der)
            if found is None:
                if len(self._read) >= _MANY:
                    self._read.clear()
                found = self._read[der] = self._examine(der)
            return found

    def _examine(self, der: bytes) -> Certificate:
        told = [
            _openssl(
                der,
                *("x509", "-inform", "DER", "-noout", "-subject", "-issuer", "-serial", "-nameopt", form),
                *("-ext", "keyUsage,extendedKeyUsage"),
            )
            for form in _NAME_FORMS
        ]
        texts = [text for _, text in told]
        serial = re.search("^serial=([0-9A-F]+)$", texts[0], re.MULTILINE)
        if serial is None or any(status != 0 for status, _ in told):
            raise NotACertificate("this is no X.509 certificate")
        return Certificate(
            der,
            tuple(_line(text, "subject") for text in texts),
            tuple(_line(text, "issuer") for text in texts),
            int(serial[1], 16),
            texts[0].partition("X509v3")[2],
            self._problem(der),
        )

    def _problem(self, der: bytes) -> str:
        pem = ssl.DER_cert_to_PEM_cert(der).encode()
        only = ("-no-CApath", "-no-CAstore", "-CAfile", self._authority, "-untrusted", self._intermediate)
        status, text = _openssl(pem, "verify", *only)
        if status == 0:
            return ""
        found = re.search(r"lookup: ?(.+)", text)
        return found[1].strip() if found else "its chain does not end at the authority"


def from_base64(text: str) -> bytes:
    """Raises ValueError. White space between the characters is XML's, and harmless."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None


def _der_of(path: Path) -> bytes:
    """The first certificate of a file."""
    pem, end, _ = path.read_text().partition("-----END CERTIFICATE-----\n")
    if not end:
        raise NotACertificate(f"{path} holds no certificate")
    return ssl.PEM_cert_to_DER_cert(pem + end)


def _line(text: str, name: str) -> str:
    found = re.search(f"^{name}=(.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def _openssl(data: bytes, *arguments: object) -> tuple[int, str]:
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
