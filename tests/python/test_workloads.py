"""The workloads of scripts/mps: their arguments always, their computing where a framework can be imported."""

import importlib
import os
import re
import subprocess
import sys
import types

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TORCH = [
    "scripts/mps/test_transformer_shared.py",
    "scripts/mps/test_transformer_threads.py",
    "scripts/mps/stress_threads.py",
    "tests/mps/test_semaphore_recommended.py",
]
MLX = ["scripts/mps/stress_threads_mlx.py"]
# A Python with PyTorch or MLX: this environment has neither.
PYTHON = os.environ.get("AGXRUN_TEST_PYTHON") or "python3"


@pytest.fixture
def parallel(monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(ROOT, "scripts", "mps"))
    return importlib.import_module("parallel")


def start(script, *arguments, python=sys.executable):
    command = [python, "-B", os.path.join(ROOT, script)] + list(arguments)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def has(module):
    line = [PYTHON, "-c", "import {}".format(module)]
    return subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("script", TORCH + MLX)
def test_arguments_are_read_without_a_framework(script):
    code, out, _ = start(script, "--help")
    assert code == 0
    for option in ("--device {auto,", "--threads", "--seed", "--iterations", "--duration"):
        assert option in out
    for wrong in (
        ["--threads", "0"],
        ["--threads", "x"],
        ["--iterations", "-1"],
        ["--duration", "0"],
        ["--duration", "nan"],
        ["--device", "tpu"],
        ["--duration", "1", "--iterations", "1"],
        ["extra"],
    ):
        code, out, err = start(script, *wrong)
        assert (code, out) == (2, ""), wrong
        assert "error: " in err


@pytest.mark.parametrize("script, name", [(script, "PyTorch") for script in TORCH] + [(MLX[0], "MLX")])
def test_a_missing_framework_is_no_success(script, name):
    code, out, err = start(script)
    assert (code, out) == (2, "")
    assert "{} cannot be imported".format(name) in err and "(hint: pip install" in err


@pytest.mark.parametrize("script", TORCH + MLX)
def test_every_result_is_that_of_one_thread(script):
    module = "mlx.core" if script in MLX else "torch"
    if not has(module):
        pytest.skip("{} has no {} (hint: let AGXRUN_TEST_PYTHON name one that has)".format(PYTHON, module))
    code, out, err = start(script, "--device", "cpu", "--threads", "4", "--iterations", "6", python=PYTHON)
    assert code == 0 and "error: " not in err, err
    assert "4 threads, 24 iterations in " in out
    assert float(re.search(r"^throughput: ([0-9.]+) it/s$", out, re.M).group(1)) > 0
    if "semaphore" not in script:
        assert re.search("^parallel: up to [2-4] threads at once", out, re.M)
    checksum = re.search(r"^checksum: .*$", out, re.M).group()
    assert checksum in start(script, "--device", "cpu", "--threads", "4", "--iterations", "6", python=PYTHON)[1]


# A device that does one iteration of thread 2 wrongly: `wrong` gets its result, the result before, and the share.
FAULTY = """
import sys
sys.path.insert(0, {folder!r})
import {module} as workload, {shares} as shared

def faulty(share, wrong):
    sound, seen = share.{compute}, []
    def compute(case):
        result = sound(case)
        seen.append(result)
        return result if len(seen) != 4 else wrong(result, seen[-2], share)
    share.{compute} = compute

made = shared.{maker}
def shares(*arguments):
    result = made(*arguments)
    faulty(result[2] if isinstance(result, list) else result[0][2], lambda result, before, share: {wrong})
    return result
shared.{maker} = shares
sys.exit(workload.main(["--device", "cpu", "--threads", "4", "--iterations", "6"]))
"""
# What a GPU that loses work leaves behind: nothing, what was there before, or a part.
WRONG = ["result * 0", "before", "result * float('nan')", "result * 0.99"]


