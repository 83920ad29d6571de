"""Many connections at once for a while, slow and fast, of every manner that senders have: each message is answered
once, by the right code, in order, and the daemon does not grow. For scripts/torture --soak and for a short test.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
import random
import statistics
import time

from gateway import END, VT, Ack, Gateway
from samples import hl7, mdm_t02, numbered

PER_SECOND = 200  # messages of all connections together: what is tested is patience, not speed
NATIONAL_PEAK = 64  # documents a second in the busiest hour of the whole country, all senders together
MOST_GROWTH_KIB = 8 * 1024  # from the second fifth of the time to the last
MOST_MORE_FILES = 16  # likewise: connections to the DMP come and go
ANSWER_S = 60

FIRST_NUMBER = 5_000_000


@dataclasses.dataclass
class Report:
    seconds: float = 0
    sent: int = 0
    answered: int = 0
    by_code: dict[str, int] = dataclasses.field(default_factory=dict)
    slowest_ms: float = 0
    troubles: list[str] = dataclasses.field(default_factory=list)
    memory: list[tuple[float, int]] = dataclasses.field(default_factory=list)  # since start, KiB
    files: list[tuple[float, int]] = dataclasses.field(default_factory=list)  # that are open

    def more(self, watched: list[tuple[float, int]]) -> int:
        """What the last fifth of the time has more than the second one: the first one warms up."""
        def fifth(number):
            return [value for at, value in watched
                    if number * self.seconds <= 5 * at <= (number + 1) * self.seconds] or [0]

        return int(statistics.median(fifth(4)) - statistics.median(fifth(1)))

    def growth(self) -> int:
        """In KiB."""
        return self.more(self.memory)

    @property
    def most_memory(self) -> int:
        return max(kib for _, kib in self.memory)

    def text(self) -> str:
        codes = " ".join(f"{code}={count}" for code, count in sorted(self.by_code.items()))
        return (f"sent {self.sent} answered {self.answered} lost {self.sent - self.answered} "
                f"wrong {len(self.troubles)} ({codes}), slowest answer {self.slowest_ms:.0f} ms, "
                f"memory at most {self.most_memory / 1024:.1f} MiB, growth {self.growth() / 1024:+.1f} MiB, "
                f"open files {self.more(self.files):+d} in {self.seconds:.0f} s")

    @property
    def is_good(self) -> bool:
        return (not self.troubles and self.sent == self.answered > 0 and self.growth() <= MOST_GROWTH_KIB
                and self.more(self.files) <= MOST_MORE_FILES)


class Messages:
    """What is sent, and the answer that it gets."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.numbers = itertools.count(FIRST_NUMBER)
        self.adt = hl7("adt_identity.hl7")
        self.adt_id = self.adt.split(b"\r", 1)[0].split(b"|")[9]
        self.known = mdm_t02(numbered(FIRST_NUMBER - 1), control_id="KNOWN")

    def short(self, control_id: str) -> tuple[bytes, str, str]:
        assert self.adt.count(b"|" + self.adt_id + b"|") == 1
        return self.adt.replace(b"|" + self.adt_id + b"|", f"|{control_id}|".encode(), 1), "AA", control_id

    def any(self, control_id: str) -> tuple[bytes, str, str]:
        """Mostly what leaves nothing behind, or the queue would fill the disk."""
        dice = self.chance.random()
        if dice < 0.1:
            return mdm_t02(numbered(next(self.numbers)), control_id=control_id), "AA", control_id
        if dice < 0.3:
            return self.known.replace(b"|KNOWN|", f"|{control_id}|".encode(), 1), "AA", control_id
        if dice < 0.4:
            return self.known.replace(b"|KNOWN|", f"|{control_id}|".encode(), 1).replace(b"|VALI", b"|NOPE"), "AE", \
                control_id
        if dice < 0.45:
            return b"GET / HTTP/1.1\r\n", "AR", ""
        return self.short(control_id)


