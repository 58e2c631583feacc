"""docs/python.md: its files are written, its programs run, and its commands print what stands there."""

import collections
import doctest
import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
Block = collections.namedtuple("Block", "language name text line")


def sections(text):
    """The page's blocks by heading: (heading, blocks), those with blocks."""
    found, blocks, name, block = [], [], None, None
    for number, line in enumerate(text.splitlines(), 1):
        if block is not None:
            if line == "```":
                blocks.append(Block(block[0], name, "".join(part + "\n" for part in block[1]), block[2]))
                block = name = None
            else:
                block[1].append(line)
        elif line.startswith("```"):
            block = (line[3:], [], number)
        elif line.startswith("#"):
            blocks, name = [], None
            found.append((line.lstrip("# "), blocks))
        elif line:
            named = re.match(r"`([\w.]+)`:$", line)
            name = named.group(1) if named else None
    assert block is None, "a block is not closed"
    return [section for section in found if section[1]]


def page():
    with open(os.path.join(ROOT, "docs", "python.md"), encoding="utf-8") as file:
        return file.read()


SECTIONS = sections(page())


def commands(block):
    """A console's commands, each with what is printed."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    assert parts[0] == "", "line {}: a console begins with a command".format(block.line)
    return list(zip(parts[1::2], parts[2::2]))


def pattern(text):
    """What is printed, with what differs from run to run left open, for doctest.ELLIPSIS."""
    text = re.sub(r"=+ (.*?) =+\n", r"...= \1 =...\n", text)
    text = re.sub(r"\(pid \d+\)", "(pid ...)", text)
    text = re.sub(r"python3\.\d+ ", "python... ", text)
    return re.sub(r"\d+\.\d+s\b", "...s", text)


@pytest.mark.parametrize("heading, blocks", SECTIONS, ids=[heading for heading, _ in SECTIONS])
def test_what_the_page_shows_happens(suite, heading, blocks):
    (suite.folder / "pytest.ini").unlink()
    programs = suite.root / "bin"
    programs.mkdir()
    (programs / "agxrun").symlink_to(os.environ["AGXRUN"])
    path = os.pathsep.join([str(programs), os.path.dirname(sys.executable), os.environ["PATH"]])
    environ = suite.environ(PATH=path, AGXRUN=None, COLUMNS="80")
    for block in blocks:
        where = "docs/python.md, line {}".format(block.line)
        if block.name:
            suite.write(block.name, block.text)
        elif block.language == "python":
            subprocess.run([sys.executable, "-c", block.text], env=environ, check=True, timeout=60)
        else:
            assert block.language == "console", where
            for command, expected in commands(block):
                done = subprocess.run(
                    command,
                    shell=True,
                    cwd=str(suite.folder),
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    timeout=120,
                )
                got = done.stdout.decode()
                same = doctest.OutputChecker().check_output(pattern(expected), got, doctest.ELLIPSIS)
                assert same, "{}: `{}` printed\n{}\nand not\n{}".format(where, command, got, pattern(expected))


def test_every_block_is_one_that_is_tried():
    for _, blocks in SECTIONS:
        for block in blocks:
            assert block.name or block.language in ("python", "console"), block
    text = page()
    # A block that is only indented would be tried by nobody.
    assert not re.search(r"^    \S", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)


def test_the_options_that_exist_are_told():
    with open(os.path.join(ROOT, "python", "agxrun", "pytest_plugin.py"), encoding="utf-8") as file:
        plugin = file.read()
    names = set(re.findall(r'(?:addoption|addini)\(\s*"([^"]+)"', plugin))
    assert names == {"--agxrun", "--no-agxrun", "--agxrun-opts", "agxrun", "agxrun_opts"}
    text = page()
    assert all("`{}".format(name) in text for name in names)


def test_a_page_that_lies_is_noticed():
    checker = doctest.OutputChecker()
    assert checker.check_output(pattern("a (pid 1)\n"), "a (pid 23)\n", doctest.ELLIPSIS)
    assert not checker.check_output(pattern("exit 86\n"), "exit 0\n", doctest.ELLIPSIS)
    (found,) = sections("# A\n`a.py`:\n\n```python\nx\n```\n")
    assert found == ("A", [Block("python", "a.py", "x\n", 4)])
