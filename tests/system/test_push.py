"""Who does not look is told: a program or a webhook hears of each alert, in order, and holds nobody up."""

from __future__ import annotations

import http.server
import json
import queue
import ssl
import threading
import time

import pytest
from samples import hand_in, patient_words_in, read

EJ = "990000987"
LETTER = read("discharge-letter.xml")

ALERTS = "alerts: {{ lane_stopped: {{ after: 0 s }}, push: {{ retry: {{ first: 200 ms, most: 400 ms }}, {push} }} }}"


def stop_lane(gateway, simulator) -> str:
    simulator.faults({"kind": "status", "status": 403})
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.journal.wait(r"alert=lane_stopped .* raised")
    return doc


def open_lane(gateway, simulator, doc: str):
    simulator.faults()
    assert gateway.wait_final(doc) == "delivered"
    gateway.journal.wait(r"alert=lane_stopped .* cleared")


def about_lanes(messages: list[dict]) -> list[dict]:
    return [each for each in messages if each["name"] == "lane_stopped"]


def assert_whole(messages: list[dict]):
    lanes = about_lanes(messages)
    assert [each["change"] for each in lanes] == ["raised", "cleared"]
    for each in lanes:
        assert (each["subject"], each["severity"]) == (EJ, "critical") and each["gateway"] and each["since"]
        assert each["sentence"]["fr"].startswith("La voie d'envoi") and each["todo"]["en"]
    assert patient_words_in(json.dumps(messages)) == []


# ---- a program ----


@pytest.fixture
def program(tmp_path):
    """A script of these lines; what it was told is in lines of a file."""
    def make(*lines: str):
        path = tmp_path / "tell"
        path.write_text("\n".join(["#!/bin/sh", f"cd {tmp_path}", *lines, ""]))
        path.chmod(0o755)
        return path
    return make


def wait_told(path, count: int, timeout: float = 20) -> list[dict]:
    deadline = time.monotonic() + timeout
    while True:
        told = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        if len(about_lanes(told)) >= count:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_a_program_reads_each_change(start_gateway, simulator, program, tmp_path):
    script = program('printf "%s\\n" "$1 $2 $(env | grep -c SECRET)" >> arguments', "cat >> told", "echo >> told")
    gateway = start_gateway(extra=ALERTS.format(push=f'command: [{script}, "two words", "$HOME"]'))
    open_lane(gateway, simulator, stop_lane(gateway, simulator))
    assert_whole(wait_told(tmp_path / "told", 2))
    assert set((tmp_path / "arguments").read_text().splitlines()) == {"two words $HOME 0"}, "no shell, no environment"


def test_a_program_that_fails_is_run_again(start_gateway, simulator, program, tmp_path):
    script = program("echo >> runs", '[ "$(wc -l < runs)" -gt 2 ] || exit 3', "cat >> told", "echo >> told")
    gateway = start_gateway(extra=ALERTS.format(push=f"command: [{script}]"))
    open_lane(gateway, simulator, stop_lane(gateway, simulator))
    assert_whole(wait_told(tmp_path / "told", 2))
    assert len(gateway.journal.find(r"^<4>alert not told, tries again: \S+/tell ended with status 3")) == 2


def test_a_program_that_takes_anothers_place_is_told_at_once(start_gateway, simulator, program, tmp_path):
    script = program('echo "$1" >> runs', '[ "$1" = well ] || exit 3', "cat >> told", "echo >> told")
    push = f"command: [{script}, ill]"
    gateway = start_gateway(extra=ALERTS.format(push=push).replace("200 ms, most: 400 ms", "1 h, most: 1 h"))
    doc = stop_lane(gateway, simulator)
    gateway.journal.wait(r"alert not told, tries again")
    gateway.config.write_text(gateway.config.read_text().replace(f"{script}, ill", f"{script}, well"))
    gateway.ctl("reload")
    open_lane(gateway, simulator, doc)
    assert_whole(wait_told(tmp_path / "told", 2))


def test_a_program_that_hangs_is_ended_and_holds_nobody_up(start_gateway, simulator, program):
    script = program("sleep 1000 & sleep 1000")
    gateway = start_gateway(extra=ALERTS.format(push=f"command: [{script}], timeout: 300 ms, max_attempts: 2"))
    open_lane(gateway, simulator, stop_lane(gateway, simulator))
    gateway.journal.wait(r"^<4>alert not told, tries again: \S+ did not end in time")
    gateway.journal.wait(r"^<3>alert not told, given up after attempts=2")
    assert gateway.get("/healthz")[0] == 200


