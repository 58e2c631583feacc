"""What the system keeps for a process outside its memory, and what of it a child of `fork` has for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class System:
    """The state that handlers share."""

    #: `pthread_atfork`: before, in the parent, in the child; 0 for none.
    at_fork: list[tuple[int, int, int]] = field(default_factory=list)
    #: `atexit` and `__cxa_atexit`: function and argument.
    at_exit: list[tuple[int, int]] = field(default_factory=list)
    #: `pthread_key_create`: destructors.
    keys: dict[int, int] = field(default_factory=dict)
    #: Everything that was ever locked: addresses of `os_unfair_lock`s and mutexes.
    unfair_locks: set[int] = field(default_factory=set)
    mutexes: set[int] = field(default_factory=set)
    #: Who sleeps on a condition, first come first: address, and numbers that are taken away when it is signalled.
    sleepers: dict[int, list[int]] = field(default_factory=dict)
    next_sleeper: int = 1
    #: Counts of `dispatch_semaphore`s.
    semaphores: dict[int, int] = field(default_factory=dict)
    #: `_dyld_register_func_for_add_image`.
    image_callbacks: list[int] = field(default_factory=list)
    #: Images beside the library: header and name.
    images: dict[int, str] = field(default_factory=dict)
    #: What `dlopen` does for a path, and its handle; None: the path is not found.
    opener: Callable[[str], int | None] | None = None
    dl_error: str | None = None
    log: list[tuple[int, str]] = field(default_factory=list)
    logs: dict[int, tuple[str, str]] = field(default_factory=dict)
    next_pid: int = 4300
    #: When the process began, microseconds since 1970.
    started_us: int = 0
    random_state: int = 0x9E37_79B9_7F4A_7C15

    def snapshot(self) -> object:
        """A copy of what a child has for itself."""
        return (
            list(self.at_fork),
            list(self.at_exit),
            dict(self.keys),
            set(self.unfair_locks),
            set(self.mutexes),
            {address: list(sleepers) for address, sleepers in self.sleepers.items()},
            dict(self.semaphores),
            list(self.image_callbacks),
            dict(self.images),
        )

    def restore(self, saved: object) -> None:
        """Back to a copy."""
        assert isinstance(saved, tuple)
        (
            self.at_fork,
            self.at_exit,
            self.keys,
            self.unfair_locks,
            self.mutexes,
            self.sleepers,
            self.semaphores,
            self.image_callbacks,
            self.images,
        ) = saved
