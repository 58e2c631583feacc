# A class whose method `bark` is reached past the runtime in every way, each from a function named after it.
.section __TEXT,__text,regular,pure_instructions
.p2align 2
"-[Dog bark]":
  ret
.p2align 2
"-[Dog calls]":
  bl "-[Dog bark]"
  ret
# In no list of methods.
.p2align 2
"-[Dog direct]":
  ret
.p2align 2
.globl _branches
_branches:
  b "-[Dog bark]"
.p2align 2
.globl _takes_address
_takes_address:
  adrp x0, "-[Dog bark]"@PAGE
  add x0, x0, "-[Dog bark]"@PAGEOFF
  ret
.p2align 2
.globl _loads_pointer
_loads_pointer:
  adrp x8, _table@PAGE
  ldr x0, [x8, _table@PAGEOFF]
  ret
.p2align 2
.globl _asks
_asks:
  b _class_getMethodImplementation
.p2align 2
.globl _sends
_sends:
  bl "_objc_msgSend$methodForSelector:"
  ret
# As it should be: through the runtime.
.p2align 2
.globl _harmless
_harmless:
  bl "_objc_msgSend$bark"
  b _harmless
.section __TEXT,__const
.p2align 2
.globl _distances
_distances:
  .long "-[Dog bark]" - _distances
.section __DATA,__const
.p2align 3
.globl _table
_table:
  .quad "-[Dog bark]"
.section __TEXT,__objc_classname,cstring_literals
l_name: .asciz "Dog"
.section __TEXT,__objc_methname,cstring_literals
l_bark: .asciz "bark"
l_calls: .asciz "calls"
.section __TEXT,__objc_methtype,cstring_literals
l_v: .asciz "v16@0:8"
.section __DATA,__objc_const
.p2align 3
__OBJC_$_INSTANCE_METHODS_Dog:
  .long 24
  .long 2
  .quad l_bark, l_v, "-[Dog bark]"
  .quad l_calls, l_v, "-[Dog calls]"
.p2align 3
__OBJC_CLASS_RO_$_Dog:
  .long 0, 8, 16, 0
  .quad 0, l_name, __OBJC_$_INSTANCE_METHODS_Dog, 0, 0, 0, 0
.p2align 3
__OBJC_METACLASS_RO_$_Dog:
  .long 1, 40, 40, 0
  .quad 0, l_name, 0, 0, 0, 0, 0
.section __DATA,__objc_data
.p2align 3
.globl "_OBJC_CLASS_$_Dog"
"_OBJC_CLASS_$_Dog":
  .quad "_OBJC_METACLASS_$_Dog", "_OBJC_CLASS_$_NSObject", __objc_empty_cache, 0, __OBJC_CLASS_RO_$_Dog
.globl "_OBJC_METACLASS_$_Dog"
"_OBJC_METACLASS_$_Dog":
  .quad "_OBJC_METACLASS_$_NSObject", "_OBJC_METACLASS_$_NSObject", __objc_empty_cache, 0, __OBJC_METACLASS_RO_$_Dog
.section __DATA,__objc_classlist,regular,no_dead_strip
.p2align 3
.quad "_OBJC_CLASS_$_Dog"
.section __DATA,__objc_imageinfo,regular,no_dead_strip
.long 0, 64
.subsections_via_symbols
