#!/usr/bin/env python3
"""The published advice: at most two threads within an MPS operation, by `agxrun.mps.throttle(2)`, which is a `Semaphore(2)` of the process.

    agxrun -- python3 tests/mps/test_semaphore_recommended.py --threads 8

The threads prepare and compare at the same time; only the model itself is throttled, and the GPU is done with it before
the next one is let in. `--permits` tries other numbers; `--semaphore` takes `threading.Semaphore`, as published, which
needs no package.
"""

import os
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "scripts", "mps"), os.path.join(ROOT, "python")]

import parallel
import torch_cases

from agxrun.mps import throttle


class Throttled:
    """A model that only so many threads are in at once; counts how many were."""

    def __init__(self, torch, model, limit):
        self.torch = torch
        self.model = model
        self.limit = limit
        self.counting = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, x):
        with self.limit:
            with self.counting:
                self.inside += 1
                self.most = max(self.most, self.inside)
            try:
                result = self.model(x)
                if x.device.type == "mps":
                    self.torch.mps.synchronize()
                return result
            finally:
                with self.counting:
                    self.inside -= 1


def main(arguments=None):
    """The command."""
    parser = parallel.parser(__doc__, ["mps", "cpu"])
    parser.add_argument(
        "--permits",
        type=parallel.positive,
        default=2,
        metavar="N",
        help="threads within the model at once (default: 2)",
    )
    parser.add_argument(
        "--semaphore", action="store_true", help="by threading.Semaphore instead of agxrun.mps.throttle"
    )
    options = parser.parse_args(arguments)
    limit = threading.Semaphore(options.permits) if options.semaphore else throttle(options.permits)
    models = []

    def workload(options):
        torch, device = torch_cases.prepare(options)
        models.append(Throttled(torch, torch_cases.encoder(torch, device), limit))
        cases = torch_cases.inputs(torch, device)
        shares = torch_cases.shares(torch, models * options.threads, cases, options.threads)
        return shares, torch_cases.words("a throttled transformer", torch, device)

    code = parallel.main(workload, options)
    if models:
        print("throttle: %d permits, at most %d threads inside" % (options.permits, models[0].most))
        if models[0].most > options.permits:
            print("error: more threads were inside than permitted", file=sys.stderr)
            return parallel.LOST
    return code


def test_every_result_is_that_of_one_thread():
    import pytest

    pytest.importorskip("torch")
    assert main([]) == parallel.OK


if __name__ == "__main__":
    sys.exit(main())
