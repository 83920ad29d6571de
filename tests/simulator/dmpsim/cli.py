"""The command line of dmpfeed-sim: make a PKI, or serve until told to stop."""

import argparse
import ipaddress
import json
import os
import signal
import ssl
import sys
import threading
from functools import partial
from pathlib import Path

from lxml import etree

from .admin import serve_admin
from .pki import Organisation, PkiProblem, make_pki
from .schema import SubmissionSchema
from .server import Listener, serve_dmp, tls_context
from .simulator import Simulator
from .store import Store
from .submission import Settings

STOP_SECONDS = 1.0


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.make_pki is not None:
            return _make_pki(options)
        if options.pki is None or options.store is None:
            parser.error("--pki and --store are needed to serve, or --make-pki")
        return _serve(options)
    except (OSError, ssl.SSLError, PkiProblem, etree.XMLSchemaParseError) as problem:
        print(f"dmpfeed-sim: {problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmpfeed-sim", description="A simulated DMP for rehearsal, training and tests."
    )
    making = parser.add_argument_group("making test certificates")
    making.add_argument("--make-pki", type=Path, metavar="DIR", help="create a test PKI in DIR and exit")
    making.add_argument(
        "--server-name", default="127.0.0.1", metavar="NAME", help="one more name for the server certificate"
    )
    making.add_argument(
        "--finess-ej",
        default="990000987",
        type=_finess,
        help="FINESS of the legal entity (default %(default)s)",
    )
    making.add_argument(
        "--organisation", default="CH DE VALBRUME", help="name of the legal entity (default %(default)s)"
    )
    serving = parser.add_argument_group("serving")
    serving.add_argument("--pki", type=Path, metavar="DIR", help="certificates made by --make-pki")
    serving.add_argument(
        "--store", type=Path, metavar="DIR", help="folder of what is received; kept from one run to the next"
    )
    serving.add_argument(
        "--listen", default="127.0.0.1:0", type=_address, metavar="HOST:PORT", help="the DMP (port 0: any)"
    )
    serving.add_argument(
        "--admin",
        default="127.0.0.1:0",
        type=_loopback,
        metavar="HOST:PORT",
        help="the admin interface, loopback only",
    )
    serving.add_argument(
        "--schemas", type=Path, metavar="DIR", help="also validate against the public XSD found there"
    )
    serving.add_argument("--require-vihf", action="store_true", help="refuse a request without wsse:Security")
    serving.add_argument(
        "--allow-masked-and-invisible",
        action="store_true",
        help="the DMP's parameter that lets a document be both MASQUE_PS and INVISIBLE_PATIENT",
    )
    serving.add_argument(
        "--ready", type=Path, metavar="FILE", help="write the line of addresses there too, once ready"
    )
    serving.add_argument("--quiet", action="store_true", help="no line per exchange on stderr")
    return parser


def _make_pki(options: argparse.Namespace) -> int:
    made = make_pki(
        options.make_pki, options.server_name, Organisation(options.finess_ej, options.organisation)
    )
    print(f"{options.make_pki}: {'test PKI made' if made else 'a PKI is already there, left as it is'}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    schema = SubmissionSchema(options.schemas) if options.schemas else None
    settings = Settings(options.require_vihf, options.allow_masked_and_invisible, schema)
    simulator = Simulator(settings, Store(options.store), options.quiet)
    dmp = Listener(
        options.listen,
        partial(serve_dmp, simulator=simulator),
        lambda why: simulator.log(connection="failed", why=why),
        tls_context(options.pki),
    )
    admin = Listener(options.admin, partial(serve_admin, simulator=simulator), lambda why: None)
    for listener in (dmp, admin):
        listener.start()
    _tell_ready({"listening": dmp.url, "admin": admin.url}, options.ready)
    told_to_stop.wait()
    simulator.waiting.stop()
    for listener in (dmp, admin):
        listener.stop(STOP_SECONDS)
    return 0


def _tell_ready(addresses: dict[str, str], file: Path | None) -> None:
    line = json.dumps(addresses) + "\n"
    if file is not None:
        temporary = file.with_name(f".{file.name}.tmp")
        temporary.write_text(line)
        os.replace(temporary, file)
    print(line, end="", flush=True)


# ---- types of options


def _address(value: str) -> tuple[str, int]:
    host, colon, port = value.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError("HOST:PORT is expected")
    return host, int(port)


def _loopback(value: str) -> tuple[str, int]:
    host, port = _address(value)
    if host != "localhost" and not _is_loopback(host):
        raise argparse.ArgumentTypeError(
            "the admin interface has no password: a loopback address is expected"
        )
    return host, port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _finess(value: str) -> str:
    if len(value) != 9 or not value.isalnum():
        raise argparse.ArgumentTypeError("a FINESS has 9 characters")
    return value
