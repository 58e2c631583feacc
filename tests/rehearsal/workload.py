#!/usr/bin/env python3
"""A correct multi-threaded application of the rehearsal driver, in plain Python.

Each thread has its own command queue, command buffers and encoders, as Metal asks. ctypes lets go of the interpreter's lock
during each call, and a call does enough for the threads to meet in the driver. Exit code: 0 done, 2 usage or no driver, 3 work was lost.
"""

import argparse
import ctypes
import os
import sys
import threading

POINTER, WORD = ctypes.c_void_p, ctypes.c_uint64
MASK = (1 << 64) - 1
PIPELINE_TAG = 7
DISPATCHES = 64  # of one encoder
BUFFERS_OF_A_CALL = 50
THREADS_OF_A_DISPATCH = 64  # see agx_rehearsal.h

SIGNATURES = {
    "agx_rehearsal_set_seed": (None, [WORD]),
    "agx_rehearsal_set_fault": (ctypes.c_int, [ctypes.c_char_p]),
    "agx_rehearsal_device_create": (POINTER, []),
    "agx_rehearsal_queue_create": (POINTER, [POINTER]),
    "agx_rehearsal_pipeline_create": (POINTER, [POINTER, WORD]),
    "agx_rehearsal_buffer_create": (POINTER, [POINTER, ctypes.c_size_t]),
    "agx_rehearsal_submit": (None, [POINTER, POINTER, POINTER] + 3 * [ctypes.c_uint32]),
    "agx_rehearsal_executed": (WORD, []),
    "agx_rehearsal_checksum": (WORD, []),
}


class Unusable(Exception):
    """A one-line error that ends the program with code 2."""


def default_driver():
    """The driver named by AGX_REHEARSAL_DRIVER, else the newest one that cargo built in this source tree."""
    named = os.environ.get("AGX_REHEARSAL_DRIVER")
    if named:
        return named
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    suffix = "dylib" if sys.platform == "darwin" else "so"
    built = [os.path.join(root, "target", kind, f"libagx_rehearsal.{suffix}") for kind in ("debug", "release")]
    there = [path for path in built if os.path.exists(path)]
    return max(there, key=os.path.getmtime) if there else built[0]


def load(path):
    """Load the driver, as late and as locally as a program loads a framework."""
    if not os.path.exists(path):
        raise Unusable(f"no rehearsal driver at {path} (build it: cargo build -p agx-rehearsal, or give --driver)")
    try:
        driver = ctypes.CDLL(path)
    except OSError as error:
        raise Unusable(f"cannot load the rehearsal driver: {error}") from error
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(driver, name)
        function.restype, function.argtypes = result, arguments
    return driver


def work(driver, queue, pipeline, buffer, iterations):
    """One thread's share: `iterations` command buffers of one encoder each, a few in each foreign call."""
    for first in range(0, iterations, BUFFERS_OF_A_CALL):
        count = min(BUFFERS_OF_A_CALL, iterations - first)
        driver.agx_rehearsal_submit(queue, pipeline, buffer, first, DISPATCHES, count)


def expected_checksum(threads, iterations):
    """What the driver's checksum must be: tag * threads + offset + bytes, the last two both being the dispatch's number."""
    numbers = sum(2 * (first + step) for first in range(iterations) for step in range(DISPATCHES))
    return threads * (iterations * DISPATCHES * PIPELINE_TAG * THREADS_OF_A_DISPATCH + numbers) & MASK


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def main():
    parser = argparse.ArgumentParser(description="drive the rehearsal driver from Python threads")
    parser.add_argument("--threads", type=positive, default=8)
    parser.add_argument("--iterations", type=positive, default=800, help="command buffers of each thread")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", default="impl", help="a fault of the driver, or none")
    parser.add_argument("--driver", default=None, help="path of libagx_rehearsal")
    options = parser.parse_args()
    try:
        driver = load(options.driver or default_driver())
        if driver.agx_rehearsal_set_fault(os.fsencode(options.fault)) != 0:
            raise Unusable(f"the driver knows no fault {options.fault!r}")
        driver.agx_rehearsal_set_seed(options.seed & MASK)
        device = driver.agx_rehearsal_device_create()
        if not device:
            raise Unusable("the rehearsal driver has no device: its classes could not be registered")
    except Unusable as error:
        print(f"workload.py: {error}", file=sys.stderr)
        return 2
    pipeline = driver.agx_rehearsal_pipeline_create(device, PIPELINE_TAG)
    buffer = driver.agx_rehearsal_buffer_create(device, 4096)
    queues = [driver.agx_rehearsal_queue_create(device) for _ in range(options.threads)]
    threads = [
        threading.Thread(target=work, args=(driver, queue, pipeline, buffer, options.iterations)) for queue in queues
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = options.threads * options.iterations * DISPATCHES
    executed = driver.agx_rehearsal_executed()
    print(f"iterations={options.threads * options.iterations} dispatches asked={asked} executed={executed}", flush=True)
    if executed != asked or driver.agx_rehearsal_checksum() != expected_checksum(options.threads, options.iterations):
        print(f"workload.py: work was lost: {asked} dispatches asked, {executed} executed", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
