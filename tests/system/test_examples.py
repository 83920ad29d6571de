"""Every configuration that is shipped passes --check-config, with the paths and the ports of a machine that has them."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
import yaml

from gateway import DAEMON, SOURCE

CONF = SOURCE / "conf"
NO_CONFIGURATION = {"sidecar.yaml", "prometheus-rules.yaml"}  # others' tests hold these
SHIPPED = [path for path in sorted([*CONF.glob("*.yaml"), *CONF.glob("examples/*.yaml")])
           if path.name not in NO_CONFIGURATION]
OF_THE_PKI = {"auth.pem": "auth.pem", "auth.key": "auth.key", "sign.pem": "sign.pem", "sign.key": "sign.key",
              "gateway.pem": "server.pem", "gateway.key": "server.key"}


def placed(text: str, pki: pathlib.Path, folder: pathlib.Path) -> str:
    """The same configuration on this machine: files and folders that exist, ports that nobody has."""
    for found in re.findall(r"folder: (/var/spool/\S+?|drop)[,\n]", text):
        (folder / "spool" / pathlib.Path(found).name).mkdir(parents=True, exist_ok=True)
    (folder / "homologation").write_text("CNDA-4711\n")
    (folder / "homologation").chmod(0o600)
    text = re.sub(r"folder: (?:/var/spool/dmpfeed/(\w+)|(drop))",
                  lambda found: f"folder: {folder}/spool/{found[1] or found[2]}", text)
    text = re.sub(r"(?m)^( *)(\S.*?)?/etc/dmpfeed/certificates/(?:\w+/)?([\w.-]+)",
                  lambda found: f"{found[1]}{found[2] or ''}{pki}/{OF_THE_PKI.get(found[3], 'ca.pem')}", text)
    text = text.replace("/etc/dmpfeed/homologation", f"{folder}/homologation").replace(": pki/", f": {pki}/")
    return re.sub(r'listen: "([0-9.]+):\d+"', r'listen: "\1:0"', text) + "\n".join(
        key for key in (
            f"valuesets: {{ dir: {CONF}/value-sets }}", f"errors: {{ file: {CONF}/dmp-errors.csv }}",
            f"state: {{ folder: {folder}/state }}", f"control: {{ socket: {folder}/control.sock }}",
            'status: { listen: "127.0.0.1:0" }')
        if not re.search(rf"(?m)^{key.partition(':')[0]}:", text)) + "\n"


def reference(text: str) -> str:
    """conf/dmpfeed.yaml has these keys already, as comments or not."""
    return (text.replace("#dir: /usr/share/dmpfeed/value-sets", f"dir: {CONF}/value-sets")
            .replace("#file: /usr/share/dmpfeed/dmp-errors.csv", f"file: {CONF}/dmp-errors.csv")
            .replace('#listen: "127.0.0.1:8690"', 'listen: "127.0.0.1:0"'))


def check(text: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
    path = folder / "dmpfeed.yaml"
    path.write_text(text)
    return subprocess.run([DAEMON, "--config", path, "--check-config"], capture_output=True, text=True, timeout=20)


def test_there_is_an_example_for_each_kind_of_place():
    assert {path.name for path in SHIPPED} >= {"dmpfeed.yaml", "hospital.yaml", "ght.yaml", "laboratory.yaml",
                                               "rehearsal.yaml"}


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda path: path.name)
def test_it_passes(shipped, pki, tmp_path):
    text = reference(shipped.read_text()) if shipped.name == "dmpfeed.yaml" else shipped.read_text()
    text = placed(text, pki, tmp_path).replace("#folder: /var/lib/dmpfeed", f"folder: {tmp_path}/state").replace(
        "#socket: /run/dmpfeed/control.sock", f"socket: {tmp_path}/control.sock")
    done = check(text, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "# not checked: " in done.stdout


def test_what_is_told_by_a_person_first_is_hidden_whatever_its_type():
    """The first entry that fits decides: an operating report of that unit fits both."""
    text = (CONF / "examples" / "hospital.yaml").read_text()
    entries = [yaml.safe_load(each) for each in re.findall(r"(?m)^ +- (\{ type: .*action: .*\})$", text)]
    assert [each["action"] for each in entries
            if each["type"] in ("*", "34874-8") and each.get("unit", "ONCO") == "ONCO"] == ["invisible_patient", "delay"]
    assert [each["action"] for each in entries if "unit" not in each] == ["delay"], "other units wait a day"


def test_the_group_has_four_entities_with_certificates_of_their_own():
    text = (CONF / "examples" / "ght.yaml").read_text()
    assert len(set(re.findall(r'finess_ej: "(\d+)"', text))) == 4
    assert len(set(re.findall(r"cert: (\S+/auth\.pem)", text))) == 4
