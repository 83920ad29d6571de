"""The options of dmpfeed-sim, on its command line or in a file: one list, one meaning."""

import argparse
import ipaddress
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from .value_sets import shipped

INS_DOMAINS = {
    "any": frozenset(),
    "production": frozenset(("1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9")),
    "test": frozenset(("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11")),
}
_NOT_IN_A_FILE = ("help", "config", "make_pki")


class OptionProblem(Exception):
    """A file of options that is not understood; the text says where."""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmpfeed-sim", description="A simulated DMP for rehearsal, training and tests."
    )
    _add_making(parser.add_argument_group("making test certificates"))
    _add_serving(parser.add_argument_group("serving"))
    _add_strictness(parser.add_argument_group("how strict it is"))
    return parser


def read_options(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """Those of the command line, which go before those of the file it names."""
    options = parser.parse_args(arguments)
    if options.config is None:
        return options
    from_file = parser.parse_args(list(_arguments_of(parser, options.config)))
    return parser.parse_args(arguments, from_file)


def _add_making(making: argparse._ArgumentGroup) -> None:
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


def _add_serving(serving: argparse._ArgumentGroup) -> None:
    serving.add_argument("--config", type=Path, metavar="FILE", help="options from a YAML or JSON file")
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
        "--ready", type=Path, metavar="FILE", help="write the line of addresses there too, once ready"
    )
    serving.add_argument("--quiet", action="store_true", help="no line per exchange on stderr")


def _add_strictness(strict: argparse._ArgumentGroup) -> None:
    strict.add_argument(
        "--schemas", type=Path, metavar="DIR", help="also validate against the public XSD found there"
    )
    strict.add_argument(
        "--value-sets", type=Path, default=shipped(), metavar="DIR", help="code lists (default %(default)s)"
    )
    strict.add_argument("--no-value-sets", action="store_true", help="accept any code of the right system")
    strict.add_argument("--require-vihf", action="store_true", help="refuse a request without wsse:Security")
    strict.add_argument(
        "--require-signature", action="store_true", help="refuse a submission without its XAdES signature"
    )
    strict.add_argument(
        "--structures",
        action="append",
        type=_sites,
        metavar="EJ=EG,…",
        help="sites that a legal entity may speak for in the VIHF (may be repeated; default: any)",
    )
    strict.add_argument(
        "--vihf-max-age",
        type=_seconds,
        default=timedelta(minutes=5),
        metavar="SECONDS",
        help="how old an assertion may be (default 300)",
    )
    strict.add_argument(
        "--ins",
        choices=INS_DOMAINS,
        default="any",
        help="identities that are right here (default %(default)s)",
    )
    strict.add_argument(
        "--allow-masked-and-invisible",
        action="store_true",
        help="the DMP's parameter that lets a document be both MASQUE_PS and INVISIBLE_PATIENT",
    )
    strict.add_argument(
        "--accept-hash-and-size",
        action="store_true",
        help="accept the hash and the size of a document among its metadata, if they are right",
    )
    strict.add_argument(
        "--any-related-document",
        action="store_true",
        help="accept a replacement whose relatedDocument names another document than its association does",
    )
    strict.add_argument(
        "--fault-when-absent",
        action="store_true",
        help="answer TD3.1b with a fault, not with an empty list, where there is no such document",
    )
    strict.add_argument(
        "--replaced-first",
        action="store_true",
        help="look at what a document replaces before looking whether the document is known",
    )


# ---- the file


def _arguments_of(parser: argparse.ArgumentParser, file: Path) -> Iterable[str]:
    """The file as if it had been typed. JSON is YAML too."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise OptionProblem(f"{file}: {problem}") from None
    if not isinstance(content, dict):
        raise OptionProblem(f"{file}: a list of options is expected, each name: value")
    actions = {action.dest: action for action in parser._actions if action.dest not in _NOT_IN_A_FILE}
    for key, value in content.items():
        action = actions.get(str(key).replace("-", "_"))
        if action is None or "_" in str(key):
            known = ", ".join(dest.replace("_", "-") for dest in actions)
            raise OptionProblem(f"{file}: {key} is not one of {known}")
        yield from _typed(file, action, value)


def _typed(file: Path, action: argparse.Action, value: Any) -> Iterable[str]:
    name = action.option_strings[0]
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise OptionProblem(f"{file}: {name.lstrip('-')} is true or false")
        return [name] if value else []
    values = value if isinstance(value, list) else [value]
    for one in values:
        if isinstance(one, bool) or not isinstance(one, (str, int)):
            raise OptionProblem(f"{file}: {name.lstrip('-')} is a text or a number")
    # A path in a file is relative to that file, wherever the program is started.
    texts = [str(file.parent / one) if action.type is Path else str(one) for one in values]
    return [f"{name}={text}" for text in texts]


# ---- types


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


def _sites(value: str) -> tuple[str, frozenset[str]]:
    entity, equal, sites = value.partition("=")
    if not equal:
        raise argparse.ArgumentTypeError("FINESS_EJ=FINESS_EG,… is expected")
    return _finess(entity), frozenset(map(_finess, filter(None, sites.split(","))))


def _seconds(value: str) -> timedelta:
    if not re.fullmatch("[0-9]{1,6}", value):
        raise argparse.ArgumentTypeError("a number of seconds is expected")
    return timedelta(seconds=int(value))
