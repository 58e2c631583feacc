"""The C functions that libobjc exports, served to emulated code. Which of them take the runtime lock is objc4's doing."""

# ruff: noqa: N802 - methods are named as the functions that they serve

from __future__ import annotations

from typing import TYPE_CHECKING

from .classes import INITIALISED, POINTER, Class
from .objects import CLASS_MASK, TAGGED
from .runtime import Runtime

if TYPE_CHECKING:
    from machine.process import Args, Jump, Process

ANNOUNCER = "__objc_addWillInitializeClassFunc"


def install(process: Process, *, announcer: bool = True, class_mask: bool = True) -> Runtime:
    """Gives a process its runtime, with `NSObject`.

    Without `announcer` there is no `_objc_addWillInitializeClassFunc`, without `class_mask` no `objc_debug_isa_class_mask`.
    """
    runtime = Runtime(process)
    functions = _Functions(runtime)
    for symbol, handler in functions.table().items():
        process.imports[symbol] = handler
    if announcer:
        process.imports[ANNOUNCER] = functions.add_will_initialise
    if class_mask:
        address = process.memory.alloc(POINTER)
        process.memory.put_u64(address, CLASS_MASK)
        process.data["_objc_debug_isa_class_mask"] = address
    _define_root(runtime)
    process.on_fork(runtime.saved, runtime.restore)
    return runtime


def _define_root(runtime: Runtime) -> None:
    process, objects = runtime.process, runtime.objects

    def alloc(_process: Process, a: Args) -> int:
        return objects.make(runtime.need_class(a.x(0), "+alloc"))

    def own(_process: Process, a: Args) -> int:
        return a.x(0)

    def destroy(_process: Process, a: Args) -> None:
        objects.destroy(a.x(0))

    def release(_process: Process, a: Args) -> None:
        objects.release(a.x(0))

    def responds(_process: Process, a: Args) -> int:
        cls = objects.class_of(a.x(0), "respondsToSelector:")
        return int(cls.method(runtime.selector_name(a.x(2))) is not None)

    handlers = {
        "init": ("@16@0:8", own),
        "self": ("@16@0:8", own),
        "class": ("#16@0:8", lambda _process, a: objects.class_of(a.x(0), "class").address),
        "retain": ("@16@0:8", lambda _process, a: objects.retain(a.x(0))),
        "release": ("v16@0:8", release),
        "autorelease": ("@16@0:8", lambda _process, a: objects.autorelease(a.x(0))),
        "retainCount": ("Q16@0:8", lambda _process, a: objects.count(a.x(0))),
        "dealloc": ("v16@0:8", destroy),
        "respondsToSelector:": ("c24@0:8:16", responds),
    }
    methods = [
        (selector, encoding, process.stub(f"-[NSObject {selector}]", handler))
        for selector, (encoding, handler) in handlers.items()
    ]
    made = process.stub("+[NSObject alloc]", alloc)
    runtime.define("NSObject", None, methods, class_methods=[("alloc", "@16@0:8", made)])


