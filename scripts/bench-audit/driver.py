"""Writes a driver in assembly: the classes and methods of the class dump, with as much code as a real driver has.

    driver.py DUMP MEGABYTES >driver.s

What the methods do is made up. Each loads `_impl` and uses it, as the published disassembly has it; the rest are functions that form
addresses, branch and call others, as those of C++ do.
"""
import itertools
import sys

USES_IMPL = """\
  adrp x8, {ivar}@PAGE
  ldrsw x8, [x8, {ivar}@PAGEOFF]
  ldr x20, [x19, x8]
  ldr x9, [x20, #0x5c8]
  str x21, [x20, #0x5d0]
"""
BLOCK = """\
  adrp x0, _table@PAGE
  add x0, x0, _table@PAGEOFF
  mov x1, x22
  bl {callee}
  cbz x0, {label}
  ldp x10, x11, [x0]
  add x10, x10, x11
  stp x10, x11, [sp, #16]
  ldr q0, [x20, #64]
  str q0, [sp, #32]
  cmp x10, x22
  b.hi {label}
  sub w23, w23, #1
  ldrb w12, [x0, #9]
  orr w23, w23, w12
{label}:
"""
ENTRY = "  stp x29, x30, [sp, #-64]!\n  mov x19, x0\n"
EXIT = "  ldp x29, x30, [sp], #64\n  ret\n"
BLOCK_BYTES = 15 * 4
# As a method has, and a function of C++.
METHOD_BLOCKS, FUNCTION_BLOCKS = 8, 5


def classes(path):
    found = []
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("#") or not line:
            continue
        if line.startswith("\t"):
            selector, types = line[1:].split("\t")
            found[-1][2].append((selector, types))
        else:
            name, superclass, _ = line.split("\t")
            found.append((name, superclass, []))
    return [each for each in found if each[0].startswith("AGX")]


def main():
    dump, size = sys.argv[1], int(sys.argv[2]) * 1_000_000
    driver = classes(dump)
    out = sys.stdout.write
    out(".section __TEXT,__text,regular,pure_instructions\n")
    labels = itertools.count()

    def body(blocks):
        for number in range(blocks):
            callee = "_helper" if number % 2 else '"_objc_msgSend$label"'
            out(BLOCK.format(callee=callee, label=f"L{next(labels)}"))

    left = size
    for name, _, list_ in driver:
        for selector, _ in list_:
            out(f'.p2align 2\n"-[{name} {selector}]":\n' + ENTRY)
            out(USES_IMPL.format(ivar=f'"_OBJC_IVAR_$_{name}._impl"'))
            body(METHOD_BLOCKS)
            out(EXIT)
            left -= METHOD_BLOCKS * BLOCK_BYTES
    for number in range(left // (FUNCTION_BLOCKS * BLOCK_BYTES)):
        out(f".globl _function{number}\n.p2align 2\n_function{number}:\n" + ENTRY)
        body(FUNCTION_BLOCKS)
        out(EXIT)
    out(".globl _helper\n.p2align 2\n_helper:\n  ret\n")
    out(".section __DATA,__const\n.p2align 3\n.globl _table\n_table:\n")
    out(".rept 100000\n  .quad _helper\n.endr\n")
    out(".section __TEXT,__objc_methname,cstring_literals\n")
    selectors = sorted({selector for _, _, list_ in driver for selector, _ in list_})
    names = {selector: f"l_sel{number}" for number, selector in enumerate(selectors)}
    for selector, symbol in names.items():
        out(f'{symbol}: .asciz "{selector}"\n')
    out('l_impl: .asciz "_impl"\n.section __TEXT,__objc_methtype,cstring_literals\nl_pointer: .asciz "^v"\n')
    encodings = sorted({types for _, _, list_ in driver for _, types in list_})
    types_of = {types: f"l_type{number}" for number, types in enumerate(encodings)}
    for types, symbol in types_of.items():
        escaped = types.replace("\\", "\\\\").replace('"', '\\"')
        out(f'{symbol}: .asciz "{escaped}"\n')
    out(".section __TEXT,__objc_classname,cstring_literals\n")
    for name, _, _ in driver:
        out(f'l_name_{name}: .asciz "{name}"\n')
    out(".section __DATA,__objc_const\n")
    for name, _, list_ in driver:
        out(f".p2align 3\n__METHODS_{name}:\n  .long 24, {len(list_)}\n")
        for selector, types in list_:
            out(f'  .quad {names[selector]}, {types_of[types]}, "-[{name} {selector}]"\n')
        out(f'.p2align 3\n__IVARS_{name}:\n  .long 32, 1\n  .quad "_OBJC_IVAR_$_{name}._impl", l_impl, l_pointer\n  .long 3, 8\n')
        out(f".p2align 3\n__RO_{name}:\n  .long 0, 8, 16, 0\n  .quad 0, l_name_{name}, __METHODS_{name}, 0, __IVARS_{name}, 0, 0\n")
        out(f".p2align 3\n__METARO_{name}:\n  .long 1, 40, 40, 0\n  .quad 0, l_name_{name}, 0, 0, 0, 0, 0\n")
    out(".section __DATA,__objc_ivar\n.p2align 2\n")
    for name, _, _ in driver:
        out(f'.globl "_OBJC_IVAR_$_{name}._impl"\n"_OBJC_IVAR_$_{name}._impl": .long 8\n')
    out(".section __DATA,__objc_data\n.p2align 3\n")
    for name, superclass, _ in driver:
        out(f'.globl "_OBJC_CLASS_$_{name}"\n"_OBJC_CLASS_$_{name}":\n')
        out(f'  .quad "_OBJC_METACLASS_$_{name}", "_OBJC_CLASS_$_{superclass}", __objc_empty_cache, 0, __RO_{name}\n')
        out(f'.globl "_OBJC_METACLASS_$_{name}"\n"_OBJC_METACLASS_$_{name}":\n')
        out(f'  .quad "_OBJC_METACLASS_$_NSObject", "_OBJC_METACLASS_$_{superclass}", __objc_empty_cache, 0, __METARO_{name}\n')
    out(".section __DATA,__objc_classlist,regular,no_dead_strip\n.p2align 3\n")
    for name, _, _ in driver:
        out(f'.quad "_OBJC_CLASS_$_{name}"\n')
    out(".section __DATA,__objc_imageinfo,regular,no_dead_strip\n.long 0, 64\n.subsections_via_symbols\n")


main()
