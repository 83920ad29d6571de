"""Measures the gateway: scripts/bench prepares the machine, this does the work.

Every figure stands beside a limit of this machine that was measured in the same round, so that it reads as a share
of what is possible here; the programs of tests/bench load, receive and measure, this arranges them. A figure is the
median of its rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from typing import Callable, Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "bench"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "system"))
from bench_goals import GOALS, LIMITS  # noqa: E402
from bench_samples import ADT, FIRST, cda_of, fill, numbered, template_of  # noqa: E402
from gateway import BUILD, DAEMON, FINESS_EG, FINESS_EJ, SOURCE, free_port, fresh, make_pki  # noqa: E402

PROGRAMS = BUILD / "tests" / "bench"
SLOW_FSYNC = next(PROGRAMS.glob("libslow_fsync.*"), PROGRAMS / "libslow_fsync.so")
SLOW_MS = 5
CONNECTIONS, BYTES = (1, 8, 64), (12288, 102400, 1048576)
MIB = 1 << 20

CONFIG = """\
environment: rehearsal
state: {{ folder: state }}
valuesets: {{ dir: {source}/conf/value-sets }}
errors: {{ file: {source}/conf/dmp-errors.csv }}
control: {{ socket: control.sock }}
status: {{ listen: "127.0.0.1:{status}" }}
lps: {{ name: dmpfeed, oid: 1.2.250.1.999.77 }}
intake:
  mllp:
    - {{ name: mllp, listen: "127.0.0.1:{mllp}", site: "{eg}", source: DPI }}
  drop:
    - {{ name: drop, folder: in, site: "{eg}", source: LABO }}
establishments:
  - finess_ej: "{ej}"
    name: CH DE VALBRUME
    dmp:
      url: {{ repository: "https://127.0.0.1:{sink}/repository" }}
      tls: {{ ca: {pki}/ca.pem, cert: {pki}/auth.pem, key: {pki}/auth.key }}
      sign: {{ cert: {pki}/sign.pem, key: {pki}/sign.key, chain: {pki}/ca.pem }}
      max_connections: {in_flight}
      max_in_flight: {under_way}
      retry: {{ first: 1 h, most: 1 h }}
    sites:
      - {{ finess_eg: "{eg}", name: CH DE VALBRUME, sector: SA01 }}
