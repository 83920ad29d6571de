"""Each legal entity has a way of its own: what is wrong with the certificates of one, or with its DMP, does not keep
the others from sending, and is told in every place where somebody looks."""

from __future__ import annotations

import datetime
import json
import re
import shutil

import pytest

from certificates import resigned
from gateway import CONFIG, DEFAULTS, FINESS_EG, FINESS_EJ, Gateway, Mllp, Simulator, free_port
from samples import hand_in, mdm_t02, numbered, unique_id

OTHER_EJ, OTHER_EG = "990000995", "990012360"

OTHER = """\
  - finess_ej: "{ej}"
    name: CH DE MONTFLEURI
    dmp:
      url: {{ repository: "{url}/repository", registry: "{url}/registry", patients: "{url}/patients" }}
      tls: {{ ca: "{ca}", cert: "{auth}", key: "{auth_key}", crl: "{crl}" }}
      sign: {{ cert: "{sign}", key: "{sign_key}", chain: "{chain}" }}
      retry: {{ first: 1 s, most: 2 s, probe: 1 s }}
    sites:
      - {{ finess_eg: "{eg}", name: CH DE MONTFLEURI, sector: SA01 }}
"""


def config_of(simulator, **files) -> str:
    """Two establishments with a listener each; the files of the second are given."""
    pki = simulator.pki
    usual = {"ca": pki / "ca.pem", "auth": pki / "auth.pem", "auth_key": pki / "auth.key", "crl": "",
             "sign": pki / "sign.pem", "sign_key": pki / "sign.key", "chain": pki / "ca.pem", "url": simulator.url}
    first = CONFIG.format(**{**DEFAULTS, "url": simulator.url, "pki": pki})
    listener = f'    - {{ name: other, listen: "127.0.0.1:0", site: "{OTHER_EG}", source: LIS }}\n  drop:\n'
    return first.replace("  drop:\n", listener, 1) + OTHER.format(
        ej=OTHER_EJ, eg=OTHER_EG, **{**usual, **files})


def port_of(gateway: Gateway, name: str) -> tuple[str, int]:
    found = gateway.journal.wait(rf"listening name={name} address=(\S+):(\d+)")
    return found[1], int(found[2])


@pytest.fixture
def troubles(simulator, tmp_path):
    """Files of the second establishment, the option that is told, and in which words."""
    pki = simulator.pki
    junk = tmp_path / "junk.pem"
    junk.write_text("not PEM at all\n")
    junk.chmod(0o600)

    def of_time(name, starts, ends):
        return resigned(pki, tmp_path / f"{name}{starts}", name, starts, ends) / f"{name}.pem"

    return {
        "swapped": ({"auth": pki / "sign.pem", "auth_key": pki / "sign.key", "sign": pki / "auth.pem",
                     "sign_key": pki / "auth.key"}, "dmp.tls.cert", "has nonRepudiation"),
        "no certificate": ({"auth": tmp_path / "none.pem"}, "dmp.tls.cert", "No such file"),
        "no key": ({"sign_key": tmp_path / "none.key"}, "dmp.sign.key", "No such file"),
        "not PEM": ({"sign": junk}, "dmp.sign.cert", "holds no certificate"),
        "another's key": ({"auth_key": pki / "sign.key"}, "dmp.tls.key", "is not the key of the certificate"),
        "expired auth": ({"auth": of_time("auth", -7200, -3600)}, "dmp.tls.cert", "ended on"),
        "expired sign": ({"sign": of_time("sign", -7200, -3600)}, "dmp.sign.cert", "ended on"),
        "early auth": ({"auth": of_time("auth", 3600, 7200)}, "dmp.tls.cert", "begins on"),
        "early sign": ({"sign": of_time("sign", 3600, 7200)}, "dmp.sign.cert", "begins on"),
        "no list": ({"crl": tmp_path / "none.crl"}, "dmp.tls.crl", "cannot be read"),
    }


@pytest.mark.parametrize("trouble", ["swapped", "no certificate", "no key", "not PEM", "another's key", "expired auth",
                                     "expired sign", "early auth", "early sign", "no list"])
