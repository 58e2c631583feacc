"""Time, which passes only as the machine says: by each call into the system, and by sleeping."""

from __future__ import annotations


class Clock:
    """Nanoseconds since the machine was started."""

    #: What a call into the system takes.
    PER_CALL_NS = 100
    #: 2025-01-01 00:00:00 UTC: when the machine was started, in nanoseconds since 1970.
    BOOTED_NS = 1_735_689_600_000_000_000
    #: Ticks a second of the processor's counter (`cntfrq_el0` on M1 and M2).
    TICKS_HZ = 24_000_000

    def __init__(self) -> None:
        self.now = 3_600_000_000_000

    def tick(self) -> None:
        """A call was made."""
        self.now += self.PER_CALL_NS

    def advance_to(self, time_ns: int) -> None:
        """Everybody slept until then."""
        self.now = max(self.now, time_ns)

    @property
    def epoch_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self.BOOTED_NS + self.now

    @property
    def ticks(self) -> int:
        """The processor's counter."""
        return self.now * self.TICKS_HZ // 1_000_000_000