"""


@dataclasses.dataclass
class Sizes:
    """How much of everything."""
    run_ms: int = 4000
    warm_ms: int = 500
    limit_ms: int = 1000
    documents: int = 4000  # to deliver
    day: int = 62000  # that the largest group of hospitals makes in a day
    end_to_end: int = 3000
    open_loop: int = 500  # messages a second
    files: int = 10000
    identities: int = 200000
    adt_rate: int = 100  # messages a second, beside the documents
    queued: tuple[int, ...] = (0, 250000, 1000000)
    probes: int = 5  # of a start
    repeats: int = 3  # of what is short
    large: int = 20_000_000


QUICK = Sizes(run_ms=300, warm_ms=50, limit_ms=100, documents=250, day=300, end_to_end=100, open_loop=50, files=200, identities=500,
              queued=(0, 2000, 8000), probes=1, repeats=1)


@dataclasses.dataclass
class Figure:
    """One value, as measured once."""
    name: str
    parameters: dict
    value: float
    companions: dict = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> tuple:
        return self.name, tuple(self.parameters.items())


# ---- processes ----

def ask(name: str, *arguments) -> dict:
    """A program of tests/bench that ends by itself and prints its result."""
    done = subprocess.run([PROGRAMS / f"bench_{name}", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"bench_{name}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)


class Server:
    """A program of tests/bench that serves until it is told to end."""

    def __init__(self, name: str, *arguments, env: dict | None = None):
        self.process = subprocess.Popen([PROGRAMS / f"bench_{name}", *map(str, arguments)], stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, **(env or {})})
        self.port = json.loads(self.process.stdout.readline())["port"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


def slowed(slow_ms: int) -> dict:
    return {"LD_PRELOAD": str(SLOW_FSYNC), "SLOW_FSYNC_US": str(slow_ms * 1000)} if slow_ms else {}


class Daemon:
    """A dmpfeedd in a folder of its own; its journal goes to a file, as it would to journald.

    `in_flight`: requests that the DMP has at once. As by default, twice as many documents are being worked on, so that
    one is ready when another has been answered.
    """

    def __init__(self, folder: pathlib.Path, pki: pathlib.Path, sink: int = 1, in_flight: int = 8, slow_ms: int = 0):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "in").mkdir(exist_ok=True)
        self.folder, self.slow_ms = folder, slow_ms
        self.mllp, self.status_port = free_port(), free_port()
        self.config = folder / "dmpfeed.yaml"
        self.config.write_text(CONFIG.format(source=SOURCE, status=self.status_port, mllp=self.mllp, sink=sink, pki=pki,
                                             in_flight=in_flight, under_way=2 * in_flight, eg=FINESS_EG, ej=FINESS_EJ))

    def __enter__(self) -> "Daemon":
        with (self.folder / "journal").open("ab") as journal:
            start = time.monotonic()
            self.process = subprocess.Popen([DAEMON, "--config", self.config], cwd=self.folder, stderr=journal,
                                            env={**os.environ, **slowed(self.slow_ms)})
        while not self.get("/readyz").startswith(b"HTTP/1.1 200"):
            if self.process.poll() is not None or time.monotonic() > start + 120:
                raise RuntimeError("dmpfeedd did not start:\n" + (self.folder / "journal").read_text()[-2000:])
            time.sleep(0.001)
        self.start_ms = (time.monotonic() - start) * 1000
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def get(self, path: str) -> bytes:
        """The whole reply, or nothing while nobody listens."""
        reply = b""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.status_port), 10) as door:
            door.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            while more := door.recv(65536):
                reply += more
        return reply

    def status(self) -> dict:
        return json.loads(self.get("/api/v1/status").partition(b"\r\n\r\n")[2])

    def delivered(self) -> int:
        return self.status()["lanes"][0]["delivered"]

    def cpu_ms(self) -> float:
        times = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def memory_mib(self, field: str = "VmRSS") -> float:
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) / 1024

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def wait(self, reached: Callable[[], bool], seconds: float = 300, pause: float = 0.005):
        deadline = time.monotonic() + seconds
        while not reached():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not come to that: {self.status()}")
            time.sleep(pause)


# ---- measurements ----

class Bench:
    def __init__(self, work: pathlib.Path, sizes: Sizes):
        self.work, self.sizes = work, sizes
        self.pki = make_pki(work / "pki")
        self.stores: dict[tuple, pathlib.Path] = {}
        self.templates: dict[tuple, pathlib.Path] = {}
        self.next_number = FIRST

    def template(self, bytes_: int, whole: bool) -> pathlib.Path:
        """For bench_load: a message of that size, or of a document of that size."""
        if (bytes_, whole) not in self.templates:
            path = self.templates[bytes_, whole] = self.work / f"message-{bytes_}-{whole}.hl7"
            path.write_bytes(template_of(cda_of(bytes_, whole)))
        return self.templates[bytes_, whole]

    def load(self, port: int, bytes_: int, connections: int, whole: bool = False, **options) -> dict:
        options = {"ms": self.sizes.run_ms, "warm-ms": self.sizes.warm_ms, **options}
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        result = ask("load", "--port", port, "--template", self.template(bytes_, whole), "--connections", connections,
                     "--first", self.next_number, *arguments)
        self.next_number += result["started"]
        return result

    def send(self, daemon: Daemon, bytes_: int, count: int, connections: int = 1, whole: bool = False):
        self.load(daemon.mllp, bytes_, connections, whole, ms=0, count=count, **{"warm-ms": 0})

    @contextlib.contextmanager
    def daemon(self, **options) -> Iterator[Daemon]:
        """With an empty queue; nobody is where the DMP should be, unless `sink` says."""
        with Daemon(fresh(self.work / "gateway"), self.pki, **options) as daemon:
            yield daemon

    def store(self, queued: int, bytes_: int, whole: int) -> pathlib.Path:
        """A database with that many documents queued, the first `whole` of that size, the others small."""
        key = queued, bytes_, whole
        if key not in self.stores:
            with self.daemon() as daemon:
                self.send(daemon, bytes_, 1, whole=True)
                folder = daemon.folder
            self.stores[key] = self.work / f"store-{queued}-{bytes_}-{whole}.db"
            shutil.copy(folder / "state" / "queue.db", self.stores[key])
            fill(self.stores[key], self.next_number, queued, whole)
            self.next_number += queued
        return self.stores[key]

    def forget_store(self, *key):
        """It was used up, and is large."""
        self.stores.pop(key).unlink()
        fresh(self.work / "gateway")

    @contextlib.contextmanager
    def backlog(self, queued: int, bytes_: int, whole: int, copied: bool = True, **options) -> Iterator[Daemon]:
        """With a queue of that length, as a restart finds it."""
        folder = fresh(self.work / "gateway")
        if queued:
            (folder / "state").mkdir()
            place = shutil.copy if copied else os.link
            place(self.store(queued, bytes_, whole), folder / "state" / "queue.db")
            os.sync()  # or the copy is written while the daemon's commits wait for the same disk
        with Daemon(folder, self.pki, **options) as daemon:
            yield daemon

    # -- the machine --

    def limits(self) -> Iterator[Figure]:
        ms = self.sizes.limit_ms
        yield Figure("limit_fdatasync_per_s", {}, ask("limits", "fdatasync", self.work, ms)["per_s"])
        yield Figure("limit_rsa2048_sign_per_s", {}, ask("limits", "rsa2048", ms)["per_s"])

    # -- in --

    def intake(self) -> Iterator[Figure]:
        for slow_ms in (0, SLOW_MS):
            for bytes_ in BYTES:
                for connections in CONNECTIONS:
                    parameters = {"connections": connections, "bytes": bytes_}
                    if slow_ms:
                        parameters["slow_fsync_ms"] = slow_ms
                    yield self.yardstick(parameters, slow_ms)
                    yield self.acked(parameters, slow_ms)
        yield self.acked({"connections": 8, "bytes": BYTES[0], "open_loop_per_s": self.sizes.open_loop}, 0,
                         rate=self.sizes.open_loop)

    def yardstick(self, parameters: dict, slow_ms: int) -> Figure:
        file = self.work / "yardstick"
        with Server("yardstick", file, env=slowed(slow_ms)) as server:
            result = self.load(server.port, parameters["bytes"], parameters["connections"])
        file.unlink()
        return Figure("limit_store_and_ack_per_s", parameters, result["per_s"], ack_times(result))

    def acked(self, parameters: dict, slow_ms: int, **options) -> Figure:
        with self.daemon(slow_ms=slow_ms) as daemon:
            cpu_ms = daemon.cpu_ms()
            result = self.load(daemon.mllp, parameters["bytes"], parameters["connections"], **options)
            cpu_ms = daemon.cpu_ms() - cpu_ms
        return Figure("mllp_acked_per_s", parameters, result["per_s"],
                      {**ack_times(result), "cpu_ms_per_message": cpu_ms / result["acked"]})

    def identities(self) -> Iterator[Figure]:
        """What the hospital's identities cost the documents: none and silent first, then all of them, and messages."""
        connections, bytes_ = 8, BYTES[0]
        with self.daemon() as daemon:
            self.load(daemon.mllp, bytes_, connections)  # an empty store is faster than any that is used
            alone = [self.load(daemon.mllp, bytes_, connections)["per_s"] for _ in range(self.sizes.repeats)]
            first, count = self.next_number, self.sizes.identities
            filled = self.adt(daemon, first, connections=64, ms=0, count=count, **{"warm-ms": 0})
            self.next_number += count
            beside = []
            for _ in range(self.sizes.repeats):
                with Beside(lambda: self.adt(daemon, first, rate=self.sizes.adt_rate,
                                             ms=self.sizes.warm_ms + self.sizes.run_ms)):
                    beside.append(self.load(daemon.mllp, bytes_, connections)["per_s"])
        parameters = {"identities": count, "connections": connections, "bytes": bytes_}
        yield Figure("adt_per_s", {"identities": count, "connections": 64}, filled["per_s"], ack_times(filled))
        yield Figure("intake_beside_adt", {**parameters, "adt_per_s": self.sizes.adt_rate},
                     statistics.median(beside) / statistics.median(alone),
                     {"alone_per_s": statistics.median(alone), "beside_per_s": statistics.median(beside)})

    def adt(self, daemon: Daemon, first: int, **options) -> dict:
        """Messages about identities, each of another patient."""
        template = self.work / "adt.hl7"
        template.write_bytes(ADT)
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        return ask("load", "--port", daemon.mllp, "--template", template, "--first", first,
                   *([] if "connections" in options else ["--connections", 4]), *arguments)

    def drop(self) -> Iterator[Figure]:
        aside = fresh(self.work / "files")
        for number in range(self.sizes.files):
            (aside / f"{number}.xml").write_bytes(numbered(cda_of(BYTES[0]), self.next_number + number))
        self.next_number += self.sizes.files
        with self.daemon() as daemon:
            start = time.monotonic()
            for file in aside.iterdir():
                file.rename(daemon.folder / "in" / file.name)
            daemon.wait(lambda: pending(daemon) >= self.sizes.files, pause=0.02)
            seconds = time.monotonic() - start
        yield Figure("drop_files_per_s", {"files": self.sizes.files, "bytes": BYTES[0]}, self.sizes.files / seconds)

    # -- out --

    def delivery(self) -> Iterator[Figure]:
        count = self.sizes.documents
        for latency_ms in (0, 50):
            for in_flight in (8, 64):
                parameters = {"bytes": 51200, "latency_ms": latency_ms, "in_flight": in_flight}
                yield self.delivered(parameters, count, count)
        for _ in range(self.sizes.repeats):
            for queued in (min(1000, count), self.sizes.queued[1]):
                parameters = {"bytes": 51200, "latency_ms": 0, "in_flight": 8, "queued": queued}
                yield self.delivered(parameters, queued, min(1000, count))

    def day(self) -> Iterator[Figure]:
        """What an outage of a day leaves behind, from the first delivery to the last."""
        parameters = {"bytes": 51200, "latency_ms": 50, "in_flight": 64, "queued": self.sizes.day}
        self.store(self.sizes.day, parameters["bytes"], self.sizes.day)
        with Server("sink", self.pki, parameters["latency_ms"]) as sink, \
                self.backlog(self.sizes.day, parameters["bytes"], self.sizes.day, copied=False, sink=sink.port,
                             in_flight=parameters["in_flight"]) as daemon:
            start, cpu_ms = time.monotonic(), daemon.cpu_ms()
            daemon.wait(lambda: daemon.delivered() >= self.sizes.day, pause=0.05)
            seconds, cpu_ms = time.monotonic() - start, daemon.cpu_ms() - cpu_ms
            peak = daemon.memory_mib("VmHWM")
        self.forget_store(self.sizes.day, parameters["bytes"], self.sizes.day)
        yield Figure("drained_s", parameters, seconds, {"cpu_ms_per_document": cpu_ms / self.sizes.day,
                                                        "rss_mib": peak})

    def delivered(self, parameters: dict, queued: int, whole: int) -> Figure:
        """The rate between the first document's delivery and the last's, the pipes full."""
        in_flight = parameters["in_flight"]
        self.store(queued, parameters["bytes"], whole)  # made before the clock runs
        with Server("sink", self.pki, parameters["latency_ms"]) as sink, \
                self.backlog(queued, parameters["bytes"], whole, sink=sink.port, in_flight=in_flight) as daemon:
            first, last = self.sampled(daemon, in_flight, whole - in_flight)
        (begin, cpu_begin, done_begin), (end, cpu_end, done_end) = first, last
        return Figure("delivered_per_s", parameters, (done_end - done_begin) / (end - begin),
                      {"cpu_ms_per_document": (cpu_end - cpu_begin) / (done_end - done_begin)})

    def sampled(self, daemon: Daemon, warm: int, enough: int) -> tuple:
        """Time, CPU and documents when it had warmed up, and when enough was delivered or time is up."""
        first, deadline = None, time.monotonic() + 3 * self.sizes.run_ms / 1000
        while True:
            sample = time.monotonic(), daemon.cpu_ms(), daemon.delivered()
            if first is None and sample[2] >= warm:
                first = sample
                deadline = sample[0] + self.sizes.run_ms / 1000
            if first and sample[2] > first[2] and (sample[2] >= enough or sample[0] >= deadline):
                return first, sample
            if sample[0] > deadline + 60:
                raise RuntimeError(f"nothing is delivered: {daemon.status()}")
            time.sleep(0.01)

    def building(self) -> Iterator[Figure]:
        folder = fresh(self.work / "gateway")
        document = self.work / "document.xml"
        document.write_bytes(cda_of(51200, whole=True))
        daemon = Daemon(folder, self.pki)
        result = ask("build", daemon.config, document, self.sizes.run_ms)
        yield Figure("built_per_s_per_core", {"bytes": 51200}, result["per_s"])

    # -- both --

    def end_to_end(self) -> Iterator[Figure]:
        """As fast as it goes, until all is delivered; then the time of each at half that rate."""
        parameters = {"connections": 8, "bytes": BYTES[0], "latency_ms": 0, "in_flight": 8}
        times = self.work / "received-times"
        with Server("sink", self.pki, 0, times) as sink, self.daemon(sink=sink.port) as daemon:
            start = time.monotonic()
            with Polls(daemon) as polls:
                self.send(daemon, BYTES[0], self.sizes.end_to_end, 8)
                daemon.wait(lambda: daemon.delivered() >= self.sizes.end_to_end)
            rate = self.sizes.end_to_end / (time.monotonic() - start)
            yield Figure("end_to_end_per_s", parameters, rate)
            yield Figure("status_ms_p99", {}, polls.p99_ms())
            sent = self.work / "sent-times"
            self.load(daemon.mllp, BYTES[0], 8, rate=max(int(rate / 2), 1), times=sent)
            daemon.wait(lambda: pending(daemon) == 0)
        yield Figure("end_to_end_p99_ms", {**parameters, "share_of_rate": 0.5}, quantile(journeys(sent, times), 0.99))

    # -- size --

    def backlogs(self) -> Iterator[Figure]:
        for queued in self.sizes.queued:
            if queued:
                self.store(queued, 4096, min(queued, 100))
            for _ in range(self.sizes.probes):
                with self.backlog(queued, 4096, min(queued, 100)) as daemon:
                    yield Figure("restart_ms", {"queued": queued}, daemon.start_ms)
                    daemon.wait(lambda: daemon.status()["lanes"][0]["state"] != "open" or not queued)
                    yield Figure("rss_mib", {"queued": queued}, daemon.memory_mib())

    def large(self) -> Iterator[Figure]:
        with Server("sink", self.pki, 0) as sink, self.daemon(sink=sink.port) as daemon:
            self.send(daemon, BYTES[0], 10)
            daemon.wait(lambda: daemon.delivered() >= 10)
            before = daemon.memory_mib()
            daemon.forget_peak()
            self.send(daemon, self.sizes.large, 1, whole=True)
            taken_in = daemon.memory_mib("VmHWM") - before
            daemon.wait(lambda: daemon.delivered() >= 11)
            peak = daemon.memory_mib("VmHWM") - before
            kept = daemon.memory_mib() - before
        yield Figure("rss_mib_added_by_20mb_document", {"bytes": self.sizes.large}, peak,
                     {"taken_in_mib": taken_in, "kept_mib": kept})


