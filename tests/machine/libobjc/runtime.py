"""The runtime itself: registering classes, first messages, sending.

Modelled on objc4 (objc-runtime-new.mm, objc-initialize.mm): who takes the runtime lock, when a class is initialised, and
when the callbacks of `_objc_addWillInitializeClassFunc` and `objc_addLoadImageFunc` come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from .classes import CLASS_SIZE, INITIALISED, INITIALISING, METHOD_SIZE, POINTER, Class, Ivar, Method
from .lock import RuntimeLock
from .objects import CLASS_MASK, Objects

if TYPE_CHECKING:
    from machine.abi_arm64 import Result
    from machine.process import Process
    from machine.threads import Thread

MethodSpec = tuple[str, str, int]
"""Selector, type encoding, code."""


class Runtime:
    """libobjc of one process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lock = RuntimeLock(process)
        self.objects = Objects(process, self)
        self.announces = True
        """Whether callbacks of `_objc_addWillInitializeClassFunc` are called."""
        self._classes: dict[str, Class] = {}
        self._by_address: dict[int, Class] = {}
        self._methods: dict[int, Method] = {}
        self._ivars: dict[int, Ivar] = {}
        self._selectors: dict[str, int] = {}
        self._selector_names: dict[int, str] = {}
        self._protocols: dict[str, int] = {}
        self._protocol_names: dict[int, str] = {}
        self._strings: dict[str, int] = {}
        self._will_initialise: list[tuple[int, int]] = []
        self._load_image: list[int] = []
        self._announcing: dict[Thread, list[Class]] = {}

    # Names

    def string(self, text: str) -> int:
        """A C string that stays, one for each text."""
        if text not in self._strings:
            self._strings[text] = self.process.memory.put_cstring(text)
        return self._strings[text]

    def selector(self, name: str) -> int:
        """`sel_registerName`: as on a Mac, the address of the name."""
        if name not in self._selectors:
            self._selectors[name] = address = self.string(name)
            self._selector_names[address] = name
        return self._selectors[name]

    def selector_name(self, selector: int) -> str:
        """`sel_getName`."""
        if selector not in self._selector_names:
            self.process.contract(f"{selector:#x} is used as a selector and is none")
        return self._selector_names[selector]

    def protocol(self, name: str) -> int:
        """Declares a protocol; its address."""
        if name not in self._protocols:
            self._protocols[name] = address = self.process.memory.alloc(POINTER * 4)
            self._protocol_names[address] = name
        return self._protocols[name]

    def find_protocol(self, name: str) -> int:
        """`objc_getProtocol`: 0 for one that nobody declared."""
        return self._protocols.get(name, 0)

    def protocol_name(self, protocol: int) -> str:
        """The name of a protocol that was declared."""
        if protocol not in self._protocol_names:
            self.process.contract(f"{protocol:#x} is used as a protocol and is none")
        return self._protocol_names[protocol]

    # Classes

    def define(
        self,
        name: str,
        superclass: str | None,
        methods: Iterable[MethodSpec] = (),
        *,
        ivars: Sequence[str] = (),
        class_methods: Iterable[MethodSpec] = (),
        protocols: Iterable[str] = (),
    ) -> Class:
        """Registers a class, as mapping an image does. Its instance variables are of a word each, behind the superclass's."""
        if name in self._classes:
            raise ValueError(f"class {name} is defined already")
        above = self._classes[superclass] if superclass else None
        root = next(reversed(list(above.lineage()))) if above else None
        meta = self._block(name, above.metaclass if above else None, is_meta=True, size=CLASS_SIZE)
        cls = self._block(name, above, is_meta=False, size=above.size if above else POINTER)
        cls.metaclass = meta
        meta.metaclass = root.metaclass if root else meta
        if above is None:
            meta.superclass = cls
        for ivar in ivars:
            cls.ivars[ivar] = found = Ivar(ivar, cls.size, self.process.memory.alloc(POINTER * 4))
            self._ivars[found.address] = found
            cls.size += POINTER
        cls.protocols.update(protocols)
        for protocol in protocols:
            self.protocol(protocol)
        for it, list_ in ((cls, methods), (meta, class_methods)):
            it.write_head()
            for selector, encoding, code in list_:
                self.add_method(it, selector, encoding, code)
        self._classes[name] = cls
        return cls

    def _block(self, name: str, superclass: Class | None, *, is_meta: bool, size: int) -> Class:
        memory = self.process.memory
        address = memory.alloc(CLASS_SIZE, 16)
        if address & ~CLASS_MASK:
            raise ValueError(f"a class at {address:#x} does not fit into an isa")
        memory.write(address, bytes(CLASS_SIZE))
        cls = Class(name, superclass, is_meta, address, size, memory)
        self._by_address[address] = cls
        return cls

    def add_method(self, cls: Class, selector: str, encoding: str, code: int) -> Method:
        """A new method in a class's own list."""
        memory = self.process.memory
        method = Method(cls, selector, encoding, memory.alloc(METHOD_SIZE), memory)
        method.implementation = code
        self.selector(selector)
        cls.methods[selector] = method
        self._methods[method.address] = method
        return method

    def cls(self, name: str) -> Class:
        """A class by its name."""
        return self._classes[name]

    def find_class(self, name: str) -> Class | None:
        """A class by its name, if there is one."""
        return self._classes.get(name)

    def class_at(self, address: int) -> Class | None:
        """The class or metaclass at an address, if there is one."""
        return self._by_address.get(address)

    def need_class(self, address: int, asked_by: str) -> Class:
        """The class at an address that emulated code says is one."""
        cls = self._by_address.get(address)
        if cls is None:
            self.process.contract(f"{asked_by}: {address:#x} is no class")
        return cls

    def need_method(self, address: int, asked_by: str) -> Method:
        """The method at an address that emulated code says is one."""
        if address not in self._methods:
            self.process.contract(f"{asked_by}: {address:#x} is no method")
        return self._methods[address]

    def need_ivar(self, address: int, asked_by: str) -> Ivar:
        """The instance variable at an address that emulated code says is one."""
        if address not in self._ivars:
            self.process.contract(f"{asked_by}: {address:#x} is no instance variable")
        return self._ivars[address]

    def classes(self) -> list[Class]:
        """All classes, in the order in which they were registered."""
        return list(self._classes.values())

    # Images

    def load_image(self, name: str, define: Callable[[], None]) -> int:
        """Loads an image with classes: its header.

        dyld's own callbacks come before the runtime has mapped its classes; those of `objc_addLoadImageFunc` after that,
        with the runtime lock held.
        """
        header = self.process.load_image(name)
        with self.lock.held(f"map_images of {name}"):
            define()
        for callback in list(self._load_image):
            with self.lock.held("a callback of objc_addLoadImageFunc"):
                self.process.call(callback, header)
        return header

    def add_load_image(self, callback: int) -> None:
        """`objc_addLoadImageFunc`."""
        self._load_image.append(callback)

    @property
    def load_image_callbacks(self) -> tuple[int, ...]:
        """What was registered with `objc_addLoadImageFunc`."""
        return tuple(self._load_image)

    # First messages

    def add_will_initialise(self, callback: int, context: int) -> None:
        """`_objc_addWillInitializeClassFunc`: at once for what is initialised, or about to be."""
        self._will_initialise.append((callback, context))
        for cls in self.classes():
            if cls.stage != 0:
                self._announce(callback, context, cls)

    def _announce(self, callback: int, context: int, cls: Class) -> None:
        if self.lock.is_mine:
            self.process.contract(f"will-initialise callback for {cls.name} with the runtime lock held")
        announcing = self._announcing.setdefault(self.process.thread, [])
        announcing.append(cls)
        self.process.call(callback, context, cls.address)
        announcing.pop()

    def initialise(self, cls: Class) -> None:
        """`initializeNonMetaClass`: superclass first, then the callbacks, then `+initialize`, by one thread."""
        if cls.stage == INITIALISED:
            return
        if cls.superclass is not None:
            self.initialise(cls.superclass)
        if cls.stage == INITIALISING:
            if cls.initialiser != self.process.thread:
                self.process.block_until(lambda: cls.stage == INITIALISED, what=f"+[{cls.name} initialize]")
            return
        if cls in self._announcing.get(self.process.thread, []):
            self.process.contract(f"{cls.name} gets a message from its own will-initialise callback")
        cls.stage = INITIALISING
        cls.initialiser = self.process.thread
        # Not in the child of a multithreaded fork (`performForkChildInitialize`), which a program with a GPU's threads has.
        if self.announces and not self.process.is_forked_child:
            for callback, context in list(self._will_initialise):
                self._announce(callback, context, cls)
        meta = cls.metaclass
        initialize = meta.method("initialize") if meta else None
        if initialize is not None:
            self.process.call(initialize.implementation, cls.address, self.selector("initialize"))
        cls.stage = INITIALISED
        cls.initialiser = None

    # Messages

    def lookup(self, receiver: int, selector: str) -> Method | None:
        """The method that a message runs, its class initialised; None if the receiver does not respond.

        A class that is being announced may be looked at and changed, but not messaged.
        """
        cls = self.objects.class_of(receiver, f"objc_msgSend({selector})")
        messaged = self.class_at(receiver) or cls
        if messaged in self._announcing.get(self.process.thread, []):
            self.process.contract(f"{selector} is sent to {messaged.name} from its will-initialise callback")
        if self.lock.is_mine:
            self.process.contract(f"objc_msgSend({selector}) with the runtime lock held")
        self.initialise(messaged)
        return cls.method(selector)

    def target(self, receiver: int, selector: str) -> tuple[int, int]:
        """Receiver and code of a message, forwarded if need be."""
        method = self.lookup(receiver, selector)
        if method is not None:
            return receiver, method.implementation
        forward = self.lookup(receiver, "forwardingTargetForSelector:")
        if forward is not None:
            to = self.process.call(
                forward.implementation, receiver, self.selector("forwardingTargetForSelector:"), self.selector(selector)
            ).x0
            if to not in (0, receiver):
                return self.target(to, selector)
        name = self.objects.class_of(receiver, "objc_msgSend").name
        return self.process.contract(f"{name} {receiver:#x}: unrecognized selector {selector}")

    def send(self, receiver: int, selector: str, *arguments: object, indirect: int | None = None) -> Result:
        """`objc_msgSend`. Another thread may go on first, as at every import."""
        self.process.switch()
        if receiver == 0:
            raise ValueError(f"{selector} to nil: a test sends that by mistake")
        to, code = self.target(receiver, selector)
        return self.process.call(code, to, self.selector(selector), *arguments, indirect=indirect)

    def new(self, name: str) -> int:
        """`[[name alloc] init]`, which initialises the class."""
        made = self.send(self.cls(name).address, "alloc").x0
        return self.send(made, "init").x0

    # fork, and going back to a checkpoint

    def saved(self) -> tuple[object, ...]:
        """A copy of what does not stand in emulated memory."""
        names = (self._selectors, self._selector_names, self._protocols, self._protocol_names, self._strings)
        tables = (self._classes, self._by_address, self._methods, self._ivars, *names)
        methods = [(cls, dict(cls.methods)) for cls in self._by_address.values()]
        callbacks = (list(self._will_initialise), list(self._load_image), self.announces)
        return tuple(dict(it) for it in tables), methods, callbacks, self.objects.saved()

    def restore(self, saved: tuple[object, ...]) -> None:
        """Back to what `saved` returned, which is not consumed."""
        tables, methods, callbacks, objects = saved
        self._classes, self._by_address, self._methods, self._ivars, *names = (dict(it) for it in tables)  # type: ignore[attr-defined]
        self._selectors, self._selector_names, self._protocols, self._protocol_names, self._strings = names
        for cls, list_ in methods:  # type: ignore[attr-defined]
            cls.methods = dict(list_)
        will_initialise, load_image, self.announces = callbacks  # type: ignore[misc]
        self._will_initialise, self._load_image = list(will_initialise), list(load_image)
        self.objects.restore(objects)  # type: ignore[arg-type]
