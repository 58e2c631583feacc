"""How an exception finds its way through emulated frames: the tables that the linker made, and the walk over them."""

from .walk import Cursor, Frame, NoTable

__all__ = ["Cursor", "Frame", "NoTable"]
