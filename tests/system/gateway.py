"""The gateway and a simulated DMP as a person would run them, for tests and for the scripts.

A Gateway is a real dmpfeedd in a folder of its own, a Simulator a real dmpfeed-sim. What happens is learnt
from what they print (every wait is for a line of the journal or an answer, never for time to pass).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DMPFEED_BUILD", SOURCE / "build")).resolve()
DAEMON = BUILD / "daemon" / "dmpfeedd"
PYTHON = "/usr/bin/python3"
SIMULATOR = SOURCE / "tests" / "simulator" / "dmpfeed-sim"

# The DMP's public schemas: every body that is sent must be valid by them, where they stand beside the project.
SCHEMAS = SOURCE.parent / "shared" / "schemas"

FINESS_EJ = "990000987"
FINESS_EG = "990012345"
SERVER_NAME = "dmp.example"  # in the certificate of the simulated DMP, beside its addresses

VT, END = b"\x0b", b"\x1c\r"

SANITIZER = r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:"

# What the daemon runs under (scripts/check: valgrind), which makes it so much slower.
UNDER = shlex.split(os.environ.get("DMPFEED_UNDER", ""))
SLOWER = 10 if UNDER else 1


def is_sanitized() -> bool:
    """A sanitizer keeps what was freed, and shadows of it all: the memory of its daemon says nothing of ours."""
    program = DAEMON.read_bytes()
    return bool(UNDER) or b"__asan_init" in program or b"__tsan_init" in program


class TimedOut(AssertionError):
    """What was waited for did not happen; says what did."""


class Journal:
    """Follows what a process prints; lets others wait for a line."""

    def __init__(self, stream, copy=None):
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._stream = stream
        self._copy = copy
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        for raw in self._stream:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if self._copy:
                self._copy(line)
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, pattern: str, timeout: float = 20, start: int = 0) -> re.Match:
        """The first line at or after `start` that `pattern` is found in."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout * SLOWER
        seen = start
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if found := wanted.search(line):
                        return found
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    last = "\n  ".join(self.lines[-20:])
                    why = "it ended" if self._ended else f"{timeout} s passed"
                    raise TimedOut(f"no line with {pattern!r}: {why}; the last lines were\n  {last}")
                self._changed.wait(left)

    def find(self, pattern: str) -> list[re.Match]:
        with self._changed:
            return [found for line in self.lines if (found := re.search(pattern, line))]

    def join(self):
        self._thread.join()


