"""What conf/ ships for Prometheus and Grafana fits the gateway, and a real Prometheus takes it all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import metrics
import pytest
import yaml
from gateway import SOURCE, Journal, free_port
from samples import hand_in, read

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus (Debian's package) is not installed")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian's prometheus) is not installed")

RULES = SOURCE / "conf" / "prometheus-rules.yaml"
DASHBOARD = json.loads((SOURCE / "conf" / "grafana-dashboard.json").read_text())
METRIC = re.compile(r"\b((?:dmpfeed|process)_[a-z_]+)\b")


def expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def names_in_code() -> set[str]:
    table = (SOURCE / "daemon" / "status" / "alerts.c").read_text().split("} rules[] = {")[1].split("};")[0]
    return set(re.findall(r'\[ALERT_\w+\]\s*=\s*\{\s*"(\w+)"', table))


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


@needs_promtool
def test_promtool_takes_the_rules_and_their_tests():
    for command in (["check", "rules", RULES], ["test", "rules", SOURCE / "tests/data/prometheus-rules-test.yaml"]):
        done = subprocess.run([PROMTOOL, *command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_one_name_is_the_same_everywhere():
    """In the code, the rules and their tests, the README; and each has its keys."""
    names = names_in_code()
    assert len(names) == 13
    ruled = [re.fullmatch(r'dmpfeed_alert\{name="(\w+)"\} == 1', rule["expr"]) for rule in rules()]
    assert sorted(found[1] for found in ruled if found) == sorted(names)
    assert [rule["alert"] for rule in rules() if not re.search("dmpfeed_alert", rule["expr"])] == ["DmpfeedDown"]
    for rule in rules():
        if name := re.search(r'name="(\w+)"', rule["expr"]):
            assert rule["alert"] == "Dmpfeed" + "".join(word.capitalize() for word in name[1].split("_"))
    tested = yaml.safe_load((SOURCE / "tests/data/prometheus-rules-test.yaml").read_text())["tests"]
    assert {case["alertname"] for test in tested for case in test["alert_rule_test"]} == {
        rule["alert"] for rule in rules()}
    readme = (SOURCE / "README.md").read_text()
    assert names <= set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE))
    keys = yaml.safe_load(re.sub(r"^(\s*)#([a-z_]+:)", r"\1\2", (SOURCE / "conf/dmpfeed.yaml").read_text(),
                                 flags=re.MULTILINE))["alerts"]
    assert names - set(keys) == {"identity_changed", "store_damaged"}, "which have no threshold"


def test_each_metric_of_the_dashboard_exists(gateway):
    text = gateway.get("/metrics")[1].decode()
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    offered = set(families)
    for name, kind in families.items():
        if kind == "histogram":
            offered |= {name + ending for ending in ("_bucket", "_sum", "_count")}
    named = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert named and named <= offered, named - offered


def test_the_dashboard_is_whole():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?([a-z]+)", json.dumps(panels))) <= variables
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24 and panel["title"] and panel["targets"]
        here = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])}
        assert not here & taken, panel["title"]
        taken |= here


class Prometheus:
    """A real one, of which nothing stays, on loopback."""

    def __init__(self, folder, target: str):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "prometheus.yaml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "dmpfeed", "static_configs": [{"targets": [target]}]}],
        }))
        self.process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.url.removeprefix('http://')}"], stderr=subprocess.PIPE, cwd=folder)
        self.journal = Journal(self.process.stderr)

    def ask(self, path: str, **query: str) -> dict:
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as reply:
            answer = json.load(reply)
        assert answer["status"] == "success"
        return answer["data"]

    def wait(self, what, timeout: float = 60):
        """The first answer that is not empty."""
        deadline = time.monotonic() + timeout
        while not (found := what()):
            assert time.monotonic() < deadline, "\n".join(self.journal.lines[-10:])
            time.sleep(0.2)
        return found

    def __enter__(self):
        self.journal.wait("Server is ready to receive web requests", timeout=60)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.journal.join()
        self.process.stderr.close()


@needs_prometheus
def test_a_real_prometheus_scrapes_and_rings(start_gateway, simulator, tmp_path):
    gateway = start_gateway(extra="alerts: { lane_stopped: { after: 0 s } }")
    gateway.wait_final(hand_in(gateway, "mllp", read("discharge-letter.xml")))
    with Prometheus(tmp_path, gateway.status_url.removeprefix("http://")) as prometheus:
        def query(expression):
            return prometheus.ask("query", query=expression)["result"]

        [target] = prometheus.wait(lambda: [target for target in prometheus.ask("targets")["activeTargets"]
                                            if target["health"] == "up"])
        assert target["lastError"] == ""
        [sample] = prometheus.wait(lambda: query('dmpfeed_documents{state="delivered"}'))
        assert float(sample["value"][1]) == 1
        types = prometheus.ask("metadata")
        assert types["dmpfeed_ack_duration_seconds"][0]["type"] == "histogram"
        assert types["dmpfeed_documents_received"][0]["type"] == "counter", "it took OpenMetrics"

        simulator.faults({"kind": "status", "status": 403})
        hand_in(gateway, "mllp", read("prescription.xml"))

        def firing():
            return [alert for alert in prometheus.ask("alerts")["alerts"] if alert["state"] == "firing"
                    and alert["labels"]["alertname"] == "DmpfeedLaneStopped"]

        [alert] = prometheus.wait(firing)
        assert (alert["labels"]["subject"], alert["labels"]["severity"]) == ("990000987", "critical")
        assert alert["annotations"]["summary"] == "Lane 990000987 is stopped"
        for expression in expressions():
            query(expression.replace("$instance", ".*"))
        assert set(metrics.of(gateway)), "it answers others meanwhile"