def with_fault(module, wrong):
    mlx = "mlx" in module
    framework = "mlx.core" if mlx else "torch"
    if not has(framework):
        pytest.skip("{} has no {} (hint: let AGXRUN_TEST_PYTHON name one that has)".format(PYTHON, framework))
    program = FAULTY.format(
        folder=os.path.join(ROOT, "scripts", "mps"),
        module=module,
        shares=module if mlx else "torch_cases",
        compute="model" if mlx else "compute",
        maker="workload" if mlx else "shares",
        wrong=wrong,
    )
    done = subprocess.run([PYTHON, "-B", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("module", ["test_transformer_shared", "test_transformer_threads", "stress_threads", "stress_threads_mlx"])
def test_one_wrong_result_among_all_is_seen(module, wrong):
    code, err = with_fault(module, wrong)
    assert (code, err) == (1, "error: work was lost: 5 of the 6 results of thread 2 agree with those of one thread\n")


@pytest.mark.parametrize("module", ["test_transformer_shared", "stress_threads_mlx"])
def test_lost_counting_is_seen(module):
    # What was counted until then, in three iterations, is gone.
    lost = "setattr(share, 'agreed', share.agreed * 0) or result"
    code, err = with_fault(module, lost)
    assert (code, err) == (1, "error: work was lost: 3 of the 6 results of thread 2 agree with those of one thread\n")


class Counting:
    """A share whose device is a number: it loses the iterations that it is told to."""

    def __init__(self, loses=(), fails=None, meets=None):
        self.loses = loses
        self.fails = fails
        self.meets = meets
        self.agreed = 0

    def step(self, number):
        if number == self.fails:
            raise RuntimeError("command buffer failed")
        if self.meets:
            self.meets.wait()
        self.agreed += number not in self.loses

    def counted(self):
        return self.agreed, 0.5 * self.agreed


def options(**values):
    return types.SimpleNamespace(**dict({"iterations": 10, "duration": None}, **values))


def test_agreement_is_success(parallel, capsys):
    results, elapsed = parallel.run([Counting(), Counting()], options())
    assert parallel.judge(results, elapsed, "work") == 0
    out = capsys.readouterr().out
    assert out.startswith("work: 2 threads, 20 iterations in ")
    assert "checksum: 10.000000\n" in out and re.search(r"^throughput: [0-9.]+ it/s$", out, re.M)


def test_lost_work_and_failures_are_told_by_thread(parallel, capsys):
    results, elapsed = parallel.run([Counting(), Counting(loses=(3, 7)), Counting(fails=4)], options())
    assert parallel.judge(results, elapsed, "work") == 1
    err = capsys.readouterr().err.splitlines()
    assert err == [
        "error: work was lost: 8 of the 10 results of thread 1 agree with those of one thread",
        "error: thread 2 failed after 4 iterations: RuntimeError: command buffer failed",
    ]


def test_threads_run_at_the_same_time(parallel):
    import threading

    # No step returns before all threads are in one.
    meets = threading.Barrier(4, timeout=20)
    results, _ = parallel.run([Counting(meets=meets) for _ in range(4)], options())
    most, mean = parallel.overlap(results)
    assert most == 4 and mean > 1


def test_overlap_of_known_spans(parallel):
    spans = [[(0.0, 2.0)], [(1.0, 3.0)], []]
    results = [parallel.Done(1, 1, 0.0, each, None) for each in spans]
    assert parallel.overlap(results) == (2, 4 / 3)
    assert parallel.overlap([]) == (0, 0.0)


def test_a_duration_ends(parallel):
    results, elapsed = parallel.run([Counting()], options(duration=0.05))
    assert elapsed >= 0.05 and results[0].iterations == results[0].agreed > 0


def test_nothing_done_is_no_success(parallel, capsys):
    assert parallel.judge([parallel.Done(0, 0, 0.0, [], None)], 1.0, "work") == 1
    assert "no thread got through one iteration" in capsys.readouterr().err