def make_pki(folder: pathlib.Path) -> pathlib.Path:
    subprocess.run([SIMULATOR, "--make-pki", folder, "--finess-ej", FINESS_EJ, "--server-name", SERVER_NAME], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


class Simulator:
    """A dmpfeed-sim on ports of its own."""

    def __init__(self, pki: pathlib.Path, store: pathlib.Path, listen: str = "127.0.0.1:0", options: tuple[str, ...] = (),
                 env: dict | None = None):
        self.pki, self.store = pki, store
        self.process = subprocess.Popen(
            [SIMULATOR, "--pki", pki, "--store", store, "--require-vihf", "--require-signature",
             "--listen", listen, *(["--schemas", SCHEMAS] if SCHEMAS.is_dir() else []), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        ready = self.process.stdout.readline()
        if not ready:
            raise RuntimeError("dmpfeed-sim did not start: " + self.process.stderr.read().decode())
        addresses = json.loads(ready)
        self.url = addresses["listening"] + "/si-dmp-server/v2/services"
        self.admin = addresses["admin"]
        self.journal = Journal(self.process.stderr)

    def ask(self, method: str, path: str, body=None, timeout: float = 30):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.admin + path, data=data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def received(self) -> dict[str, dict]:
        """What it holds, by uniqueId."""
        return {each["uniqueId"]: each for each in self.ask("GET", "/received")["documents"]}

    def faults(self, *faults: dict):
        self.ask("PUT", "/faults", list(faults))

    def wait_exchanges(self, count: int, timeout: float = 20):
        self.ask("GET", f"/wait?exchanges={count}&timeout={timeout}", timeout=timeout + 5)

    def wait_held(self, count: int, timeout: float = 20):
        """Until that many requests are held by a fault."""
        answer = self.ask("GET", f"/wait?held={count}&timeout={timeout}", timeout=timeout + 5)
        if answer["held"] < count:
            raise TimedOut(f"{answer['held']} of {count} requests are held after {timeout} s")

    def release(self):
        self.ask("POST", "/release", {})

    def reset(self):
        self.ask("POST", "/reset", {})

    def document(self, unique_id: str) -> bytes:
        """What it stored under an id."""
        return (self.store / "documents" / unique_id / "document.xml").read_bytes()

    def exchanges(self) -> list[dict]:
        """Its journal: one row per request it answered, in order."""
        journal = self.store / "journal.jsonl"
        return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(10)
        self.journal.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


CONFIG = """\
environment: rehearsal
state: {{ folder: state }}
workers: 2
log: {{ level: {log}, rate_limit: {{ burst: 0 }} }}
valuesets: {{ dir: {source}/conf/value-sets }}
errors: {{ file: {source}/conf/dmp-errors.csv }}
control: {{ socket: control.sock }}
status: {{ listen: "127.0.0.1:0"{status} }}
document: {{ max_size: {max_document} }}
lps: {{ name: dmpfeed, oid: 1.2.250.1.999.77, homologation_file: "{homologation}" }}
{extra}
intake:
  mllp:
    - {{ name: mllp, listen: "{listen}", site: "{eg}", source: DPI, max_message: {max_message}{listener} }}
  drop:
    - {{ name: drop, folder: in, site: "{eg}", source: LABO, settle: 200 ms, scan: 500 ms, max_file: {max_document},
        sidecar_wait: {wait} }}
establishments:
  - finess_ej: "{ej}"
    name: CH DE VALBRUME
    dmp:
      url: {{ repository: "{url}/repository", registry: "{url}/registry", patients: "{url}/patients" }}
      tls: {{ ca: {pki}/ca.pem, cert: {pki}/{auth}.pem, key: {pki}/{auth}.key }}
      sign: {{ cert: {pki}/{sign}.pem, key: {pki}/{sign}.key, chain: {pki}/ca.pem }}
      timeout: {{ connect: {connect}, exchange: {exchange} }}
      max_reply: {most_reply}
      retry: {{ first: {first}, most: {most}, probe: {probe} }}
    sites:
      - {{ finess_eg: "{eg}", name: CH DE VALBRUME, sector: SA01{site} }}
"""

DEFAULTS = {
    "max_document": "20 MiB", "max_message": "32 MiB", "connect": "5 s", "exchange": "20 s",
    "listen": "127.0.0.1:0", "first": "1 s", "most": "2 s", "probe": "1 s", "ej": FINESS_EJ, "eg": FINESS_EG, "source": SOURCE, "log": "debug",
    "auth": "auth", "sign": "sign", "homologation": "", "extra": "", "site": "", "listener": "", "wait": "10 min",
    "status": "", "most_reply": "4 MiB",
}


def file_digest(name: str) -> str:
    """A dropped file as the journal names it: file names often carry a patient's."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def free_port() -> int:
    """A port nobody listens on, below those the system gives to outgoing connections."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


class Gateway:
    """A dmpfeedd with its state, its folder and its sockets under `folder`."""

    def __init__(self, folder: pathlib.Path, url: str, pki: pathlib.Path, copy=None, config: str | None = None,
                 **settings):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.copy = copy
        self.config = self.folder / "dmpfeed.yaml"
        self.config.write_text(config or CONFIG.format(**{**DEFAULTS, **settings, "url": url, "pki": pki}))
        self.inbox = self.folder / "in"
        self.inbox.mkdir(exist_ok=True)
        self.process: subprocess.Popen | None = None
        self.journal: Journal | None = None

    # -- life --

    def run(self, *arguments: str, timeout: float = 20, env: dict | None = None) -> subprocess.CompletedProcess:
        """A dmpfeedd that ends by itself: --check-config, or one that cannot start."""
        return subprocess.run([DAEMON, "--config", self.config, *arguments], cwd=self.folder, capture_output=True,
                              text=True, timeout=timeout, env={**os.environ, **(env or {})})

    def start(self, timeout: float = 20, env: dict | None = None, under: tuple = ()):
        """`under`: a command that becomes the daemon, which it is given."""
        self.process = subprocess.Popen(
            [*under, *UNDER, DAEMON, "--config", self.config], cwd=self.folder, stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})})
        self.journal = Journal(self.process.stderr, self.copy)
        self.journal.wait(r">started ", timeout)
        return self

    def stop(self, timeout: float = 20) -> int:
        self.process.terminate()
        return self._ended(timeout)

    def kill(self):
        self.process.kill()
        return self._ended(20)

    def _ended(self, timeout: float) -> int:
        code = self.process.wait(timeout * SLOWER)
        self.journal.join()
        self.process.stderr.close()
        if self.journal.find(SANITIZER):
            raise AssertionError("a sanitizer reported:\n" + "\n".join(self.journal.lines))
        return code

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        if self.process and self.process.poll() is None:
            code = self.stop()
            if kind is None and code != 0:
                raise AssertionError(f"dmpfeedd ended with {code}:\n" + "\n".join(self.journal.lines[-50:]))

    def memory(self) -> dict[str, int]:
        """KiB: what it has (VmRSS) and the most it had (VmHWM)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {name: int(kib) for name, kib in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE)}

    def forget_most_memory(self):
        """VmHWM counts from now."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    # -- doors --

    @property
    def mllp_address(self) -> tuple[str, int]:
        found = self.journal.wait(r"listening name=\S+ address=(\S+):(\d+)")
        return found[1].strip("[]"), int(found[2])

    @property
    def status_url(self) -> str:
        return self.journal.wait(r"status address=(\S+)")[1].rstrip("/")

    def get(self, path: str) -> tuple[int, bytes]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.status_url + path, timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def fetch(self, path: str, **headers: str) -> tuple[dict, str]:
        """What is answered with 200, and under which headers, to one who says so much."""
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                urllib.request.Request(self.status_url + path, headers=asked), timeout=10) as reply:
            return dict(reply.headers), reply.read().decode()

    def connect(self) -> "Mllp":
        return Mllp(self.mllp_address)

    def send(self, message: bytes, timeout: float = 30) -> "Ack":
        """One message over a connection of its own."""
        with self.connect() as mllp:
            return mllp.send(message, timeout)

    def drop(self, name: str, content: bytes) -> pathlib.Path:
        """A file renamed into place, as a careful sender does."""
        part = self.inbox / f".{name}.part"
        part.write_bytes(content)
        part.rename(self.inbox / name)
        return self.inbox / name

    def wait_moved(self, name: str, timeout: float = 30, start: int = 0) -> str:
        """Where a dropped file went: "done" or "rejected"."""
        return self.journal.wait(rf"file={file_digest(name)} .*moved=(\w+)", timeout, start)[1]

    # -- what became of it --

    def ctl(self, *arguments: str):
        done = subprocess.run(
            [BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "--json", *arguments],
            cwd=self.folder, capture_output=True, timeout=30 * SLOWER)
        if done.returncode != 0:
            raise RuntimeError(f"dmpfeedctl {arguments}: {done.returncode} {done.stderr.decode()}")
        return json.loads(done.stdout)

    def status(self) -> dict:
        return json.loads(self.get("/api/v1/status")[1])

    def documents(self) -> list[dict]:
        return self.ctl("list", "--limit", "10000")

    def settled(self, timeout: float = 30) -> dict[str, dict]:
        """The documents by uniqueId, once none of them waits or is under way."""
        deadline = time.monotonic() + timeout
        for each in self.documents():
            if each["state"] in ("queued", "sending"):
                self.wait_final(each["doc"], deadline - time.monotonic())
        return {each["unique_id"]: each for each in self.documents()}

    def wait_final(self, doc: str, timeout: float = 30) -> str:
        """The state in which a document's way ended."""
        pattern = rf"doc={doc} outcome=(delivered|refused|rejected)"
        return self.journal.wait(pattern, timeout)[1]