class Polls:
    """Asks for what the page shows, and for the page itself, again and again while something else goes on."""

    PATHS = ("/api/v1/status", "/?part=live", "/metrics")

    def __init__(self, daemon: Daemon):
        self.daemon, self.ms, self.ended = daemon, [], False

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()

    def run(self):
        for path in itertools.cycle(self.PATHS):
            if self.ended and self.ms:
                break
            start = time.monotonic()
            assert b" 200 OK" in self.daemon.get(path)[:20]
            self.ms.append((time.monotonic() - start) * 1000)
            time.sleep(0.01)

    def p99_ms(self) -> float:
        return quantile(self.ms, 0.99)


class Beside:
    """Something that is done while something else is measured."""

    def __init__(self, work: Callable[[], object]):
        self.thread = threading.Thread(target=work)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.thread.join()


def pending(daemon: Daemon) -> int:
    queue = daemon.status()["queue"]
    return queue["queued"] + queue["sending"]


def ack_times(result: dict) -> dict:
    return {"ack_p50_ms": result["p50_ms"], "ack_p99_ms": result["p99_ms"]}


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[int(q * (len(values) - 1))]


def journeys(sent: pathlib.Path, received: pathlib.Path) -> list[float]:
    """From the moment a message was meant to leave to the DMP's answer, in ms."""
    def read(path):
        return {int(number): int(ns) for number, ns in (line.split() for line in path.read_text().splitlines())}

    arrivals = read(received)
    return [(arrivals[number] - ns) / 1e6 for number, ns in read(sent).items() if number in arrivals]


