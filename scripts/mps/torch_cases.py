"""What the PyTorch workloads share: the device, and comparing on it. PyTorch is imported when something is asked for."""

import parallel

# Different inputs, each computed once by one thread.
CASES = 8
# MPS computes in float32; the same operation on the same input differs in the last bits at most. What is lost is zero
# or stale.
TOLERANCE = 1e-3

BATCH, TOKENS, WIDTH = 4, 64, 128


def load():
    """The module torch."""
    try:
        import torch
    except ImportError as error:
        raise parallel.Unusable("PyTorch cannot be imported: %s (hint: pip install torch)" % error) from error
    return torch


def device_of(torch, asked):
    """The device that `--device` means."""
    there = torch.backends.mps.is_available()
    if asked == "mps" and not there:
        built = (
            "this PyTorch was not built for MPS"
            if not torch.backends.mps.is_built()
            else "this machine has no MPS device"
        )
        raise parallel.Unusable("%s (hint: --device cpu)" % built)
    return torch.device("mps" if asked == "mps" or (asked == "auto" and there) else "cpu")


def prepare(options):
    """torch and the device. On the CPU each operation takes one thread, so that the workload's threads are what is parallel."""
    torch = load()
    device = device_of(torch, options.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    return torch, device


def encoder(torch, device):
    """A small transformer, in float32, for inference."""
    layer = torch.nn.TransformerEncoderLayer(WIDTH, nhead=4, dim_feedforward=4 * WIDTH, batch_first=True, dropout=0.0)
    # The fused path is one operation, and not on every device; this one is many, which is what is to be tried.
    model = torch.nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
    return model.to(device).eval()


def inputs(torch, device):
    """The cases' inputs: made on the CPU, so that a seed means the same numbers on every device."""
    return [torch.randn(BATCH, TOKENS, WIDTH).to(device) for _ in range(CASES)]


class Share(parallel.Share):
    """A thread's part: `compute(input)` for one case after another, each compared on the device."""

    def __init__(self, torch, compute, cases, expected, first):
        """`cases` and `expected` are tensors on the device, one for one; `first` is the case to begin with."""
        self.torch = torch
        self.compute = compute
        self.cases = cases
        self.expected = expected
        self.first = first
        self.agreed = torch.zeros((), dtype=torch.int32, device=cases[0].device)
        self.checksum = torch.zeros((), dtype=torch.float32, device=cases[0].device)

    def step(self, number):
        case = (self.first + number) % len(self.cases)
        # Of the thread, and not of the program.
        with self.torch.inference_mode():
            result = self.compute(self.cases[case])
            # NaN agrees with nothing.
            self.agreed += ((result - self.expected[case]).abs().max() < TOLERANCE).to(self.torch.int32)
            self.checksum += result.abs().mean()

    def counted(self):
        # item() waits until the device is done.
        return int(self.agreed.item()), float(self.checksum.item())


def shares(torch, computes, cases, threads):
    """One share a thread. `computes`: for each thread what it computes; what is expected is computed here, in this one thread."""
    with torch.inference_mode():
        expected = {}
        for compute in computes:
            if compute not in expected:
                expected[compute] = [compute(case).clone() for case in cases]
        if cases[0].device.type == "mps":
            torch.mps.synchronize()
    return [Share(torch, computes[number], cases, expected[computes[number]], number) for number in range(threads)]


def words(name, torch, device):
    """The first words of what is printed."""
    return "%s on %s (torch %s)" % (name, device.type, torch.__version__)