class _Functions:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._memory = runtime.process.memory

    def table(self) -> dict[str, object]:
        """Handlers by symbol: each public method of this class below `add_will_initialise` is the function of its name."""
        names = [
            name
            for name in vars(type(self))
            if name.startswith(("class_", "objc_", "method_", "sel_", "ivar_", "object_"))
        ]
        return {"_" + name: getattr(self, name) for name in names}

    def _class(self, address: int, by: str) -> Class:
        return self._runtime.need_class(address, by)

    def add_will_initialise(self, _process: Process, a: Args) -> None:
        self._runtime.add_will_initialise(a.x(0), a.x(1))

    # Without the lock

    def class_getName(self, _process: Process, a: Args) -> int:
        return self._runtime.string(self._class(a.x(0), "class_getName").name)

    def class_getSuperclass(self, _process: Process, a: Args) -> int:
        above = self._class(a.x(0), "class_getSuperclass").superclass
        return above.address if above else 0

    def class_getInstanceSize(self, _process: Process, a: Args) -> int:
        return self._class(a.x(0), "class_getInstanceSize").size

    def ivar_getOffset(self, _process: Process, a: Args) -> int:
        return self._runtime.need_ivar(a.x(0), "ivar_getOffset").offset

    def method_getName(self, _process: Process, a: Args) -> int:
        return self._runtime.selector(self._runtime.need_method(a.x(0), "method_getName").selector)

    def method_getImplementation(self, _process: Process, a: Args) -> int:
        return self._runtime.need_method(a.x(0), "method_getImplementation").implementation

    def method_getTypeEncoding(self, _process: Process, a: Args) -> int:
        return self._runtime.string(self._runtime.need_method(a.x(0), "method_getTypeEncoding").encoding)

    def sel_getName(self, _process: Process, a: Args) -> int:
        return self._runtime.string(self._runtime.selector_name(a.x(0)))

    def sel_registerName(self, _process: Process, a: Args) -> int:
        return self._runtime.selector(self._memory.cstring(a.x(0)))

    def object_getClass(self, _process: Process, a: Args) -> int:
        if a.x(0) == 0:
            return 0
        return self._runtime.objects.class_of(a.x(0), "object_getClass").address

    # With it

    def class_copyMethodList(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("class_copyMethodList"):
            methods = list(self._class(a.x(0), "class_copyMethodList").methods.values())
        if a.x(1):
            self._memory.write(a.x(1), len(methods).to_bytes(4, "little"))
        if not methods:
            return 0
        copied = self._memory.alloc((len(methods) + 1) * POINTER)
        for index, method in enumerate(methods):
            self._memory.put_u64(copied + index * POINTER, method.address)
        self._memory.put_u64(copied + len(methods) * POINTER, 0)
        return copied

    def class_getInstanceVariable(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("class_getInstanceVariable"):
            ivar = self._class(a.x(0), "class_getInstanceVariable").ivar(self._memory.cstring(a.x(1)))
        return ivar.address if ivar else 0

    def class_getInstanceMethod(self, process: Process, a: Args) -> int:
        """It does not initialise the class, but asks one that has no such method with `+resolveInstanceMethod:`."""
        cls, selector = self._class(a.x(0), "class_getInstanceMethod"), self._runtime.selector_name(a.x(1))
        with self._runtime.lock.held("class_getInstanceMethod"):
            method = cls.method(selector)
        if method is None and cls.stage != INITIALISED:
            process.contract(
                f"class_getInstanceMethod messages {cls.name}, which is not initialised: it has no {selector}"
            )
        return method.address if method else 0

    def class_getMethodImplementation(self, process: Process, a: Args) -> int:
        cls, selector = self._class(a.x(0), "class_getMethodImplementation"), self._runtime.selector_name(a.x(1))
        self._runtime.initialise(cls)
        method = cls.method(selector)
        if method is None:
            process.contract(f"class_getMethodImplementation of {cls.name} {selector} would be _objc_msgForward")
        return method.implementation

    def class_conformsToProtocol(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("class_conformsToProtocol"):
            cls = self._class(a.x(0), "class_conformsToProtocol")
            return int(self._runtime.protocol_name(a.x(1)) in cls.protocols)

    def objc_getProtocol(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("objc_getProtocol"):
            return self._runtime.find_protocol(self._memory.cstring(a.x(0)))

    def class_addMethod(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("class_addMethod"):
            cls, selector = self._class(a.x(0), "class_addMethod"), self._runtime.selector_name(a.x(1))
            if selector in cls.methods:
                return 0
            self._runtime.add_method(cls, selector, self._memory.cstring(a.x(3)), a.x(2))
            return 1

    def class_replaceMethod(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("class_replaceMethod"):
            cls, selector = self._class(a.x(0), "class_replaceMethod"), self._runtime.selector_name(a.x(1))
            method = cls.methods.get(selector)
            if method is None:
                self._runtime.add_method(cls, selector, self._memory.cstring(a.x(3)), a.x(2))
                return 0
            before, method.implementation = method.implementation, a.x(2)
            return before

    def method_setImplementation(self, process: Process, a: Args) -> int:
        with self._runtime.lock.held("method_setImplementation"):
            method = self._runtime.need_method(a.x(0), "method_setImplementation")
            if a.x(1) == 0:
                process.contract(f"method_setImplementation of {method} to NULL")
            before, method.implementation = method.implementation, a.x(1)
            return before

    def objc_getClass(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("objc_getClass"):
            cls = self._runtime.find_class(self._memory.cstring(a.x(0)))
        return cls.address if cls else 0

    def objc_getClassList(self, _process: Process, a: Args) -> int:
        with self._runtime.lock.held("objc_getClassList"):
            classes = self._runtime.classes()
        room = a.x(1) & 0x7FFF_FFFF if a.x(0) else 0
        for index, cls in enumerate(classes[:room]):
            self._memory.put_u64(a.x(0) + index * POINTER, cls.address)
        return len(classes)

    def objc_addLoadImageFunc(self, _process: Process, a: Args) -> None:
        self._runtime.add_load_image(a.x(0))

    # Objects

    def objc_msgSend(self, process: Process, a: Args) -> int | Jump:
        """The method goes on in its place, unless the message is forwarded."""
        receiver = a.x(0)
        if receiver == 0 or receiver & TAGGED:
            process.contract(f"objc_msgSend to {receiver:#x}, which is no object of this model")
        to, code = self._runtime.target(receiver, self._runtime.selector_name(a.x(1)))
        if to == receiver:
            return process.jump(code)
        return process.call(code, to, *(a.x(index) for index in range(1, 8))).x0

    def objc_retain(self, _process: Process, a: Args) -> int:
        return self._runtime.objects.retain(a.x(0))

    def objc_release(self, _process: Process, a: Args) -> None:
        self._runtime.objects.release(a.x(0))

    def objc_autorelease(self, _process: Process, a: Args) -> int:
        return self._runtime.objects.autorelease(a.x(0))

    def objc_autoreleasePoolPush(self, _process: Process, _a: Args) -> int:
        return self._runtime.objects.push_pool()

    def objc_autoreleasePoolPop(self, _process: Process, a: Args) -> None:
        self._runtime.objects.pop_pool(a.x(0))
