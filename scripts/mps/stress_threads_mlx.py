#!/usr/bin/env python3
"""Small computations from all threads at once, in MLX; each thread has a stream of its own.

    agxrun stress -n 50 -- python3 scripts/mps/stress_threads_mlx.py --threads 16 --duration 5

MLX computes when a result is evaluated, in the thread that asks. Each iteration here builds a graph of products,
normalisation, attention and reductions, and evaluates it.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import parallel

CASES = 8
TOLERANCE = 1e-3
BATCH, TOKENS, WIDTH = 4, 64, 128


def load():
    """The module mlx.core."""
    try:
        import mlx.core as mx
    except ImportError as error:
        raise parallel.Unusable(
            "MLX cannot be imported: %s (hint: pip install mlx, on Linux `mlx[cpu]`)" % error
        ) from error
    return mx


def device_of(mx, asked):
    """The device that `--device` means."""
    there = mx.metal.is_available()
    if asked == "gpu" and not there:
        raise parallel.Unusable("this MLX has no Metal device (hint: --device cpu)")
    return mx.Device(mx.gpu if asked == "gpu" or (asked == "auto" and there) else mx.cpu)


class Model:
    """One attention block with fixed weights."""

    def __init__(self, mx):
        self.mx = mx
        scale = WIDTH**-0.5
        self.into, self.out = (mx.random.normal((WIDTH, WIDTH)) * scale for _ in range(2))
        self.up = mx.random.normal((WIDTH, 4 * WIDTH)) * scale
        self.down = mx.random.normal((4 * WIDTH, WIDTH)) * (4 * WIDTH) ** -0.5
        mx.eval(self.into, self.out, self.up, self.down)

    def __call__(self, x):
        mx = self.mx
        heads = (x @ self.into).reshape(BATCH, TOKENS, 4, WIDTH // 4).transpose(0, 2, 1, 3)
        scores = mx.softmax(heads @ heads.transpose(0, 1, 3, 2) * (WIDTH // 4) ** -0.5, axis=-1)
        mixed = (scores @ heads).transpose(0, 2, 1, 3).reshape(BATCH, TOKENS, WIDTH) @ self.out + x
        mixed = mixed - mixed.mean(axis=-1, keepdims=True)
        mixed = mixed * mx.rsqrt(mixed.square().mean(axis=-1, keepdims=True) + 1e-5)
        return mx.maximum(mixed @ self.up, 0) @ self.down + mixed


class Share(parallel.Share):
    """A thread's part, on its own stream."""

    def __init__(self, mx, device, model, cases, expected, first):
        self.mx = mx
        self.device = device
        self.model = model
        self.cases = cases
        self.expected = expected
        self.first = first
        self.stream = None
        self.agreed = self.checksum = None

    def step(self, number):
        mx = self.mx
        if self.stream is None:
            # A stream belongs to the thread that made it.
            self.stream = mx.new_stream(self.device)
        case = (self.first + number) % len(self.cases)
        with mx.stream(self.stream):
            if self.agreed is None:
                self.agreed, self.checksum = mx.array(0, mx.int32), mx.array(0.0, mx.float32)
            result = self.model(self.cases[case])
            # NaN agrees with nothing.
            self.agreed = self.agreed + (mx.abs(result - self.expected[case]).max() < TOLERANCE).astype(mx.int32)
            self.checksum = self.checksum + mx.abs(result).mean()
            mx.eval(self.agreed, self.checksum)

    def counted(self):
        return (0, 0.0) if self.agreed is None else (int(self.agreed.item()), float(self.checksum.item()))


def workload(options):
    """One model for all threads; each begins with another input."""
    mx = load()
    device = device_of(mx, options.device)
    mx.set_default_device(device)
    mx.random.seed(options.seed)
    model = Model(mx)
    cases = [mx.random.normal((BATCH, TOKENS, WIDTH)) for _ in range(CASES)]
    expected = [model(case) for case in cases]
    mx.eval(cases, expected)
    shares = [Share(mx, device, model, cases, expected, number) for number in range(options.threads)]
    name = "gpu" if device == mx.Device(mx.gpu) else "cpu"
    return shares, "an attention block on %s (mlx %s)" % (name, mx.__version__)


def main(arguments=None):
    """The command."""
    return parallel.main(workload, parallel.parser(__doc__, ["gpu", "cpu"]).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
