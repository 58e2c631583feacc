# The metadata of one class, as a compiler writes it. What stands in braces is put in by the test.
.section __TEXT,__objc_methname,cstring_literals
l_name_{class}: .asciz "{class}"
{selectors}
.section __DATA,__objc_const
.p2align 3
l_methods_{class}:
.long 24
.long {count}
{methods}
.p2align 3
l_of_class_{class}:
.long 0, 8, 32, 0
.quad 0, l_name_{class}, l_methods_{class}, 0, {ivars}, 0, 0
l_of_metaclass_{class}:
.long 1, 40, 40, 0
.quad 0, l_name_{class}, 0, 0, 0, 0, 0
.section __DATA,__objc_data
.p2align 3
.globl "_OBJC_CLASS_$_{class}"
"_OBJC_CLASS_$_{class}":
.quad "_OBJC_METACLASS_$_{class}", "_OBJC_CLASS_$_{superclass}", __objc_empty_cache, 0, l_of_class_{class}
.globl "_OBJC_METACLASS_$_{class}"
"_OBJC_METACLASS_$_{class}":
.quad "_OBJC_METACLASS_$_NSObject", "_OBJC_METACLASS_$_{superclass}", __objc_empty_cache, 0, l_of_metaclass_{class}
.section __DATA,__objc_classlist,regular,no_dead_strip
.p2align 3
.quad "_OBJC_CLASS_$_{class}"