def test_one_entitys_certificate_stops_its_lane_alone(simulator, tmp_path, troubles, trouble):
    files, option, words = troubles[trouble]
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki, config=config_of(simulator, **files))
    told = rf"dmpfeed\.yaml:\d+:\d+: {re.escape(option)}:? .*{words}"

    checked = gateway.run("--check-config")
    assert checked.returncode == 1 and re.search(told, checked.stderr), checked.stderr

    with gateway.start():
        gateway.journal.wait(rf"^<3>an establishment cannot send: .*{told}")
        gateway.journal.wait(rf"^<3>lane={OTHER_EJ} state=stopped probes=never: .*: {re.escape(option)}")
        ready, stopped = gateway.status()["lanes"]
        assert (ready["name"], ready["state"]) == (FINESS_EJ, "open")
        assert (stopped["name"], stopped["state"], stopped["resumes"]) == (OTHER_EJ, "stopped", None)
        assert option in stopped["why"] and re.search(words, stopped["why"])
        assert stopped["sentence"]["fr"].startswith("Ce avec quoi elle envoie") and option in stopped["sentence"]["fr"]
        assert gateway.get("/readyz")[0] == 200

        assert gateway.wait_final(hand_in(gateway, "mllp", numbered(1))) == "delivered"
        assert send_to_other(gateway, numbered(2)) == "AA"
        waiting = {each["unique_id"]: each["state"] for each in gateway.documents()}
        assert waiting == {unique_id(numbered(1)): "delivered", unique_id(numbered(2)): "queued"}


def send_to_other(gateway: Gateway, cda: bytes) -> str:
    ours, theirs = FINESS_EG.encode(), OTHER_EG.encode()
    of_theirs = mdm_t02(cda.replace(ours, theirs)).replace(ours, theirs)
    with Mllp(port_of(gateway, "other")) as mllp:
        ack = mllp.send(of_theirs)
    return ack.code if ack.code == "AA" else f"{ack.code} {ack.errors}"


def test_a_certificate_that_was_mended_sends_what_waited(simulator, tmp_path):
    cert = tmp_path / "sign.pem"
    text = config_of(simulator, sign=cert)
    with Gateway(tmp_path / "gateway", simulator.url, simulator.pki, config=text) as gateway:
        assert send_to_other(gateway, numbered(1)) == "AA"
        assert gateway.status()["lanes"][1]["state"] == "stopped"
        assert gateway.stop() == 0
        shutil.copy(simulator.pki / "sign.pem", cert)
        gateway.start()
        assert gateway.settled()[unique_id(numbered(1))]["state"] == "delivered"


# ---- why a document has not left ----

def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def why_not_left(gateway: Gateway, doc: str) -> dict:
    """The same wherever it is asked: of the document, in a list by its reason, and over HTTP."""
    shown = gateway.ctl("show", doc)
    told = {name: shown[name] for name in ("state", "reason", "sentence", "todo", "lane_state", "lane_since", "lane_why")}
    assert told["state"] == "queued" and told["reason"] and told["sentence"] and told["todo"]
    listed = {each["doc"]: each for each in gateway.ctl("list", "--reason", told["reason"])}
    code, body = gateway.get(f"/api/v1/documents?reason={told['reason']}")
    api = {each["doc"]: each for each in json.loads(body)["documents"]}
    assert code == 200 and set(api) == set(listed)
    for each in (listed[doc], api[doc]):
        assert {name: each[name] for name in told} == told
        assert (each["not_before"] is None) == (shown["not_before"] is None)
    return {**told, "not_before": shown["not_before"]}


def test_a_document_of_a_lane_that_a_fault_stopped_says_so(start_gateway, simulator):
    gateway = start_gateway()
    simulator.faults({"kind": "fault", "subcode": "DMPInvalidCertificate", "text": "certificat invalide"})
    gateway.send(mdm_t02(numbered(1)))
    gateway.journal.wait(rf"^<3>lane={FINESS_EJ} state=stopped probes=")
    waiting = hand_in(gateway, "mllp", numbered(2))
    told = why_not_left(gateway, waiting)
    (lane,) = gateway.status()["lanes"]
    assert (told["reason"], told["lane_state"]) == ("lane_stopped", "stopped")
    assert told["lane_since"] and told["lane_since"] == lane["since"]
    assert told["lane_why"] == lane["why"] and "Check which certificate signs" in told["lane_why"]
    assert told["not_before"] >= lane["since"]
    assert "Correct what the lane's cause names" in told["todo"]

    simulator.faults()
    assert gateway.wait_final(waiting) == "delivered"
    shown = gateway.ctl("show", waiting)
    assert (shown["reason"], shown["lane_state"], shown["lane_why"], shown["not_before"]) == (None,) * 4
    assert gateway.ctl("list", "--reason", "lane_stopped") == []


