# A class as a compiler writes it. `return` and `send_bark` are macros of the processor, which the test puts before it.
.section __TEXT,__text,regular,pure_instructions
.p2align 2
"-[Dog bark]":
  return
.p2align 2
"+[Dog alloc]":
  return
.p2align 2
.globl _call
_call:
  send_bark
  return
.section __TEXT,__objc_classname,cstring_literals
l_name: .asciz "Dog"
.section __TEXT,__objc_methname,cstring_literals
l_bark: .asciz "bark"
l_alloc: .asciz "alloc"
l_impl: .asciz "_impl"
.section __TEXT,__objc_methtype,cstring_literals
l_v: .asciz "v16@0:8"
l_at: .asciz "@16@0:8"
l_ptr: .asciz "^v"
.section __DATA,__objc_const
.p2align 3
__OBJC_$_INSTANCE_METHODS_Dog:
  .long 24
  .long 1
  .quad l_bark, l_v, "-[Dog bark]"
.p2align 3
__OBJC_$_CLASS_METHODS_Dog:
  .long 24
  .long 1
  .quad l_alloc, l_at, "+[Dog alloc]"
.p2align 3
__OBJC_$_INSTANCE_VARIABLES_Dog:
  .long 32
  .long 1
  .quad "_OBJC_IVAR_$_Dog._impl", l_impl, l_ptr
  .long 3
  .long 8
.p2align 3
__OBJC_CLASS_RO_$_Dog:
  .long 0, 8, 16, 0
  .quad 0, l_name, __OBJC_$_INSTANCE_METHODS_Dog, 0, __OBJC_$_INSTANCE_VARIABLES_Dog, 0, 0
.p2align 3
__OBJC_METACLASS_RO_$_Dog:
  .long 1, 40, 40, 0
  .quad 0, l_name, __OBJC_$_CLASS_METHODS_Dog, 0, 0, 0, 0
.section __DATA,__objc_ivar
.p2align 2
.globl "_OBJC_IVAR_$_Dog._impl"
"_OBJC_IVAR_$_Dog._impl": .long 8
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
