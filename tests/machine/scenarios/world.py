"""A process with a runtime and a driver, and what is looked at when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from driver.metal import Driver
from libobjc.functions import ANNOUNCER, install
from machine.process import Process

from . import ledger as ledgers
from .ledger import Ledger


class World:
    """One process.

    `announces`: the runtime has `_objc_addWillInitializeClassFunc`. `class_mask`: it exports `objc_debug_isa_class_mask`.
    `records_all`: the driver has no behaviour, only recorders. `starts`: the library's constructor runs at once.
    """

    def __init__(
        self,
        library: Path,
        environment: Mapping[str, str] | None = None,
        *,
        seed: int = 1,
        announces: bool = True,
        class_mask: bool = True,
        records_all: bool = False,
        starts: bool = True,
        installed_as: str = "/opt/agxrun/lib/libagx_fix.dylib",
    ) -> None:
        self.process = Process(library, environment, seed, installed_as)
        self.runtime = install(self.process, announcer=announces, class_mask=class_mask)
        if not announces:
            self.process.missing.add(ANNOUNCER)
        if not class_mask:
            self.process.missing.add("_objc_debug_isa_class_mask")
        scope = (environment or {}).get("AGX_FIX_LOCK_SCOPE", "global")
        self.driver = Driver(self.runtime, records_all=records_all, scope=scope)
        self.send = self.runtime.send
        if starts:
            self.process.start()

    def stats(self) -> dict[str, Any]:
        """What the library says of itself now (`agx_fix_stats_json`)."""
        text = self.process.call(self.process.exports["_agx_fix_stats_json"]).x0
        return json.loads(self.process.memory.cstring(text))

    def counter(self, name: str) -> int:
        """A counter, as the library says it now."""
        return self.stats()["counters"][name]

    def is_ours(self, code: int) -> bool:
        """Whether an address is in the library."""
        return self.process.image.base <= code < self.process.image.end

    def hooks(self) -> int:
        """How many methods are hooked."""
        return self.process.call(self.process.exports["_agx_fix_hook_count"]).x0

    def in_pool(self, run: Callable[[], None]) -> Callable[[], None]:
        """`run` inside an autorelease pool, as a program's thread has one."""

        def pooled() -> None:
            with self.runtime.objects.pool():
                run()

        return pooled

    def in_threads(self, *runs: Callable[[], None]) -> None:
        """Runs each in a thread of its own, with a pool, until all have ended."""
        for number, run in enumerate(runs):
            self.process.spawn(self.in_pool(run), name=f"worker {number}")
        self.process.run()

    def ledgers(self) -> list[Ledger]:
        """The ledgers as they stand now."""
        return ledgers.read(self.process.ledger_folder)

    def ledger(self) -> Ledger:
        """The process's own ledger as it stands now."""
        return next(it for it in self.ledgers() if it.pid == self.process.pid)

    def end(self, *, leaks: bool = False) -> Ledger:
        """`main` returns: nothing is held, and unless it `leaks` no object alive and no encoder retained. The ledger."""
        if not leaks:
            alive = [f"{cls.name} {address:#x}" for address, cls in self.runtime.objects.living.items()]
            assert not alive, f"never released: {alive}"
        self.process.finish()
        self.process.check_end()
        left = self.ledger()
        counted = left.counters
        assert counted["caught_panics"] == 0
        if not leaks:
            assert counted["encoders_created"] == counted["encoders_released"]
            assert counted["encoders_open"] == 0
        return left
