"""Reads a ledger as the library left it (fixdylib/ledger/src/layout.rs), apart from the project's own reader."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

LOADED, ARMED, EXITED = 1, 2, 3
"""Phases."""
DISABLED, OBJC_SEEN, METAL_SEEN, POLICY_UNKNOWN, CENSUS_ASKED, CENSUS_TAKEN = 1, 2, 4, 16, 32, 64
"""Flags."""
NO_TRIGGER = 16
"""What was missing: classes were found by scanning."""
HOOKED, LEFT_ALONE, UNHOOKED = 1, 2, 3
"""States of a method in the census."""
REPLACED, LATE = 2, 4
"""What the census says of a method."""
ENTERED, RETURNED, SKIPPED, WAITING = 1, 2, 3, 4
"""Phases of an event."""


@dataclass(frozen=True)
class Entry:
    """A method in the census. `skipped` are calls of it that were not made.

    With `AGX_FIX_CENSUS`: calls that came in, are over, and threw; encoders that became shared by it; calls that met another
    thread's; encoders first seen by it; the most threads of one.
    """

    class_name: str
    selector: str
    encoding: str
    state: int
    reason: int
    slot: int
    flags: int
    skipped: int
    calls: int
    left: int
    threw: int
    shared: int
    overlapped: int
    first_seen: int
    threads_most: int


@dataclass(frozen=True)
class Event:
    """A call in a thread's ring."""

    number: int
    receiver: int
    slot: int
    phase: int


@dataclass(frozen=True)
class Ring:
    """A thread's calls: the last of them with their events, oldest first, and how many there were without one."""

    thread: int
    unlisted: int
    listed: int
    depth: int
    acquisitions: int
    holds: int
    waits: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Ledger:
    """One process's ledger."""

    pid: int
    forked_from: int
    platform: int
    architecture: int
    phase: int
    degraded: int
    flags: int
    exit_route: int
    exit_status: int
    policy: str
    path: str
    counters: dict[str, int]
    census: tuple[Entry, ...]
    rings: tuple[Ring, ...]

    def hooked(self) -> dict[tuple[str, str], Entry]:
        """The hooked methods by class and selector."""
        return {(it.class_name, it.selector): it for it in self.census if it.state == HOOKED}


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode()


def _section(data: bytes, at: int) -> tuple[int, int, int, int]:
    """Offset, stride, capacity, used."""
    return struct.unpack_from("<QIII", data, at)


def parse(data: bytes) -> Ledger:
    """Reads the bytes of a ledger."""
    magic, version, length = struct.unpack_from("<8sII", data)
    if (magic, version, length) != (b"AGXLEDGR", 1, 4096):
        raise ValueError(f"no ledger of layout 1: {data[:16]!r}")
    platform, architecture, pid, _parent, forked_from, phase, degraded, flags = struct.unpack_from("<8I", data, 16)
    exit_route, exit_status = struct.unpack_from("<II", data, 72)
    path_len = struct.unpack_from("<I", data, 220)[0]
    counters = {}
    offset, stride, _, used = _section(data, 112)
    for at in (offset + stride * index for index in range(used)):
        name, value = struct.unpack_from("<32sQ", data, at)
        counters[_text(name)] = value
    rings = _rings(data)
    # Threads with a ring count their calls and locks there.
    counters["method_calls"] += sum(ring.unlisted + ring.listed for ring in rings)
    counters["lock_acquisitions"] += sum(ring.acquisitions for ring in rings)
    return Ledger(
        pid=pid,
        forked_from=forked_from,
        platform=platform,
        architecture=architecture,
        phase=phase,
        degraded=degraded,
        flags=flags,
        exit_route=exit_route,
        exit_status=exit_status,
        policy=_text(data[288:304]),
        path=data[304 : 304 + path_len].decode(),
        counters=counters,
        census=_census(data),
        rings=rings,
    )


def _census(data: bytes) -> tuple[Entry, ...]:
    strings = _section(data, 160)[0]
    offset, stride, _, used = _section(data, 136)
    entries = []
    for at in (offset + stride * index for index in range(used)):
        words = struct.unpack_from("<10I4Q4I", data, at)
        texts = [data[strings + words[i] : strings + words[i] + words[i + 1]].decode() for i in (0, 2, 4)]
        entries.append(Entry(texts[0], texts[1], texts[2], *words[6:18]))
    return tuple(entries)


def _rings(data: bytes) -> tuple[Ring, ...]:
    header_len, event_stride, room = struct.unpack_from("<III", data, 208)
    offset, stride, _, used = _section(data, 184)
    rings = []
    for at in (offset + stride * index for index in range(used)):
        thread, unlisted, head, depth, _owned, acquisitions, _ticks, holds, waits = struct.unpack_from(
            "<QQQIIQQII", data, at
        )
        events = []
        for number in range(max(0, head - room), head):
            place = at + header_len + number % room * event_stride
            stamp, _, receiver, slot, phase = struct.unpack_from("<QQQII", data, place)
            if stamp == number + 1:
                events.append(Event(number, receiver, slot, phase))
        rings.append(Ring(thread, unlisted, head, depth, acquisitions, holds, waits, tuple(events)))
    return tuple(rings)


def read(folder: Path) -> list[Ledger]:
    """All ledgers of a folder, by their pids."""
    found = [parse(path.read_bytes()) for path in folder.glob("*.ledger")]
    return sorted(found, key=lambda it: it.pid)
