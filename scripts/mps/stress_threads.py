#!/usr/bin/env python3
"""Many small operations of many kinds from all threads at once, in PyTorch: encoders are made and ended as fast as it goes.

    agxrun stress -n 50 -- python3 scripts/mps/stress_threads.py --threads 16 --duration 5

Each thread goes through the kinds in an order of its own: matrix products, convolution, normalisation, attention,
indexing and reductions, copies within the device, and copies to the host and back, which wait for the GPU in the
middle.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import parallel
import torch_cases


def kinds(torch, device):
    """The operations, each from a case's tensor (batch, tokens, width) to a tensor of whatever shape."""
    functional = torch.nn.functional
    width = torch_cases.WIDTH
    square = torch.randn(width, width).div(width**0.5).to(device)
    filters = torch.randn(width, width, 3).div((3 * width) ** 0.5).to(device)
    linear = torch.nn.Linear(width, 2 * width).to(device).eval()
    order = torch.randperm(torch_cases.TOKENS).to(device)

    def product(x):
        return torch.bmm(x @ square, (x @ square).transpose(1, 2)).softmax(dim=-1)

    def convolution(x):
        return functional.gelu(functional.conv1d(x.transpose(1, 2), filters, padding=1))

    def normalisation(x):
        return functional.layer_norm(linear(x), (2 * width,)).tanh()

    def attention(x):
        heads = x.view(x.shape[0], x.shape[1], 4, width // 4).transpose(1, 2)
        return functional.scaled_dot_product_attention(heads, heads, heads)

    def indexing(x):
        chosen = x.index_select(1, order)
        return torch.cat([chosen.cumsum(dim=1) / chosen.shape[1], chosen.sort(dim=-1).values], dim=-1)

    def copies(x):
        fresh = torch.empty_like(x)
        fresh.copy_(x)
        return torch.where(fresh > 0, fresh * 2, fresh.abs())

    def host(x):
        return x.cpu().mul(0.5).to(x.device) + x

    return [product, convolution, normalisation, attention, indexing, copies, host]


class Mixed:
    """All kinds one after the other, beginning with another one in each thread: results as one vector of means and extremes."""

    def __init__(self, torch, operations):
        self.torch = torch
        self.operations = operations

    def __call__(self, x):
        results = [operation(x) for operation in self.operations]
        return self.torch.stack(
            [number(result) for result in results for number in (self.torch.mean, self.torch.amax, self.torch.amin)]
        )


def workload(options):
    """The threads share the operations' weights and differ in their order."""
    torch, device = torch_cases.prepare(options)
    operations = kinds(torch, device)
    orders = [Mixed(torch, operations[place:] + operations[:place]) for place in range(len(operations))]
    cases = torch_cases.inputs(torch, device)
    computes = [orders[number % len(orders)] for number in range(options.threads)]
    return torch_cases.shares(torch, computes, cases, options.threads), torch_cases.words(
        "operations of all kinds", torch, device
    )


def main(arguments=None):
    """The command."""
    return parallel.main(workload, parallel.parser(__doc__, ["mps", "cpu"]).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