class Sender:
    """One sender: a connection after another, or the same all the time."""

    def __init__(self, soak: "Soak", number: int):
        self.soak, self.number = soak, number
        self.chance = random.Random(soak.seed * 1000 + number)
        self.messages = Messages(self.chance)
        self.messages.numbers = itertools.count(FIRST_NUMBER + number * 10_000)
        self.count = itertools.count(1)
        self.reader = self.writer = None

    async def run(self, manner):
        name = manner.__name__
        try:
            while self.soak.left() > 0:
                if self.writer is None:
                    self.reader, self.writer = await asyncio.open_connection(*self.soak.address)
                began = next(self.count)
                await manner(self)
                done = next(self.count) - began
                pause = self.chance.random() * 2 * done * self.soak.connections / self.soak.per_second
                await asyncio.sleep(max(0, min(pause, self.soak.left())))
        except Exception as error:
            self.soak.report.troubles.append(f"sender {self.number} ({name}): {error!r}")
        finally:
            await self.hang_up()

    async def hang_up(self):
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()
        self.reader = self.writer = None

    def some(self, count: int, short: bool = False) -> list[tuple[bytes, str, str]]:
        make = self.messages.short if short else self.messages.any
        return [make(f"S{self.number}-{next(self.count)}") for _ in range(count)]

    async def write(self, data: bytes):
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, expected: list[tuple[bytes, str, str]], since: float | None = None):
        """The answers to these, in this order."""
        report = self.soak.report
        report.sent += len(expected)
        since = since or time.monotonic()
        for _, code, control_id in expected:
            frame = await asyncio.wait_for(self.reader.readuntil(END), ANSWER_S)
            report.slowest_ms = max(report.slowest_ms, (time.monotonic() - since) * 1000)
            report.answered += 1
            ack = Ack(frame[1:-len(END)])
            report.by_code[ack.code] = report.by_code.get(ack.code, 0) + 1
            if frame[:1] != VT or (ack.code, ack.control_id) != (code, control_id):
                raise AssertionError(f"{code} {control_id} expected, {ack.code} {ack.control_id} heard")


# ---- the manners of senders ----

async def steady(sender: Sender):
    (message,) = batch = sender.some(1)
    await sender.write(VT + message[0] + END)
    await sender.hear(batch)


async def byte_by_byte(sender: Sender):
    (message,) = batch = sender.some(1, short=True)
    for byte in VT + message[0] + END:
        await sender.write(bytes([byte]))
        await asyncio.sleep(0)
    await sender.hear(batch)


async def a_byte_a_second(sender: Sender):
    """Or faster, where little time is left: half of it for one message."""
    (message,) = batch = sender.some(1, short=True)
    frame = VT + message[0] + END
    pause = min(1.0, sender.soak.left() / 2 / len(frame))
    for byte in frame:
        await sender.write(bytes([byte]))
        await asyncio.sleep(pause)
    await sender.hear(batch)


async def pipelined(sender: Sender):
    batch = sender.some(16)
    for message, *_ in batch:
        await sender.write(VT + message + END)
    await sender.hear(batch)


async def joined(sender: Sender):
    """Frames in one piece, cut anywhere, with what is no frame between them."""
    batch = sender.some(8)
    stray = [b"", b"\n", b"\r\n", b"junk"]
    whole = b"".join(sender.chance.choice(stray) + VT + message + END for message, *_ in batch)
    cuts = sorted(sender.chance.randrange(len(whole)) for _ in range(6))
    for start, end in zip([0, *cuts], [*cuts, len(whole)]):
        await sender.write(whole[start:end])
        await asyncio.sleep(sender.chance.random() * 0.01)
    await sender.hear(batch)


async def half_closed(sender: Sender):
    batch = sender.some(2)
    await sender.write(b"".join(VT + message + END for message, *_ in batch))
    sender.writer.write_eof()
    await sender.hear(batch)
    assert await asyncio.wait_for(sender.reader.read(), ANSWER_S) == b"", "more than the answers"
    await sender.hang_up()


async def cut(sender: Sender):
    """Begins a message and is gone: nothing is owed to it."""
    (message,) = sender.some(1)
    await sender.write(VT + message[0][:sender.chance.randrange(len(message[0]))])
    await sender.hang_up()


MANNERS = [steady, pipelined, joined, byte_by_byte, a_byte_a_second, half_closed, steady, cut]


class Soak:
    def __init__(self, gateway: Gateway, connections: int, seconds: float, seed: int = 1, tell=None,
                 per_second: float = PER_SECOND):
        self.per_second = per_second
        self.gateway, self.connections, self.seconds, self.seed = gateway, connections, seconds, seed
        self.address = gateway.mllp_address
        self.report = Report()
        self.tell = tell or (lambda text: None)
        self.began = 0.0

    def left(self) -> float:
        return self.began + self.seconds - time.monotonic()

    async def _watch(self):
        """What the daemon has of memory and open files, all the time."""
        next_word = 60.0
        while True:
            at = time.monotonic() - self.began
            self.report.memory.append((at, self.gateway.memory()["VmRSS"]))
            self.report.files.append((at, len(os.listdir(f"/proc/{self.gateway.process.pid}/fd"))))
            if at >= next_word:
                self.tell(f"{at:.0f} s: {self.report.answered} answered, {self.report.memory[-1][1] / 1024:.1f} MiB")
                next_word += 60
            await asyncio.sleep(0.2)

    async def _run(self):
        self.began = time.monotonic()
        watch = asyncio.create_task(self._watch())
        await asyncio.gather(*(Sender(self, number).run(MANNERS[number % len(MANNERS)])
                               for number in range(self.connections)))
        self.report.seconds = time.monotonic() - self.began
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch

    def run(self) -> Report:
        asyncio.run(self._run())
        return self.report
