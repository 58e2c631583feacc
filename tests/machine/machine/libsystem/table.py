"""How a module says what it serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..stubs import Handler


class Table(dict[str, "Handler"]):
    """Handlers by the symbol that they serve; decorates them."""

    def __call__(self, *names: str) -> Callable[[Handler], Handler]:
        """Decorates a handler with the symbols that it serves."""

        def register(handler: Handler) -> Handler:
            for name in names:
                if name in self:
                    raise KeyError(f"{name} is served already")
                self[name] = handler
            return handler

        return register
