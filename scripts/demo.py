"""The main job, shown: scripts/demo prepares the machine, this plays the samples.

Every sample is a file of tests/data. It goes through the door its row says and must end as its row says.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import pathlib
import signal
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SOURCE / "tests" / "system"), str(SOURCE / "tests" / "data")]
from gateway import Gateway, Simulator, TimedOut, make_pki  # noqa: E402
from make_mdm import mdm_t02  # noqa: E402

DATA = SOURCE / "tests" / "data"


@dataclasses.dataclass(frozen=True)
class Sample:
    title: str
    file: str
    door: str  # "mllp" or "drop"
    expected: str  # a state, or the answer that refuses it: "AE", "rejected"
    flags: dict = dataclasses.field(default_factory=dict)
    sidecar: str | None = None  # the file beside it that says what it is


SAMPLES = [
    Sample("lettre de liaison à la sortie", "discharge-letter.xml", "mllp", "delivered"),
    Sample("compte rendu opératoire", "operative-report.xml", "mllp", "delivered"),
    Sample("prescription", "prescription.xml", "mllp", "delivered"),
    Sample("compte rendu de consultation", "consultation-note.xml", "mllp", "delivered"),
    Sample("compte rendu d'imagerie", "imaging-report.xml", "mllp", "delivered"),
    Sample("biologie, structurée", "laboratory-report.xml", "drop", "delivered"),
    Sample("biologie, PDF", "laboratory-report-pdf.xml", "drop", "delivered"),
    Sample("lettre en PDF et sa description", "pair/letter.pdf", "drop", "delivered", sidecar="pair/letter.yaml"),
    Sample("passage aux urgences", "emergency-report.xml", "drop", "delivered"),
    Sample("la même lettre, encore", "discharge-letter.xml", "mllp", "delivered"),
    Sample("message non destiné au DMP", "self-presentable.xml", "mllp", "cancelled", {"DESTDMP": "N"}),
    Sample("document sans INS", "hostile/no-ins.xml", "mllp", "AE"),
    Sample("bombe d'entités", "hostile/entity-bomb.xml", "drop", "rejected"),
]


def play(gateway: Gateway, sample: Sample, number: int) -> str:
    """How the sample ended."""
    start = len(gateway.journal.lines)
    cda = (DATA / sample.file).read_bytes()
    if sample.door == "mllp":
        ack = gateway.send(mdm_t02(cda, control_id=f"DEMO{number}", flags=sample.flags))
        if ack.code != "AA":
            for each in ack.errors:
                print(f"    {ack.code} {each['location']} {each['code']} {each['reason']}: {each['text']}")
            return ack.code
    else:
        name = pathlib.Path(sample.file).name
        gateway.drop(name, cda)
        if sample.sidecar:
            gateway.drop(pathlib.Path(sample.sidecar).name, (DATA / sample.sidecar).read_bytes())
        if gateway.wait_moved(name, start=start) == "rejected":
            return "rejected"
    doc = gateway.journal.wait(r"doc=(\w+) received", start=start)[1]
    document = gateway.ctl("show", doc)
    if document["state"] in ("queued", "sending"):
        return gateway.wait_final(doc)
    return document["state"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="The main job on this machine.")
    parser.add_argument("--once", action="store_true", help="end when every sample has")
    arguments = parser.parse_args()
    failures = 0

    with tempfile.TemporaryDirectory(prefix="dmpfeed-demo-") as folder:
        work = pathlib.Path(folder)
        print("making the certificates of a simulated DMP and of a hospital", flush=True)
        with Simulator(make_pki(work / "pki"), work / "sim") as simulator, \
                Gateway(work / "gateway", simulator.url, simulator.pki, log="info",
                        copy=lambda line: print("    " + line[3:], flush=True)) as gateway:
            host, port = gateway.mllp_address
            print(f"MLLP {host}:{port}, drop folder {gateway.inbox}", flush=True)
            for number, sample in enumerate(SAMPLES, 1):
                print(f"\n{number}. {sample.title} ({sample.file}, {sample.door})", flush=True)
                try:
                    fate = play(gateway, sample, number)
                except TimedOut as slow:
                    fate = str(slow)
                failures += fate != sample.expected
                mark = "as expected" if fate == sample.expected else f"EXPECTED {sample.expected}"
                print(f"   => {fate}, {mark}", flush=True)
            received = simulator.received()
            print(f"\nthe simulated DMP holds {len(received)} documents; {len(SAMPLES) - failures} of {len(SAMPLES)} "
                  f"samples ended as expected\nstatus: {gateway.status_url}/", flush=True)
            if not arguments.once:
                print("running until you press Ctrl-C", flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