def test_a_document_of_a_lane_in_a_pause_says_so(start_gateway, simulator):
    gateway = start_gateway(first="30 s", most="60 s")
    simulator.faults({"kind": "status", "status": 503})
    tried = hand_in(gateway, "mllp", numbered(1))
    gateway.journal.wait(rf"^<4>lane={FINESS_EJ} state=slowed")
    waiting = hand_in(gateway, "mllp", numbered(2))
    told = why_not_left(gateway, waiting)
    (lane,) = gateway.status()["lanes"]
    assert (told["reason"], told["lane_state"], told["lane_since"]) == ("lane_slowed", "slowed", lane["since"])
    assert told["lane_why"] == lane["why"] and "503" in told["lane_why"]
    assert abs(moment(told["not_before"]) - moment(lane["resumes"])).total_seconds() < 1
    own = why_not_left(gateway, tried)
    assert (own["reason"], own["todo"], own["lane_why"]) == ("doubtful", told["todo"], told["lane_why"])
    assert own["not_before"]


def test_a_document_of_a_lane_without_certificates_says_so(simulator, tmp_path):
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki, auth="absent", sign="absent")
    with gateway.start():
        told = why_not_left(gateway, hand_in(gateway, "mllp", numbered(1)))
        assert (told["reason"], told["lane_state"]) == ("lane_stopped", "stopped")
        assert "absent.pem" in told["lane_why"] and told["lane_since"]
        assert told["not_before"] is None and "dmpfeedctl reload" in told["todo"]


def test_a_document_whose_turn_has_not_come_says_so(start_gateway, simulator):
    gateway = start_gateway()
    gateway.config.write_text(gateway.config.read_text().replace("    dmp:\n", "    dmp:\n      max_in_flight: 1\n", 1))
    gateway.ctl("reload")
    simulator.faults({"kind": "hold"})
    hand_in(gateway, "mllp", numbered(1))
    simulator.wait_held(1)
    waiting = hand_in(gateway, "mllp", numbered(2))
    told = why_not_left(gateway, waiting)
    assert (told["reason"], told["lane_state"]) == ("waiting_turn", "open")
    assert told["lane_why"] == "1 under way, of at most 1 at once"
    assert gateway.ctl("list", "--reason", "lane_slowed") == gateway.ctl("list", "--reason", "lane_stopped") == []
    simulator.faults()
    simulator.release()
    assert gateway.wait_final(waiting) == "delivered"


def test_without_any_certificate_it_still_takes_documents_in(simulator, tmp_path):
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki, auth="absent", sign="absent")
    with gateway.start():
        hand_in(gateway, "mllp", numbered(1))
        hand_in(gateway, "drop", numbered(2))
        assert gateway.get("/readyz")[0] == 200
        (lane,) = gateway.status()["lanes"]
        assert lane["state"] == "stopped" and "absent.pem" in lane["why"]
        assert gateway.status()["queue"]["queued"] == 2
        assert simulator.received() == {}


def test_the_outage_of_one_entitys_dmp_slows_its_lane_alone(simulator, tmp_path):
    """And ages none of its documents."""
    address = f"127.0.0.1:{free_port()}"
    text = config_of(simulator, url=f"https://{address}/si-dmp-server/v2/services")
    with Gateway(tmp_path / "gateway", simulator.url, simulator.pki, config=text) as gateway:
        for number in (1, 2):
            assert send_to_other(gateway, numbered(number)) == "AA"
        gateway.journal.wait(rf"^<4>lane={OTHER_EJ} state=slowed")
        for number in (3, 4, 5):
            assert gateway.wait_final(hand_in(gateway, "mllp", numbered(number))) == "delivered"
        ready, slowed = gateway.status()["lanes"]
        assert (ready["state"], slowed["state"]) == ("open", "slowed")
        waiting = [gateway.ctl("show", each["doc"]) for each in gateway.documents() if each["state"] != "delivered"]
        assert len(waiting) == 2
        with Simulator(simulator.pki, tmp_path / "other", listen=address) as other:
            assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
            assert len(other.received()) == 2
        assert {gateway.ctl("show", each["doc"])["attempts"] for each in waiting} == {1}


def test_a_new_discharge_letter_does_not_wait_behind_a_backlog(start_gateway, simulator):
    gateway = start_gateway(extra="queue: { priorities: [{ types: [11490-0], priority: high }] }", first="200 ms")
    simulator.faults({"kind": "status", "status": 503})
    for number in range(20):
        hand_in(gateway, "mllp", numbered(number, "laboratory-report.xml"))
    gateway.journal.wait(r"state=slowed")
    letter = numbered(100)
    hand_in(gateway, "mllp", letter)
    simulator.faults()
    assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
    order = [each["uniqueId"] for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert len(order) == 21
    assert order.index(unique_id(letter)) <= 8, "at most what was under way came before it"


def test_the_right_files_check_out(simulator, tmp_path):
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki, config=config_of(simulator))
    checked = gateway.run("--check-config")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert f'finess_eg: "{FINESS_EG}"' in checked.stdout