class Ack:
    """An acknowledgement as received."""

    def __init__(self, frame: bytes):
        self.bytes = frame
        self.segments = [line.split("|") for line in frame.decode("utf-8", "replace").split("\r") if line]

    def _segment(self, name: str) -> list[str]:
        return next((each for each in self.segments if each[0] == name), [])

    @property
    def code(self) -> str:
        return (self._segment("MSA") + ["", ""])[1]

    @property
    def control_id(self) -> str:
        return (self._segment("MSA") + ["", "", ""])[2]

    @property
    def errors(self) -> list[dict]:
        """ERR segments as location ("PID-3"), code, text and reason."""
        return [self._error(each + [""] * 6) for each in self.segments if each[0] == "ERR"]

    @staticmethod
    def _error(fields: list[str]) -> dict:
        place = (fields[2].split("^") + ["", "", ""])
        location = place[0] + (f"-{place[2]}" if place[2] else "") + "".join(f".{part}" for part in place[4:6] if part)
        code = (fields[3].split("^") + [""])
        local = (fields[5].split("^") + ["", ""])
        return {"location": location, "code": code[0], "text": local[1] or code[1], "reason": local[0]}


class Mllp:
    """One MLLP connection."""

    def __init__(self, address: tuple[str, int], timeout: float = 30):
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def write(self, message: bytes):
        self.socket.sendall(VT + message + END)

    def read(self, timeout: float = 30) -> Ack | None:
        """The next answer; None when the peer has closed."""
        self.socket.settimeout(timeout)
        while END not in self._rest:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self._rest += more
        frame, self._rest = self._rest.split(END, 1)
        assert frame[:1] == VT, "the answer is not framed"
        return Ack(frame[1:])

    def send(self, message: bytes, timeout: float = 30) -> Ack | None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.write(message)  # a listener may refuse before it has read everything: its answer counts
        return self.read(timeout)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fresh(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def end(process: subprocess.Popen):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait()
