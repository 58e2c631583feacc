#!/usr/bin/env python3
"""Lets the GPU do one thing, in plain Python: what a program needs that uses Metal, and no package.

Makes a device, a queue and a command buffer with a compute and a blit encoder; the blit encoder fills a buffer, whose bytes are
looked at. Prints one line of JSON: the device, the classes of its encoders, what became of the command buffer.

Exit codes: 0 done, 1 the GPU did something else, 77 there is no Metal device here.
"""

import ctypes
import json
import sys

POINTER, WORD, BYTE = ctypes.c_void_p, ctypes.c_ulong, ctypes.c_uint8
FRAMEWORK = "/System/Library/Frameworks/{0}.framework/{0}"
LENGTH, VALUE = 4096, 0x5A
COMPLETED = 4  # MTLCommandBufferStatusCompleted
SKIPPED = 77


class Range(ctypes.Structure):
    """NSRange."""

    _fields_ = [("location", WORD), ("length", WORD)]


class Runtime:
    """Objective-C through its C functions."""

    def __init__(self):
        self.library = ctypes.CDLL("/usr/lib/libobjc.A.dylib")
        self.selector = self.function("sel_registerName", POINTER, ctypes.c_char_p)
        self.class_name = self.function("object_getClassName", ctypes.c_char_p, POINTER)
        self.push = self.function("objc_autoreleasePoolPush", POINTER)
        self.pop = self.function("objc_autoreleasePoolPop", None, POINTER)

    def function(self, name, result, *arguments):
        """A function of the runtime by its type; `objc_msgSend` has one for each method."""
        return ctypes.CFUNCTYPE(result, *arguments)((name, self.library))

    def send(self, receiver, name, result=POINTER, *arguments):
        """Sends a message; each argument is a value of its C type."""
        types = [type(argument) for argument in arguments]
        function = self.function("objc_msgSend", result, POINTER, POINTER, *types)
        return function(receiver, self.selector(name.encode()), *arguments)


def find_device(runtime):
    """The system's device, or None. Without a window server there may be no default one, but one in the list of all."""
    # Without CoreGraphics in the process there is no default device (MTLCreateSystemDefaultDevice's documentation).
    ctypes.CDLL(FRAMEWORK.format("CoreGraphics"))
    metal = ctypes.CDLL(FRAMEWORK.format("Metal"))
    default = ctypes.CFUNCTYPE(POINTER)(("MTLCreateSystemDefaultDevice", metal))()
    if default:
        return default
    devices = ctypes.CFUNCTYPE(POINTER)(("MTLCopyAllDevices", metal))()
    return runtime.send(devices, "firstObject") if devices else None


def use(runtime, device):
    """One command buffer; what came of it."""
    name = runtime.send(runtime.send(device, "name"), "UTF8String", ctypes.c_char_p)
    queue = runtime.send(device, "newCommandQueue")
    # Options 0: memory that processor and GPU share.
    buffer = runtime.send(device, "newBufferWithLength:options:", POINTER, WORD(LENGTH), WORD(0))
    command_buffer = runtime.send(queue, "commandBuffer")
    classes = {"command_buffer": command_buffer}
    compute = classes["compute_encoder"] = runtime.send(command_buffer, "computeCommandEncoder")
    runtime.send(compute, "setBuffer:offset:atIndex:", None, POINTER(buffer), WORD(0), WORD(0))
    runtime.send(compute, "endEncoding", None)
    blit = classes["blit_encoder"] = runtime.send(command_buffer, "blitCommandEncoder")
    runtime.send(blit, "fillBuffer:range:value:", None, POINTER(buffer), Range(0, LENGTH), BYTE(VALUE))
    runtime.send(blit, "endEncoding", None)
    found = {role: runtime.class_name(thing).decode() for role, thing in classes.items()}
    runtime.send(command_buffer, "commit", None)
    runtime.send(command_buffer, "waitUntilCompleted", None)
    filled = ctypes.string_at(runtime.send(buffer, "contents"), LENGTH).count(VALUE)
    return {
        "device": name.decode(),
        "classes": found,
        "status": runtime.send(command_buffer, "status", WORD),
        "filled": filled,
        "length": LENGTH,
    }


def main():
    """Prints what there is."""
    if sys.platform != "darwin":
        print(f"metal_device: no Metal on {sys.platform}", file=sys.stderr)
        return SKIPPED
    runtime = Runtime()
    pool = runtime.push()
    device = find_device(runtime)
    if not device:
        print("metal_device: this machine has no Metal device", file=sys.stderr)
        return SKIPPED
    done = use(runtime, device)
    runtime.pop(pool)
    print(json.dumps(done))
    return 0 if (done["status"], done["filled"]) == (COMPLETED, LENGTH) else 1


if __name__ == "__main__":
    sys.exit(main())
