"""What the workloads here share: options, threads that start together, and the comparison with one thread. No framework.

A workload makes some *cases* from the seed, computes each once in one thread, and then lets all threads compute them
again, over and over, at the same time. Every result is compared with that of the one thread, where the results are: on
the GPU. A thread counts its results that agree in a number that lives there as well; at the end it must be the number
of its iterations. Work that the GPU lost, be it a part of a result or the counting itself, is missing there.

There is no lock here, and nothing waits for another thread after the start.
"""

import argparse
import collections
import sys
import threading
import time

OK, LOST, UNUSABLE = 0, 1, 2

# How many of a thread's last iterations are remembered, to say how parallel it was.
REMEMBERED = 4096

EPILOG = """\
Exit codes: 0 every result agrees with that of one thread; 1 work was lost, or results differ; 2 wrong usage, or what it
needs is not there.
The line `throughput: N it/s` is for `agxrun compare --metric 'throughput: ([0-9.]+)'`."""


class Unusable(Exception):
    """What the workload needs is not there: a line that ends it with code 2."""


class Share:
    """One thread's work. The workload gives each thread one, made before the start."""

    def step(self, number):
        """Iteration `number`: computes a case, and counts on the device whether it agrees."""
        raise NotImplementedError

    def counted(self):
        """How many iterations agreed, and the checksum of the results, once the device has done everything."""
        raise NotImplementedError


Done = collections.namedtuple("Done", "iterations agreed checksum spans error")
Done.__doc__ = (
    "One thread's end: iterations done, those that agreed, checksum, when its last ones began and ended, the exception."
)


def positive(text):
    """An option's whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def seconds(text):
    """An option's time, more than 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def parser(description, devices):
    """The options of every workload; `devices` beside `auto`."""
    options = argparse.ArgumentParser(
        description=description, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--device",
        choices=["auto"] + devices,
        default="auto",
        help="where to compute (default: the GPU, where there is one)",
    )
    options.add_argument(
        "--threads", type=positive, default=8, metavar="N", help="threads that compute at the same time (default: 8)"
    )
    options.add_argument("--seed", type=int, default=1, help="of weights and inputs (default: 1)")
    length = options.add_mutually_exclusive_group()
    length.add_argument(
        "--iterations", type=positive, default=50, metavar="N", help="iterations of each thread (default: 50)"
    )
    length.add_argument("--duration", type=seconds, metavar="SECONDS", help="go on for this long instead")
    return options


def run(shares, options):
    """Lets all threads begin at once, each with its share. Returns what came of each, and the time of all in seconds."""
    results = [None] * len(shares)
    start = threading.Barrier(len(shares) + 1)

    def work(place, share):
        spans = collections.deque(maxlen=REMEMBERED)
        done, error = 0, None
        start.wait()
        end = None if options.duration is None else time.perf_counter() + options.duration
        try:
            while done < options.iterations if end is None else time.perf_counter() < end:
                began = time.perf_counter()
                share.step(done)
                spans.append((began, time.perf_counter()))
                done += 1
            agreed, checksum = share.counted()
        except Exception as failure:  # told with the thread's number below
            agreed, checksum, error = 0, 0.0, failure
        results[place] = Done(done, agreed, checksum, spans, error)

    threads = [threading.Thread(target=work, args=entry, name="worker-%d" % entry[0]) for entry in enumerate(shares)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return results, time.perf_counter() - began


def overlap(results):
    """How many threads were within an iteration at the same time, of the remembered ones: at most, and on average while any was."""
    moments = sorted(moment for done in results for began, ended in done.spans for moment in ((began, 1), (ended, -1)))
    inside = most = 0
    busy = weighted = 0.0
    before = None
    for moment, change in moments:
        if inside:
            busy += moment - before
            weighted += inside * (moment - before)
        inside += change
        most = max(most, inside)
        before = moment
    return most, weighted / busy if busy else 0.0


def judge(results, elapsed, what):
    """Prints what came of a run and returns the exit code. `what`: workload and device, for the first line."""
    iterations = sum(done.iterations for done in results)
    most, mean = overlap(results)
    print("%s: %d threads, %d iterations in %.3f s" % (what, len(results), iterations, elapsed))
    print("parallel: up to %d threads at once, %.1f on average" % (most, mean))
    print("checksum: %.6f" % sum(done.checksum for done in results))
    print("throughput: %.1f it/s" % (iterations / elapsed), flush=True)
    code = OK
    for number, done in enumerate(results):
        if done.error is not None:
            code = LOST
            print(
                "error: thread %d failed after %d iterations: %s: %s"
                % (number, done.iterations, type(done.error).__name__, done.error),
                file=sys.stderr,
            )
        elif done.agreed != done.iterations:
            code = LOST
            print(
                "error: work was lost: %d of the %d results of thread %d agree with those of one thread"
                % (done.agreed, done.iterations, number),
                file=sys.stderr,
            )
    if not iterations:
        code = LOST
        print("error: no thread got through one iteration (hint: a longer --duration)", file=sys.stderr)
    return code


def main(workload, options):
    """Makes the shares with `workload(options)`, which returns them and words for the device, runs them and judges."""
    try:
        shares, what = workload(options)
    except Unusable as error:
        print("error: %s" % error, file=sys.stderr)
        return UNUSABLE
    results, elapsed = run(shares, options)
    return judge(results, elapsed, what)
