#!/usr/bin/env python3
"""One transformer that all threads share: inference at the same time, without a lock.

agxrun -- python3 scripts/mps/test_transformer_shared.py --threads 8
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import parallel
import torch_cases


def workload(options):
    """Every thread has the same model, and begins with another input."""
    torch, device = torch_cases.prepare(options)
    model = torch_cases.encoder(torch, device)
    cases = torch_cases.inputs(torch, device)
    shares = torch_cases.shares(torch, [model] * options.threads, cases, options.threads)
    return shares, torch_cases.words("one shared transformer", torch, device)


def main(arguments=None):
    """The command."""
    return parallel.main(workload, parallel.parser(__doc__, ["mps", "cpu"]).parse_args(arguments))


def test_every_result_is_that_of_one_thread():
    import pytest

    pytest.importorskip("torch")
    assert main([]) == parallel.OK


if __name__ == "__main__":
    sys.exit(main())
