"""agxrun for Python programs: is the fix active, a throttle for MPS and MLX, and a pytest plugin.

    import agxrun
    agxrun.active()                  # whether the fix library is loaded in this process, and hooks what is to be hooked
    agxrun.status()                  # all that it says of this process, as a dict
    agxrun.require()                 # raises agxrun.NotActive where hooks do not stand

`agxrun.mps` has the throttle; `pytest --agxrun` runs a test suite under agxrun (agxrun.pytest_plugin).

Importing this loads nothing else: pytest imports it in every session, wherever the package is installed.
"""

__all__ = ["NotActive", "active", "counter", "require", "status"]

_OF_THE_CHECK = ("NotActive", "counter", "require", "status")


def active():
    """Whether the fix library is loaded in this process and enabled.

    Its hooks may be still to come: they stand once Metal's classes are loaded (`status()["armed"]`).
    """
    from . import fix_check

    now = fix_check.status()
    return bool(now["loaded"] and now["enabled"])


def __getattr__(name):
    if name in _OF_THE_CHECK:
        from . import fix_check

        return getattr(fix_check, name)
    raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))


def __dir__():
    return sorted(list(globals()) + list(_OF_THE_CHECK))
