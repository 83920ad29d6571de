"""Private keys on a PKCS#11 token: the gateway shakes hands and signs with them, and copes when the token goes away.

The token is a SoftHSM in a folder of the test's own; away means that its folder is empty.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

from gateway import FINESS_EJ, Gateway
from samples import numbered
from test_reload import edit, reload

MODULE = pathlib.Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "1234"

pytestmark = pytest.mark.skipif(not MODULE.exists() or not shutil.which("softhsm2-util"),
                                reason="softhsm2 is not installed: there is no token")

# SoftHSM 2.6 itself is known to crash under many threads.
ONE_WORKER = ("workers: 2", "workers: 1")

QUICK = {"first": "100 ms", "most": "200 ms", "probe": "100 ms"}


class Token:
    def __init__(self, folder: pathlib.Path):
        self.tokens, self.hidden = folder / "tokens", folder / "hidden"
        self.pin_file, self.config = folder / "pin", folder / "softhsm2.conf"
        self.tokens.mkdir(parents=True)
        self.write_pin(PIN)
        self.config.write_text(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\n")

    def util(self, *arguments: str | pathlib.Path):
        subprocess.run(["softhsm2-util", *arguments, "--pin", PIN], check=True, capture_output=True, timeout=30,
                       env={**os.environ, "SOFTHSM2_CONF": str(self.config)})

    def add_key(self, label: str, file: pathlib.Path, number: str):
        self.util("--import", file, "--token", "dmp", "--label", label, "--id", number)

    def write_pin(self, pin: str, mode: int = 0o600):
        self.pin_file.write_text(pin + "\n")
        self.pin_file.chmod(mode)

    def uri(self, label: str, token: str = "dmp") -> str:
        return f"pkcs11:token={token};object={label}?module-path={MODULE}&pin-source=file:{self.pin_file}"

    def hide(self):
        self.tokens.rename(self.hidden)
        self.tokens.mkdir()

    def bring_back(self):
        self.tokens.rmdir()
        self.hidden.rename(self.tokens)


@pytest.fixture(scope="module")
def filled(pki, tmp_path_factory):
    token = Token(tmp_path_factory.mktemp("token") / "token")
    token.util("--init-token", "--free", "--label", "dmp", "--so-pin", "5678")
    for number, name in enumerate(("auth", "sign"), 1):
        token.add_key(name, pki / f"{name}.key", f"{number:02}")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(token.config))
        yield token


@pytest.fixture
def token(filled):
    filled.write_pin(PIN)
    yield filled
    if filled.hidden.exists():
        filled.bring_back()


def both_on(token: Token, pki: pathlib.Path) -> list[tuple[str, str]]:
    return [(f"key: {pki}/{name}.key", f'key: "{token.uri(name)}"') for name in ("auth", "sign")]


@pytest.fixture
def on_token(make_gateway, pki, token):
    """Not started yet."""
    gateway = make_gateway(**QUICK)
    edit(gateway, ONE_WORKER, *both_on(token, pki))
    return gateway



def drop(gateway: Gateway, number: int) -> str:
    """A document, taken."""
    start = len(gateway.journal.lines)
    gateway.drop(f"{number}.xml", numbered(number))
    return gateway.journal.wait(r"doc=(\w+) .*state=queued", start=start)[1]


# ---- at work ----

def test_keys_go_to_a_token_by_reload_and_the_token_may_go_away(make_gateway, simulator, pki, token):
    gateway = make_gateway(**QUICK)
    edit(gateway, ONE_WORKER)
    gateway.start()
    edit(gateway, *both_on(token, pki))
    told = reload(gateway)
    assert told.done, told.text
    assert gateway.wait_final(drop(gateway, 1)) == "delivered"

    token.hide()
    start = len(gateway.journal.lines)
    doc = drop(gateway, 2)
    gateway.journal.wait(rf"lane={FINESS_EJ} state=stopped .*: pkcs11:token=dmp;object=sign: the token is not there",
                         start=start)
    token.bring_back()
    assert gateway.wait_final(doc) == "delivered"
    gateway.journal.wait(rf"lane={FINESS_EJ} state=open", start=start)
    assert len(simulator.received()) == 2
    assert PIN not in "\n".join(gateway.journal.lines).split()


def test_a_token_that_is_away_at_the_start_is_used_when_it_is_there(on_token, token):
    token.hide()
    on_token.start()
    on_token.journal.wait(r"an establishment cannot send: .*dmp\.tls\.key: .*object=auth: the token is not there")
    on_token.journal.wait(r"an establishment cannot send: .*dmp\.sign\.key: .*object=sign: the token is not there")
    doc = drop(on_token, 3)
    on_token.journal.wait(rf"lane={FINESS_EJ} state=stopped probes=\d")
    token.bring_back()
    assert on_token.wait_final(doc) == "delivered"


def test_a_key_that_cannot_shake_hands_stops_the_lane_with_words(on_token, token, pki):
    """The key of signatures is in a file, so that the handshake is what finds the token gone."""
    edit(on_token, (f'key: "{token.uri("sign")}"', f"key: {pki}/sign.key"))
    token.hide()
    on_token.start()
    doc = drop(on_token, 4)
    on_token.journal.wait(rf"lane={FINESS_EJ} state=stopped .*: pkcs11:token=dmp;object=auth: the token is not there")
    token.bring_back()
    assert on_token.wait_final(doc) == "delivered"


def test_a_wrong_pin_is_not_tried_twice_and_a_right_one_by_reload(on_token, token):
    token.write_pin("0000")
    on_token.start()
    on_token.journal.wait(r"dmp\.tls\.key: .* the token refuses the PIN in")
    on_token.journal.wait(r"dmp\.sign\.key: .* not tried again until that file changes")
    on_token.journal.wait(rf"lane={FINESS_EJ} state=stopped probes=never")
    doc = drop(on_token, 5)
    token.write_pin(PIN)
    assert reload(on_token).done
    assert on_token.wait_final(doc) == "delivered"


# ---- checked ----

def test_a_configuration_with_keys_on_a_token_is_right(on_token, token):
    done = on_token.run("--check-config")
    assert done.returncode == 0, done.stderr
    assert token.uri("auth") in done.stdout and token.uri("sign") in done.stdout


@pytest.mark.parametrize("old,new,words", [
    ("pin-source=", "pin-value=1234&pin-source=", "dmp.sign.key is a PKCS#11 URI that has the PIN in it"),
    ("module-path=/usr", "module-path=/nowhere", "dmp.sign.key has a module-path that is /nowhere/lib"),
    ("module-path=", "m=", "dmp.sign.key is a PKCS#11 URI that "),
    ("object=sign", "object=auth", "object=auth: this is not the key of the certificate"),
    ("object=sign", "object=none", "object=none: the token holds no such private key"),
    ("token=dmp", "token=other", "token=other;object=sign: the token is not there"),
], ids=["pin", "module", "nomodule", "swapped", "nokey", "notoken"])
def test_what_is_wrong_with_a_key_is_told_with_its_place(on_token, token, old, new, words):
    edit(on_token, (token.uri("sign"), token.uri("sign").replace(old, new)))
    done = on_token.run("--check-config")
    assert done.returncode == 1
    assert words in done.stderr
    place = done.stderr.split(words)[0].rsplit("\n", 1)[-1]
    assert place.startswith(f"{on_token.config.name}:") or str(on_token.config) in place


def test_a_pin_that_all_can_read_is_refused(on_token, token):
    token.write_pin(PIN, 0o644)
    done = on_token.run("--check-config")
    assert done.returncode == 1
    assert "dmp.sign.key has a pin-source that is a file that every user of this machine can read" in done.stderr
