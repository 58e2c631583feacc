"""Does to the driver what some published fix does, through the Objective-C runtime: `sabotage.py DRIVER KIND`. Prints a number."""

import ctypes
import os
import sys

POINTER, WORD = ctypes.c_void_p, ctypes.c_uint64
driver = ctypes.CDLL(sys.argv[1])


def function(name, result, *arguments):
    found = getattr(driver, name)
    found.restype, found.argtypes = result, arguments
    return found


look_up_class = function("objc_lookUpClass", POINTER, ctypes.c_char_p)
selector = function("sel_registerName", POINTER, ctypes.c_char_p)
method_of = function("class_getInstanceMethod", POINTER, POINTER, POINTER)
implementation_of = function("method_getImplementation", POINTER, POINTER)
implement = function("method_setImplementation", POINTER, POINTER, POINTER)
call = {
    name: function(f"agx_rehearsal_{name}", result, *arguments)
    for name, result, arguments in [
        ("set_fault", ctypes.c_int, [ctypes.c_char_p]),
        ("device_create", POINTER, []),
        ("queue_create", POINTER, [POINTER]),
        ("pipeline_create", POINTER, [POINTER, WORD]),
        ("buffer_create", POINTER, [POINTER, ctypes.c_size_t]),
        ("submit", None, [POINTER, POINTER, POINTER] + 3 * [ctypes.c_uint32]),
        ("command_buffer", POINTER, [POINTER]),
        ("compute_encoder", POINTER, [POINTER]),
        ("blit_encoder", POINTER, [POINTER]),
        ("tools_command_buffer", POINTER, [POINTER]),
        ("tools_compute_encoder", POINTER, [POINTER]),
        ("encoder", POINTER, [POINTER, ctypes.c_int]),
        ("work", None, [POINTER, ctypes.c_int, POINTER, POINTER, ctypes.c_uint32]),
        ("update_fence", None, [POINTER, POINTER]),
        ("end_encoding", None, [POINTER]),
        ("commit", None, [POINTER]),
        ("wait", None, [POINTER]),
        ("retain", POINTER, [POINTER]),
        ("release", None, [POINTER]),
        ("checksum", WORD, []),
        ("live_encoders", ctypes.c_int64, []),
    ]
}


class Config(ctypes.Structure):
    """EncoderComputeServiceConfig."""

    _fields_ = [
        ("objects", POINTER * 3),
        ("number", ctypes.c_int),
        ("object", POINTER),
        ("numbers", ctypes.c_int * 2),
        ("flags", ctypes.c_bool * 2),
    ]


def send(receiver, name, *arguments):
    """Sends a message that returns an object; arguments are pairs of a type and a value."""
    types = [POINTER, POINTER] + [kind for kind, _ in arguments]
    values = [value for _, value in arguments]
    if hasattr(driver, "objc_msg_lookup"):  # GCC's runtime: look-up and call are two steps
        address = function("objc_msg_lookup", POINTER, POINTER, POINTER)(receiver, selector(name))
    else:
        address = ctypes.cast(driver.objc_msgSend, POINTER).value
    return ctypes.CFUNCTYPE(POINTER, *types)(address)(receiver, selector(name), *values)


NIL, INFO = (POINTER, None), [(POINTER, None), (WORD, 0)]
# Every method of the dump that a command buffer has and that returns an encoder.
FACTORIES = {
    b"computeCommandEncoder": [],
    b"computeCommandEncoderWithConfig:": [(Config, Config())],
    b"computeCommandEncoderWithDescriptor:": [NIL],
    b"computeCommandEncoderWithDispatchType:": [(WORD, 0)],
    b"computeCommandEncoderWithDispatchType:substreamCount:": [(WORD, 0), (ctypes.c_uint, 1)],
    b"blitCommandEncoder": [],
    b"blitCommandEncoderCommon:": [NIL],
    b"blitCommandEncoderWithDescriptor:": [NIL],
    b"renderCommandEncoderWithDescriptor:": [NIL],
    b"subRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:": [NIL, (WORD, 0), NIL],
    b"parallelRenderCommandEncoderWithDescriptor:": [NIL],
    b"resourceStateCommandEncoder": [],
    b"resourceStateCommandEncoderWithDescriptor:": [NIL],
    b"accelerationStructureCommandEncoder": [],
    b"accelerationStructureCommandEncoderWithDescriptor:": [NIL],
    b"_accelerationStructureCommandEncoderWithDescriptor:": [NIL],
    b"sampledComputeCommandEncoderWithConfig:programInfoBuffer:capacity:": [(Config, Config())] + INFO,
    b"sampledComputeCommandEncoderWithDescriptor:programInfoBuffer:capacity:": [NIL] + INFO,
    b"sampledComputeCommandEncoderWithDispatchType:programInfoBuffer:capacity:": [(WORD, 0)] + INFO,
    b"sampledComputeCommandEncoderWithProgramInfoBuffer:capacity:": INFO,
    b"sampledRenderCommandEncoderWithDescriptor:programInfoBuffer:capacity:": [NIL] + INFO,
    b"sampledSubRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:": [
        NIL,
        (WORD, 0),
        NIL,
    ]
    + INFO,
    b"progressTrackingBlitCommandEncoder": [],
    b"progressTrackingComputeCommandEncoder": [],
    b"progressTrackingRenderCommandEncoder": [],
}


