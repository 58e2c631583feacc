"""Where the program `agxrun` is."""

import os
import shutil
import sys
import sysconfig

NAME = "agxrun"


class NotFound(Exception):
    """There is no program `agxrun`, or what AGXRUN names is none; says what was looked at, and what to do."""


def find(environ=None):
    """The path of `agxrun`: what AGXRUN names, else the one beside this package or this interpreter, else the one on PATH.

    Raises NotFound.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("AGXRUN")
    if named:
        if not _is_program(named):
            raise NotFound(
                "AGXRUN names `{}`, which is no program (hint: let it name agxrun, or unset it)".format(named)
            )
        return os.path.abspath(named)
    for folder in _beside():
        candidate = os.path.join(folder, NAME)
        if _is_program(candidate):
            return candidate
    found = shutil.which(NAME, path=environ.get("PATH"))
    if found is None:
        raise NotFound(
            "the program `agxrun` is neither beside {} nor on PATH "
            "(hint: pip install agxrun, or let the variable AGXRUN name it)".format(
                sys.executable or "this interpreter"
            )
        )
    return os.path.abspath(found)


def _is_program(path):
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _beside():
    """Where pip puts a wheel's programs: of an environment, of `pip install --user`, of `pip install --target`."""
    folders = [sysconfig.get_path("scripts")]
    user = "{}_user".format(os.name)
    if user in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", user))
    folders.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin"))
    if sys.executable:
        folders.append(os.path.dirname(os.path.abspath(sys.executable)))
    return [folder for folder in folders if folder]