GROUPS = ("limits", "building", "intake", "identities", "drop", "delivery", "end_to_end", "large", "backlogs", "day")
ONCE = {"day"}  # in the first round: it takes minutes


# ---- the report ----

def rounds(bench: Bench, count: int, only: list[str]) -> Iterator[Figure]:
    for number in range(count):
        for group in GROUPS:
            if (only and group not in only and group != "limits") or (number > 0 and group in ONCE):
                continue
            print(f"round {number + 1} of {count}: {group}", file=sys.stderr, flush=True)
            yield from getattr(bench, group)()


def medians(figures: list[Figure]) -> dict[tuple, dict]:
    """By name and parameters: medians, and how far apart the rounds were."""
    gathered: dict[tuple, list[Figure]] = {}
    for figure in figures:
        gathered.setdefault(figure.key, []).append(figure)
    result = {}
    for key, same in gathered.items():
        values = [each.value for each in same]
        middle = statistics.median(values)
        result[key] = {
            **same[0].parameters, "value": middle,
            **{name: statistics.median(each.companions[name] for each in same) for name in same[0].companions},
            "least": min(values), "most": max(values),
        }
    return result


def add_shares(table: dict[tuple, dict], cores: int):
    """Beside each figure the limit it is held against, as far as it was measured, and the goal if there is one."""
    def value_of(name: str, **parameters) -> float | None:
        row = table.get((name, tuple(parameters.items())))
        return row and row["value"]

    for (name, _), row in table.items():
        limit = LIMITS[name](row, value_of, cores) if name in LIMITS else None
        if limit:
            row["limit"], row["share"] = limit, row["value"] / limit
        for goal in GOALS:
            if goal.name == name and goal.matches(row):
                row.setdefault("goals", []).append(goal.judge(row))


