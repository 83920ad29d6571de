"""Rehearses a folder of messages and documents: scripts/rehearse prepares the machine, this does the work.

Each file goes its own way (HL7 messages through MLLP, batches of them and the rest through the drop folder, a PDF
together with its YAML file), with an empty queue and an empty simulated DMP, unless --together. The report says for each file the acknowledgement as received on the
wire and every document it carried.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import glob
import json
import os
import pathlib
import re
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "system"))
from gateway import SOURCE, Gateway, Simulator, TimedOut, fresh, make_pki  # noqa: E402

INCLUDE = "conf.d/*.yaml"  # what a configuration includes that says nothing of it
HL7_ENDINGS = (".hl7", ".er7")
BODY_ENDINGS = (".pdf", ".txt", ".rtf", ".jpg", ".jpeg", ".tif", ".tiff")
PLACE = r"^\S+:\d+:\d+: "
SIDECAR_WAIT = "2 s"  # who comes alone is told so, and need not keep anybody waiting


def referred_to(content: bytes) -> list[str]:
    """The documents that the DMP must know already: what a document replaces, or what a deletion names."""
    documents = [content]
    deletes = False
    if found := REPLACES.search(content):
        return [found[1].decode()]
    if MESSAGE.search(content):
        documents = []
        for segment in re.split(rb"[\r\n]+", content):
            fields = segment.split(b"|")
            deletes |= fields[0] == b"ORC" and fields[1:2] == [b"CA"]
            if fields[0] == b"OBX" and fields[2:3] == [b"ED"]:
                documents.append(decoded(fields[5].rpartition(b"^")[2]))
    wanted = OWN_ID if deletes else PARENT_ID
    ids = [found[1].decode() for document in documents if (found := wanted.search(document))]
    return [each for each in ids if OID.fullmatch(each)]


MESSAGE = re.compile(rb"\A\s*MSH\|")
REPLACES = re.compile(rb"^replaces: *\"?([0-9.]+)", re.M)
OID = re.compile(r"(?=.{1,64}\Z)[0-2](\.(0|[1-9][0-9]*))+")
OWN_ID = re.compile(rb"<(?:\w+:)?id\b[^>]*?\broot=\"([0-9.]+)\"")
PARENT_ID = re.compile(rb"<(?:\w+:)?parentDocument\b.*?<(?:\w+:)?id\b[^>]*?\broot=\"([0-9.]+)\"", re.S)


def decoded(text: bytes) -> bytes:
    """Base64 as real files write it: blanks in it, its end missing."""
    text = re.sub(rb"\s", b"", text)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        return b""


def is_message(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        start = file.read(100).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"FHS|", b"BHS|")):
        return False
    return path.suffix.lower() in HL7_ENDINGS or start.startswith(b"MSH|")


def sidecar_of(path: pathlib.Path) -> pathlib.Path | None:
    """The file beside a body that says what it is."""
    beside = path.with_suffix(".yaml")
    return beside if path.suffix.lower() in BODY_ENDINGS and beside.is_file() else None


def goes_with_another(path: pathlib.Path) -> bool:
    return path.suffix == ".yaml" and any(sidecar_of(other) == path for other in path.parent.iterdir())


def explanation(text: str) -> list[dict]:
    """The errors of a NAME.error.yaml, whose values are JSON strings."""
    errors: list[dict] = []
    for line in text.splitlines():
        if found := re.match(r'  (- |  )(location|code|text): (".*")$', line):
            if found[1] == "- ":
                errors.append({})
            errors[-1][found[2]] = json.loads(re.sub(r"\\x(..)", r"\\u00\1", found[3]))
    return errors


class Rehearsal:
    def __init__(self, folder: pathlib.Path, work: pathlib.Path, config: str | None, patience: float):
        self.folder, self.work, self.config, self.patience = folder, work, config, patience
        self.seen = 0  # the ledger's number up to which arrivals have been reported

    def files(self) -> list[pathlib.Path]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not goes_with_another(path))
        return sorted(found, key=lambda path: path.relative_to(self.folder).as_posix())

    def run(self, simulator: Simulator, together: bool) -> list[dict]:
        inputs = []
        gateway = self.gateway(simulator).start() if together else None
        for path in self.files():
            if not together:
                simulator.reset()
                self.seen = 0
                gateway = self.gateway(simulator).start()
                for unique_id in referred_to((sidecar_of(path) or path).read_bytes()):
                    simulator.ask("POST", "/known", {"uniqueId": unique_id})
            inputs.append(self.rehearse(gateway, path))
            show(inputs[-1])
            if not together:
                gateway.kill()  # its queue is thrown away: nothing to end well
        if together and gateway:
            gateway.stop()
        return inputs

    def check(self, simulator: Simulator, own: pathlib.Path):
        """Whether the daemon takes a configuration made of somebody's own. The places that it tells are of no file of
        theirs."""
        ended = self.gateway(simulator).run("--check-config")
        if ended.returncode != 0:
            sys.exit("\n".join(f"{own}: {re.sub(PLACE, '', line)}" for line in ended.stderr.splitlines()))

    def gateway(self, simulator: Simulator) -> Gateway:
        return Gateway(fresh(self.work / "gateway"), simulator.url, simulator.pki, config=self.config,
                       wait=SIDECAR_WAIT)

    def rehearse(self, gateway: Gateway, path: pathlib.Path) -> dict:
        start = len(gateway.journal.lines)
        if is_message(path):
            channel = "mllp"
            ack, errors = self.send(gateway, path.read_bytes())
        else:
            channel = "drop"
            ack, errors = None, self.drop(gateway, path, start)
        return {
            "file": path.relative_to(self.folder).as_posix(), "channel": channel, "ack": ack, "errors": errors,
            "documents": self.documents(gateway, start),
        }

    def send(self, gateway: Gateway, message: bytes) -> tuple[str | None, list[dict]]:
        ack = None
        with contextlib.suppress(OSError), gateway.connect() as mllp:
            with contextlib.suppress(OSError):  # a listener may refuse before it has read everything
                mllp.write(message)
                mllp.socket.shutdown(socket.SHUT_WR)  # what gets no answer, an ACK, ends with the connection
            ack = mllp.read(self.patience)
        if ack is None:
            return None, []
        return ack.code, [{name: each[name] for name in ("location", "code", "text")} for each in ack.errors]

    def drop(self, gateway: Gateway, path: pathlib.Path, start: int) -> list[dict]:
        # Under a name that hides nothing (dots, .part) and means nothing: the report has the real one.
        name = "rehearsal" + (path.suffix if path.suffix.lower() not in (".tmp", ".part") else ".bin")
        if beside := sidecar_of(path):
            gateway.drop("rehearsal.yaml", beside.read_bytes())
        gateway.drop(name, path.read_bytes())
        try:
            if gateway.wait_moved(name, self.patience, start) == "done":
                return []
        except TimedOut:
            return [{"location": "", "code": "", "text": "the file was not taken in time"}]
        rejected = (gateway.inbox / "rejected").glob("*/*.error.yaml")
        newest = max(rejected, key=lambda found: found.stat().st_mtime_ns)
        return explanation(newest.read_text(encoding="utf-8"))

    def documents(self, gateway: Gateway, start: int) -> list[dict]:
        """What this input carried, once it has settled."""
        mine = [each for each in gateway.documents() if each["last_arrival"] > self.seen]
        for each in mine:
            if each["state"] in ("queued", "sending"):
                try:
                    gateway.journal.wait(rf"doc={each['doc']} outcome=(delivered|refused|rejected)", self.patience,
                                         start)
                except TimedOut as slow:
                    print(f"not settled: {slow}", file=sys.stderr)
        settled = [gateway.ctl("show", each["doc"]) for each in mine]
        self.seen = max([self.seen, *(each["last_arrival"] for each in mine)])
        names = ("doc", "unique_id", "action", "type_code", "state", "reason", "sentence", "attempts")
        return [{name: each[name] for name in names} for each in settled]


def show(entry: dict):
    fate = ", ".join(f"{each['doc']} {each['state']}" for each in entry["documents"])
    errors = "; ".join(f"{each.get('location', '')} {each.get('code', '')} {each.get('text', '')}".strip()
                       for each in entry["errors"])
    print(f"{entry['file']}: {entry['ack'] or entry['channel']} {fate}{errors}", flush=True)


def totals(inputs: list[dict]) -> dict:
    states = [each["state"] for entry in inputs for each in entry["documents"]]
    counted = {state: states.count(state) for state in ("delivered", "rejected", "held", "refused", "suppressed")}
    unanswered = sum(entry["channel"] == "mllp" and entry["ack"] is None for entry in inputs)
    return {"inputs": len(inputs), **counted, "unanswered": unanswered}


def pruned(value):
    """Without the groups that are named and empty, which read as a text and would not load again."""
    if isinstance(value, dict):
        return {key: pruned(each) for key, each in value.items() if each != ""}
    return [pruned(each) for each in value] if isinstance(value, list) else value


def join(config: dict, more: dict, where: str, name: str = ""):
    """As the daemon does: keys join, lists grow, and no value is given twice."""
    for key, value in more.items():
        known = config.get(key, "")
        if known == "":
            config[key] = value
        elif isinstance(known, dict) and isinstance(value, dict):
            join(known, value, where, f"{name}{key}.")
        elif isinstance(known, list) and isinstance(value, list):
            known += value
        elif value != "":
            sys.exit(f"{where}: {name}{key} stands in another file, too")


def read_config(path: pathlib.Path) -> dict:
    """With what it includes."""
    import yaml

    def load(file: pathlib.Path) -> dict:
        try:
            content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            sys.exit(f"{file}: cannot be read: {error}")
        if not isinstance(content, dict):
            sys.exit(f"{file}: a configuration is made of keys")
        return content

    config = load(path)
    pattern = config.pop("include", INCLUDE)
    for file in sorted(glob.glob(str(path.parent / pattern))) if pattern else ():
        join(config, load(pathlib.Path(file)), file)
    return pruned(config)


def rehearsal_config(config: dict, folder: pathlib.Path, simulator: Simulator) -> str:
    """Somebody's own configuration, with its doors and its DMP replaced by those of the rehearsal, and without what tells
    others: sources, proxies, whoever hears alerts."""
    import yaml

    class Quoted(yaml.SafeDumper):
        pass

    Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))

    try:
        site = config["establishments"][0]["sites"][0]["finess_eg"]
    except (LookupError, TypeError):
        sys.exit("the configuration has no establishment with a site")
    doors = {"site": site, "source": "REHEARSAL"}
    for establishment in config["establishments"]:
        dmp = establishment.setdefault("dmp", {})
        dmp.pop("proxy", None)
        dmp["url"] = {name: f"{simulator.url}/{name}" for name in ("repository", "registry", "patients")}
        dmp["tls"] = {name: str(simulator.pki / file)
                      for name, file in (("ca", "ca.pem"), ("cert", "auth.pem"), ("key", "auth.key"))}
        dmp["sign"] = {name: str(simulator.pki / file)
                       for name, file in (("cert", "sign.pem"), ("key", "sign.key"), ("chain", "ca.pem"))}
    config.pop("sources", None)
    config.pop("audit", None)
    config.get("vihf", {}).pop("sources", None)  # of doors that are not here
    config.get("alerts", {}).pop("push", None)
    config.get("lps", {}).pop("homologation_file", None)  # secrets that a rehearsal has no use for
    config.get("queue", {}).pop("encryption", None)
    # Where the product is not installed, what it ships is the project's.
    for group, key, shipped in (("valuesets", "dir", "value-sets"), ("errors", "file", "dmp-errors.csv"),
                                ("maps", "content_type", None), ("targets", "dir", None)):
        own = config.get(group, {}).get(key)
        if own or shipped:
            config.setdefault(group, {})[key] = str((folder / own).resolve() if own else SOURCE / "conf" / shipped)
    config.update({
        "environment": "rehearsal", "include": "", "state": {"folder": "state"}, "control": {"socket": "control.sock"},
        "status": {"listen": "127.0.0.1:0"},
        "log": {"level": "info", "rate_limit": {"burst": "0"}},  # its lines tell when each document has settled
        "intake": {**config.get("intake", {}),  # its rules, without its doors
                   "mllp": [{"name": "mllp", "listen": "127.0.0.1:0", **doors}],
                   "drop": [{"name": "drop", "folder": "in", "settle": "200 ms", "scan": "500 ms",
                            "sidecar_wait": SIDECAR_WAIT, **doors}]},
    })
    return yaml.dump(config, Dumper=Quoted, allow_unicode=True)


def simulator_options(config: dict | None) -> tuple[str, ...]:
    """What a DMP must be told to accept of somebody's own configuration."""
    tells = "send_hash_size" in (config or {}).get("metadata", {})
    return ("--accept-hash-and-size",) if tells else ()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/rehearse", description="Rehearse a folder of messages and documents.")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--report", metavar="FILE.json", type=pathlib.Path)
    parser.add_argument("--config", metavar="FILE", type=pathlib.Path, help="your own dmpfeed.yaml")
    parser.add_argument("--together", action="store_true", help="one queue and one DMP for all, in order of name")
    parser.add_argument("--patience", metavar="SECONDS", type=float, default=60, help="for one file to settle")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder} is not a folder")

    own = read_config(arguments.config) if arguments.config else None
    with tempfile.TemporaryDirectory(prefix="dmpfeed-rehearsal-") as folder:
        work = pathlib.Path(folder)
        with Simulator(make_pki(work / "pki"), fresh(work / "sim"), options=simulator_options(own)) as simulator:
            config = rehearsal_config(own, arguments.config.parent, simulator) if own else None
            rehearsal = Rehearsal(arguments.folder, work, config, arguments.patience)
            if own:
                rehearsal.check(simulator, arguments.config)
            inputs = rehearsal.run(simulator, arguments.together)
    report = {"version": 1, "inputs": inputs, "totals": totals(inputs)}
    if arguments.report:
        partial = arguments.report.with_name(arguments.report.name + ".part")
        partial.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, arguments.report)
    print(json.dumps(report["totals"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
