# What the classes share, and the instance variables of `Base`.
.section __DATA,__objc_imageinfo,regular,no_dead_strip
.long 0, 64
.section __TEXT,__objc_methname,cstring_literals
l_types: .asciz "v16@0:8"
l_pointer: .asciz "^v"
l_impl: .asciz "_impl"
.section __DATA,__objc_const
.p2align 3
l_ivars:
.long 32
.long 1
.quad "_OBJC_IVAR_$_Base._impl", l_impl, l_pointer
.long 3
.long 8
.section __DATA,__objc_ivar
.p2align 2
.globl "_OBJC_IVAR_$_Base._impl"
"_OBJC_IVAR_$_Base._impl": .long 24