def show(table: dict[tuple, dict]):
    print(f"{'':52}{'median':>10} {'spread':>7} {'limit':>10} {'share':>6}  goal")
    for (name, parameters), row in table.items():
        what = " ".join([name] + [f"{key}={value}" for key, value in parameters])
        spread = (row["most"] - row["least"]) / row["value"] if row["value"] else 0
        limit = f"{row['limit']:10.1f} {row['share']:6.2f}" if "limit" in row else " " * 17
        goals = "; ".join(("met: " if goal["met"] else "MISSED: ") + goal["text"] for goal in row.get("goals", ()))
        times = " ".join(f"{key}={row[key]:.3f}" for key in ("ack_p50_ms", "ack_p99_ms", "cpu_ms_per_message",
                                                              "cpu_ms_per_document", "taken_in_mib", "kept_mib",
                                                              "rss_mib")
                         if key in row and not name.startswith("limit"))
        print(f"{what:<52}{row['value']:10.2f} {spread:6.0%}  {limit}  {goals}".rstrip())
        if times:
            print(f"    {times}")
    print("in_flight=N: the DMP has N requests at a time (dmp.max_connections), 2 N documents are claimed "
          "(dmp.max_in_flight)")


def machine(folder: pathlib.Path) -> dict:
    found = subprocess.run(["findmnt", "-n", "-o", "SOURCE,FSTYPE", "-T", folder], capture_output=True, text=True)
    device, _, filesystem = found.stdout.strip().rpartition(" ")
    models = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    return {"cores": os.cpu_count(), "processor": models[0] if models else "", "folder_device": device.strip(),
            "folder_filesystem": filesystem, "load_average": os.getloadavg()[0]}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the gateway on this machine.")
    parser.add_argument("--quick", action="store_true", help="everything once, small: shows that it works")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--folder", metavar="DIR", type=pathlib.Path, default=SOURCE,
                        help="on the disk to measure (by default the source's)")
    parser.add_argument("--only", metavar="GROUP", action="append", default=[], choices=GROUPS, help=", ".join(GROUPS))
    parser.add_argument("--runs", metavar="N", type=int, help="rounds (3; with --quick 1)")
    arguments = parser.parse_args()

    about = machine(arguments.folder)
    print(" ".join(f"{key}={value}" for key, value in about.items()), flush=True)
    if about["folder_filesystem"] == "tmpfs":
        parser.error(f"{arguments.folder} is in memory: nothing is synced there; choose another with --folder")
    with tempfile.TemporaryDirectory(prefix="build-bench-", dir=arguments.folder) as work:
        bench = Bench(pathlib.Path(work), QUICK if arguments.quick else Sizes())
        count = arguments.runs or (1 if arguments.quick else 3)
        table = medians(list(rounds(bench, count, arguments.only)))
    add_shares(table, about["cores"])
    show(table)
    about["load_average_after"] = os.getloadavg()[0]
    print(f"load average before {about['load_average']:.2f}, after {about['load_average_after']:.2f}")
    if arguments.json:
        report: dict = {"machine": about}
        for (name, _), row in table.items():
            report.setdefault(name, []).append(row)
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
