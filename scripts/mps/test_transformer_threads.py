#!/usr/bin/env python3
"""A transformer for each thread: nothing is shared in the program, and inference goes on at the same time, without a lock.

agxrun -- python3 scripts/mps/test_transformer_threads.py --threads 8
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import parallel
import torch_cases


def workload(options):
    """Every thread has its own model, with weights of its own."""
    torch, device = torch_cases.prepare(options)
    models = [torch_cases.encoder(torch, device) for _ in range(options.threads)]
    cases = torch_cases.inputs(torch, device)
    return torch_cases.shares(torch, models, cases, options.threads), torch_cases.words(
        "a transformer a thread", torch, device
    )


def main(arguments=None):
    """The command."""
    return parallel.main(workload, parallel.parser(__doc__, ["mps", "cpu"]).parse_args(arguments))


def test_every_result_is_that_of_one_thread():
    import pytest

    pytest.importorskip("torch")
    assert main([]) == parallel.OK


if __name__ == "__main__":
    sys.exit(main())
