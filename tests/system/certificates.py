"""Certificates other than those that the simulator makes: of another time, or taken back."""

from __future__ import annotations

import datetime
import pathlib
import shutil
import subprocess

CA = """\
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
crlnumber = serial
new_certs_dir = .
default_md = sha256
default_crl_days = 1
policy = any
[any]
C = supplied
ST = optional
O = optional
OU = optional
CN = supplied
[sign]
keyUsage = critical, digitalSignature, nonRepudiation
authorityKeyIdentifier = keyid
[auth]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
"""
SUBJECT = "/C=FR/ST=Vosges/O=CH/OU=1990000987/CN=passerelle-dmp"


def openssl(folder: pathlib.Path, command: str):
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


def authority(folder: pathlib.Path) -> pathlib.Path:
    """What `openssl ca` keeps its books in."""
    folder.mkdir(parents=True)
    for name, text in (("ca.cnf", CA), ("index.txt", ""), ("serial", "1000\n")):
        (folder / name).write_text(text)
    return folder


def resigned(pki: pathlib.Path, other: pathlib.Path, name: str, starts: float = -60, ends: float = 3600) -> pathlib.Path:
    """A copy of the certificates in which that of `name` (auth, sign), with the same key, is valid between these
    seconds from now."""
    shutil.copytree(pki, other)
    work = authority(other / "work")
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = (f"{now + datetime.timedelta(seconds=s):%Y%m%d%H%M%SZ}" for s in (starts, ends))
    openssl(work, f"req -new -config /dev/null -key {other}/{name}.key -out request.pem -utf8 -subj {SUBJECT}")
    openssl(work, f"ca -batch -notext -config ca.cnf -extensions {name} -in request.pem -cert {other}/intermediate.pem"
                  f" -keyfile {other}/intermediate.key -startdate {start} -enddate {end} -out leaf.pem")
    leaf, above = (work / "leaf.pem").read_text(), (other / "intermediate.pem").read_text()
    (other / f"{name}.pem").write_text(leaf + above)
    return other


def revocation_list(work: pathlib.Path, issuer: pathlib.Path, key: pathlib.Path, revoked: pathlib.Path | None,
                    out: pathlib.Path):
    """A list that this authority signs, with that certificate on it."""
    authority(work)
    if revoked is not None:
        openssl(work, f"ca -config ca.cnf -cert {issuer} -keyfile {key} -revoke {revoked}")
    openssl(work, f"ca -config ca.cnf -cert {issuer} -keyfile {key} -gencrl -out {out}")
