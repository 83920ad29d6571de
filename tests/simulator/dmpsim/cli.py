"""The program: make a PKI, or serve until told to stop."""

import argparse
import json
import os
import signal
import ssl
import sys
import threading
from functools import partial
from pathlib import Path

from lxml import etree

from . import vihf
from .admin import serve_admin
from .certificates import NotACertificate, Trust
from .judgement import Settings
from .options import INS_DOMAINS, OptionProblem, make_parser, read_options
from .pki import Organisation, PkiProblem, make_pki
from .schema import Schemas
from .server import Listener, TlsContexts, serve_dmp
from .simulator import Simulator
from .store import Habits, Store
from .value_sets import ValueSetProblem, ValueSets

STOP_SECONDS = 1.0

_PROBLEMS = (
    OSError,
    ssl.SSLError,
    PkiProblem,
    OptionProblem,
    ValueSetProblem,
    NotACertificate,
    etree.XMLSchemaParseError,
)


def main(arguments: list[str] | None = None) -> int:
    parser = make_parser()
    try:
        options = read_options(parser, arguments)
        if options.make_pki is not None:
            return _make_pki(options)
        if options.pki is None or options.store is None:
            parser.error("--pki and --store are needed to serve, or --make-pki")
        return _serve(options)
    except _PROBLEMS as problem:
        print(f"dmpfeed-sim: {problem}", file=sys.stderr)
        return 1


def _make_pki(options: argparse.Namespace) -> int:
    made = make_pki(
        options.make_pki, options.server_name, Organisation(options.finess_ej, options.organisation)
    )
    print(f"{options.make_pki}: {'test PKI made' if made else 'a PKI is already there, left as it is'}")
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    value_sets = None if options.no_value_sets else options.value_sets
    return Settings(
        vihf.Settings(
            Trust(options.pki),
            dict(options.structures) if options.structures is not None else None,
            options.vihf_max_age,
        ),
        options.require_vihf,
        options.require_signature,
        options.allow_masked_and_invisible,
        options.accept_hash_and_size,
        INS_DOMAINS[options.ins],
        Schemas(options.schemas) if options.schemas else None,
        ValueSets(value_sets) if value_sets else None,
    )


def _serve(options: argparse.Namespace) -> int:
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    habits = Habits(options.any_related_document, options.fault_when_absent, options.replaced_first)
    simulator = Simulator(_settings(options), Store(options.store, habits), options.quiet)
    dmp = Listener(
        options.listen,
        partial(serve_dmp, simulator=simulator),
        lambda why: simulator.log(connection="failed", why=why),
        TlsContexts(options.pki, simulator.faults).choose,
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