def test_the_gateway_stops_while_a_program_hangs(start_gateway, simulator, program):
    gateway = start_gateway(extra=ALERTS.format(push=f"command: [{program('touch began', 'sleep 1000')}], timeout: 5 min"))
    stop_lane(gateway, simulator)
    began = time.monotonic()
    assert gateway.stop() == 0
    assert time.monotonic() - began < 10


def test_the_gateway_stops_while_more_waits_to_be_told(start_gateway, simulator, program):
    """The program ends well as the gateway does: nobody is left to run it for the next."""
    script = program("trap '' TERM", "sleep 2")
    gateway = start_gateway(extra=ALERTS.format(push=f"command: [{script}]"))
    open_lane(gateway, simulator, stop_lane(gateway, simulator))
    assert gateway.stop() == 0


def test_what_cannot_be_run_is_told_before_the_start(make_gateway):
    checked = make_gateway(extra=ALERTS.format(push="command: [mail, root]")).run("--check-config")
    assert checked.returncode == 1
    assert "alerts.push.command must begin with the path of a program" in checked.stderr


# ---- a webhook ----


class Webhook:
    """A server on loopback (HTTPS, or HTTP without a pki) that answers with these statuses in turn, then with 200."""

    def __init__(self, pki, *statuses: int):
        self.statuses, self.told = list(statuses), queue.Queue()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = webhook.statuses.pop(0) if webhook.statuses else 200
                if status == 200:
                    webhook.told.put((dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if pki:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki / "server.pem", pki / "server.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if pki else 'http'}://127.0.0.1:{self.server.server_address[1]}/alerts"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def take(self, count: int) -> list[tuple[dict, dict]]:
        taken: list[tuple[dict, dict]] = []
        while len(about_lanes([body for _, body in taken])) < count:
            taken.append(self.told.get(timeout=20))
        return taken

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_webhook_hears_of_each_change_though_it_stumbles(start_gateway, simulator, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    token.chmod(0o600)
    with Webhook(simulator.pki, 503, 301) as webhook:
        gateway = start_gateway(extra=ALERTS.format(
            push=f"url: \"{webhook.url}\", ca: {simulator.pki}/ca.pem, token_file: {token}"))
        open_lane(gateway, simulator, stop_lane(gateway, simulator))
        taken = webhook.take(2)
    assert_whole([body for _, body in taken])
    for headers, _ in taken:
        assert headers["Content-Type"] == "application/json" and headers["Authorization"] == "Bearer 0123456789abcdef"
    assert [found[1] for found in gateway.journal.find(r"tries again: the webhook answers (\d+)")] == ["503", "301"]
    assert not gateway.journal.find("0123456789abcdef")


def test_a_webhook_of_another_authority_is_told_nothing(start_gateway, simulator, tmp_path):
    with Webhook(simulator.pki) as webhook:
        gateway = start_gateway(extra=ALERTS.format(push=f'url: "{webhook.url}", max_attempts: 1'))
        stop_lane(gateway, simulator)
        gateway.journal.wait(r"^<3>alert not told, given up after attempts=1: the webhook: .*certificate")
        assert webhook.told.empty()


def test_a_relay_on_this_machine_may_speak_plain_http(start_gateway, simulator):
    with Webhook(None) as webhook:
        gateway = start_gateway(extra=ALERTS.format(push=f'url: "{webhook.url}"'))
        open_lane(gateway, simulator, stop_lane(gateway, simulator))
        assert_whole([body for _, body in webhook.take(2)])


def test_plain_http_does_not_leave_this_machine(make_gateway):
    checked = make_gateway(extra=ALERTS.format(push='url: "http://hooks.example/x"')).run("--check-config")
    assert checked.returncode == 1 and "http is for this machine only" in checked.stderr


def test_a_rehearsal_tells_this_machine_only(make_gateway):
    checked = make_gateway(extra=ALERTS.format(push='url: "https://hooks.example/x"')).run("--check-config")
    assert checked.returncode == 1 and "a rehearsal tells this machine only" in checked.stderr
