"""What tests do to the daemon's disk, memory and clock, with the libraries of tests/preload."""

from __future__ import annotations

import contextlib
import mmap
import os
import pathlib
import random
import re
import shutil
import struct

import pytest

from gateway import BUILD, DAEMON

OPEN, WRITE, SYNC, CUT, RENAME, UNLINK, READ, MKDIR = (1 << bit for bit in range(8))
ANY_WRITE = OPEN | WRITE | SYNC | CUT | RENAME | UNLINK | MKDIR
FOR_EVER = -1
HANGS = -1


def preload(name: str) -> dict:
    """The environment of a daemon with this library; skips where there is a sanitizer."""
    if re.search(rb"__[at]san_init", DAEMON.read_bytes()):
        pytest.skip("a sanitizer wants to be the first library: nothing is preloaded before it")
    return {"LD_PRELOAD": str(BUILD / "tests" / "preload" / f"lib{name}.so")}


class Shared:
    """A file that the daemon maps."""

    def __init__(self, path: pathlib.Path, layout: str):
        self.layout = struct.Struct(layout)
        path.write_bytes(bytes(self.layout.size))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), self.layout.size)

    def write(self, *values):
        self.memory[:] = self.layout.pack(*values)

    def read(self) -> tuple:
        return self.layout.unpack(self.memory[:])


class FailingDisk:
    """Makes calls under a folder fail."""

    def __init__(self, folder: pathlib.Path, control: pathlib.Path):
        self.shared = Shared(control, "=iIqqq32s")
        self.environment = preload("failing_disk") | {"FAILING_UNDER": str(folder), "FAILING_CONTROL": str(control)}

    def fail(self, error: int, calls: int, after: int = 0, count: int = FOR_EVER, ending: str = ""):
        self.shared.write(error, calls, after, count, 0, ending.encode())

    def hang(self, calls: int):
        """They are made once it is mended."""
        self.fail(HANGS, calls)

    def count(self, calls: int):
        """Nothing fails, and seen() tells how many there were."""
        self.fail(0, calls)

    def seen(self) -> int:
        return self.shared.read()[4]

    def mend(self):
        self.fail(0, 0)


class FailingMemory:
    """Refuses one allocation of a program: the first by the n-th way to one."""

    def __init__(self, control: pathlib.Path):
        self.shared = Shared(control, "=qq")
        self.environment = preload("failing_memory") | {"FAILING_MEMORY": str(control)}
        self.mend()

    def fail(self, nth: int):
        self.shared.write(nth, 0)

    def seen(self) -> int:
        return self.shared.read()[1]

    def mend(self):
        self.fail(-1)


class SetClock:
    """Sets the wall clock of a daemon while it runs."""

    def __init__(self, control: pathlib.Path):
        self.shared = Shared(control, "=q")
        self.environment = preload("set_clock") | {"CLOCK_AHEAD": str(control)}

    def ahead(self, seconds: int):
        self.shared.write(seconds * 1000)


# ---- a disk that forgets ----

RECORD = struct.Struct("=IIIIQQQQQQ")
WROTE, CUT_OFF, SYNCED, MADE, RENAMED, UNLINKED = range(1, 7)
SECTOR = 512


class Record:
    def __init__(self, position: int, header: tuple, path: str, other: str, old: bytes, new: bytes):
        self.position = position
        self.kind, _, _, _, self.inode, self.other_inode, self.at, self.before, _, _ = header
        self.path, self.other, self.old, self.new = path, other, old, new

    def folders(self) -> list[int]:
        return [self.inode, self.other_inode] if self.kind == RENAMED else [self.inode]


class ForgetfulDisk:
    """Remembers what was not synced, to take it back: a power cut.

    What a disk loses is any part of what was written since the file's last sync: sectors of a write, writes, and of
    the changes to folders everything after some moment (journals keep their order).
    """

    def __init__(self, folder: pathlib.Path, aside: pathlib.Path):
        self.folder, self.log, self.graves = folder, aside / "written", aside / "graves"
        self.graves.mkdir(parents=True, exist_ok=True)
        self.environment = preload("forgetful_disk") | {
            "FORGETFUL_UNDER": str(folder), "FORGETFUL_LOG": str(self.log), "FORGETFUL_GRAVES": str(self.graves),
            "FORGETFUL_SYNC_US": "8000"}

    def cut_power(self, chance: random.Random | None = None) -> int:
        """After a SIGKILL. Without chance all is lost that was not synced. Returns the number of writes lost."""
        lost = self._not_synced(self._records())
        names = [each for each in lost if each.kind in (MADE, RENAMED, UNLINKED)]
        kept_names = set(map(id, names[:chance.randint(0, len(names))] if chance else []))
        self.paths = self._inodes()
        for each in reversed(lost):
            if id(each) not in kept_names:
                self._undo(each)
        for each in lost if chance else []:
            if each.kind in (WROTE, CUT_OFF) and chance.random() < 0.5:
                self._redo(each, chance)
        for path in self.folder.rglob("*-shm"):
            path.unlink()
        shutil.rmtree(self.graves)
        self.graves.mkdir()
        return len(lost)

    def _records(self) -> list[Record]:
        data, position, records = self.log.read_bytes(), 0, []
        while position + RECORD.size <= len(data):
            header = RECORD.unpack_from(data, position)
            lengths, parts, at = (header[1], header[2], header[8], header[9]), [], position + RECORD.size
            for length in lengths:
                parts.append(data[at:at + length])
                at += length
            if at > len(data):
                break  # the kill came first: what it tells of was not done
            path, other, old, new = parts
            records.append(Record(position, header, os.fsdecode(path), os.fsdecode(other), old, new))
            position = at
        return records

    @staticmethod
    def _not_synced(records: list[Record]) -> list[Record]:
        synced: dict[int, int] = {}
        for each in records:
            if each.kind == SYNCED:
                synced[each.inode] = max(synced.get(each.inode, 0), each.at)
        return [each for each in records
                if each.kind != SYNCED and any(each.position >= synced.get(inode, 0) for inode in each.folders())]

    def _inodes(self) -> dict[int, str]:
        files = [*self.graves.iterdir(), *self.folder.rglob("*")]
        return {os.lstat(path).st_ino: str(path) for path in files}

    def _undo(self, each: Record):
        if each.kind in (WROTE, CUT_OFF):
            with contextlib.suppress(FileNotFoundError, KeyError), open(self.paths[each.inode], "r+b") as file:
                file.seek(each.at)
                file.write(each.old)
                file.truncate(each.before)
        elif each.kind == MADE:
            with contextlib.suppress(FileNotFoundError):
                if os.path.isdir(each.path):
                    with contextlib.suppress(OSError):  # not empty: what is in it was kept
                        os.rmdir(each.path)
                else:
                    os.unlink(each.path)
        elif each.kind == RENAMED:
            inode = os.lstat(each.other).st_ino
            os.rename(each.other, each.path)
            self.paths[inode] = each.path
        elif each.kind == UNLINKED:
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.link(each.other, each.path)
                self.paths[each.other_inode] = each.path

    def _redo(self, each: Record, chance: random.Random):
        with contextlib.suppress(FileNotFoundError, KeyError), open(self.paths[each.inode], "r+b") as file:
            if each.kind == CUT_OFF:
                file.truncate(each.at)
                return
            for start in range(0, len(each.new), SECTOR):
                if chance.random() < 0.8:
                    file.seek(each.at + start)
                    file.write(each.new[start:start + SECTOR])