def dumped_factories():
    """Methods of the dump's command buffer classes that return an object and are named for an encoder."""
    table = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "driver-classes.tsv")
    owner = ""
    with open(table, encoding="ascii") as lines:
        for line in lines:
            first, _, rest = line.rstrip("\n").partition("\t")
            name, _, encoding = rest.partition("\t")
            owner = first or owner
            wanted = "CommandEncoder" in name and not name.startswith("set") and encoding.startswith("@")
            if not first and wanted and owner in ("AGXG16XFamilyCommandBuffer", "_MTLCommandBuffer"):
                yield name.encode()


def every_factory(queue):
    """Each factory's encoder ends and gives everything back; prints factories that made none or are unknown here, and what is left."""
    made_none = [name for name in dumped_factories() if name not in FACTORIES]
    for name, arguments in FACTORIES.items():
        command_buffer = call["command_buffer"](queue)
        encoder = send(command_buffer, name, *arguments)
        if encoder:
            call["end_encoding"](encoder)
        else:
            made_none.append(name)
        call["commit"](command_buffer)
        call["wait"](command_buffer)
        call["release"](command_buffer)
    print(made_none, call["live_encoders"]())


def method(class_name, selector_name):
    """A class's method. A class gets its first message before it is changed, as it would from a program."""
    return method_of(look_up_class(class_name), selector(selector_name))


def once(queue, make, keep=False):
    """One command buffer with one encoder that updates a fence."""
    command_buffer = call["command_buffer"](queue)
    encoder = make(command_buffer)
    if keep:
        call["retain"](encoder)
    call["update_fence"](encoder, None)
    call["end_encoding"](encoder)
    call["commit"](command_buffer)
    call["wait"](command_buffer)
    call["release"](command_buffer)


def main():
    call["set_fault"](b"none")
    device = call["device_create"]()
    queue = call["queue_create"](device)
    kind = sys.argv[2]
    if kind == "blocked-destroy":
        nothing = ctypes.CFUNCTYPE(None, POINTER, POINTER)(lambda this, name: None)
        implement(method(b"AGXG16XFamilyComputeContext", b"destroyImpl"), ctypes.cast(nothing, POINTER))
        pipeline, buffer = call["pipeline_create"](device, 1), call["buffer_create"](device, 16)
        call["submit"](queue, pipeline, buffer, 0, 1, 1100)
        print(0)
    elif kind in ("right-fence", "wrong-fence"):
        if kind == "wrong-fence":
            compute = implementation_of(method(b"AGXG16XFamilyComputeContext", b"updateFence:"))
            implement(method(b"AGXG16XFamilyBlitContext", b"updateFence:"), compute)
        once(queue, call["blit_encoder"])
        print(call["checksum"]())
    elif kind == "factories":
        call["release"](call["command_buffer"](queue))  # a class gets its first message before it is asked for methods
        every_factory(queue)
    elif kind == "kinds":
        pipeline, buffer = call["pipeline_create"](device, 1), call["buffer_create"](device, 16)
        for number in range(150):
            command_buffer = call["command_buffer"](queue)
            for make in range(9):
                encoder = call["encoder"](command_buffer, make)
                call["work"](encoder, make, pipeline, buffer, number)
                call["end_encoding"](encoder)
            call["commit"](command_buffer)
            call["wait"](command_buffer)
            call["release"](command_buffer)
        call["release"](queue)
        call["release"](device)
        print(call["live_encoders"]())
    elif kind == "wrapped":
        command_buffer = call["tools_command_buffer"](queue)
        encoder = call["tools_compute_encoder"](command_buffer)
        call["update_fence"](encoder, None)
        call["end_encoding"](encoder)
        blit = call["blit_encoder"](command_buffer)
        call["update_fence"](blit, None)
        call["end_encoding"](blit)
        call["end_encoding"](call["encoder"](command_buffer, 2))
        call["commit"](command_buffer)
        call["wait"](command_buffer)
        for thing in (encoder, command_buffer, queue, device):
            call["release"](thing)
        print(call["checksum"](), call["live_encoders"]())
    else:
        for _ in range(3):
            once(queue, call["blit_encoder"], keep=kind == "kept")
        call["release"](queue)
        call["release"](device)
        print(call["live_encoders"]())


main()
