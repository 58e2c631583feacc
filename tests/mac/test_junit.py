"""What junit.py makes of cargo's lines, and of commands that end otherwise than with a result."""

from __future__ import annotations

import io
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

import junit

PASSED = """\
   Compiling agxrun v0.1.0
    Finished `test` profile in 1.00s
     Running unittests src/lib.rs (target/debug/deps/agxrun-0123)

running 3 tests
test a::one ... ok
test a::two ... ignored, needs a Mac
test a::three - should panic ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.25s

   Doc-tests agxrun

running 1 test
test src/lib.rs - it (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 1 test
test src/lib.rs - that (line 9) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
"""

FAILED = """\
     Running tests/gate.rs (target/debug/deps/gate-0123)

running 2 tests
test good ... ok
test bad ... FAILED

failures:

---- bad stdout ----
thread 'bad' panicked: \x1b[31mleft\x1b[0m \x00

failures:
    bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.50s
"""


def suites(text: str) -> list[junit.Suite]:
    """The suites of an output."""
    return junit.suites_of(text.splitlines(keepends=True))


class Lines(unittest.TestCase):
    """Reading."""

    def test_every_test_is_a_case(self) -> None:
        library, first, second = suites(PASSED)
        self.assertEqual((library.name, library.seconds), ("src/lib.rs", 0.25))
        found = [(case.name, case.how, case.text) for case in library.cases]
        self.assertEqual(found[0], ("a::one", "ok", ""))
        self.assertEqual(found[1], ("a::two", "ignored", "needs a Mac"))
        self.assertEqual(found[2], ("a::three - should panic", "ok", ""))
        self.assertEqual({first.name, second.name}, {"documentation of agxrun"})
        self.assertEqual([case.name for case in second.cases], ["src/lib.rs - that (line 9)"])

    def test_a_failure_has_its_output(self) -> None:
        (suite,) = suites(FAILED)
        self.assertEqual([case.how for case in suite.cases], ["ok", "FAILED"])
        self.assertIn("panicked: left", suite.cases[1].text)
        self.assertNotIn("    bad", suite.cases[1].text)

    def test_a_binary_that_crashes_is_an_error(self) -> None:
        text = FAILED[: FAILED.index("test bad")] + "error: test failed, to rerun pass `--test gate`\n" + PASSED
        crashed, *others = suites(text)
        self.assertEqual([case.how for case in crashed.cases], ["ok", "error"])
        self.assertIn("1 tests are not known", crashed.cases[1].text)
        self.assertEqual(len(others), 3)
        self.assertEqual([case.how for case in suites(text[: text.index("   Compiling")])[0].cases], ["ok", "error"])

    def test_a_line_that_cannot_be_read_is_an_error(self) -> None:
        (suite,) = suites(FAILED.replace("test good ... ok", "test good ... and something in between"))
        self.assertEqual([case.how for case in suite.cases], ["FAILED", "error"])


class Commands(unittest.TestCase):
    """Running."""

    def setUp(self) -> None:
        self.said = io.BytesIO()

    def run_python(self, program: str) -> tuple[int, ElementTree.Element]:
        """The exit code and the document of a Python program."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "a" / "b.xml"
            code = junit.run([sys.executable, "-c", program], "here", output, self.said)
            return code, ElementTree.parse(output).getroot()

    def test_the_output_is_written_and_the_code_kept(self) -> None:
        code, root = self.run_python(f"print({FAILED!r}); raise SystemExit(101)")
        self.assertEqual((code, self.said.getvalue().decode()), (101, FAILED + "\n"))
        (suite,) = root
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("2", "1", "0"))
        failure = suite.find("testcase/failure")
        assert failure is not None
        self.assertEqual(failure.get("message"), "thread 'bad' panicked: left \ufffd")

    def test_a_command_that_fails_without_a_failed_test_is_an_error(self) -> None:
        code, root = self.run_python("import sys; print('no such package', file=sys.stderr); raise SystemExit(1)")
        self.assertEqual(code, 1)
        error = root.find("testsuite/testcase/error")
        assert error is not None and error.text is not None
        self.assertIn("no such package", error.text)

    def test_a_signal_has_its_number(self) -> None:
        code, root = self.run_python("import os; os.kill(os.getpid(), 9)")
        self.assertEqual(code, 137)
        self.assertIsNotNone(root.find("testsuite/testcase/error"))


if __name__ == "__main__":
    unittest.main()
