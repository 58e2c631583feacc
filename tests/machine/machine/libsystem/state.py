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
    #: What a test threw, by the exception that stands for it.
    thrown: dict[int, object] = field(default_factory=dict)
    next_pid: int = 4300
    #: When the process began, microseconds since 1970.
    started_us: int = 0
    random_state: int = 0x9E37_79B9_7F4A_7C15

    def snapshot(self) -> object:
        """A copy."""
        return copied(vars(self))

    def restore(self, saved: object, but: frozenset[str] = frozenset()) -> None:
        """Back to a copy, but for some of it."""
        assert isinstance(saved, dict)
        for name, value in copied(saved).items():
            if name not in but:
                setattr(self, name, value)


#: What parent and child share, or what goes on counting through both.
SHARED = frozenset({"log", "next_pid", "random_state"})


def copied(values: dict[str, object]) -> dict[str, object]:
    """Copies of lists, sets and dictionaries, and of those in them; anything else as it is."""
    return {name: _copy(value) for name, value in values.items()}


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list | set):
        return value.copy()
    return value
