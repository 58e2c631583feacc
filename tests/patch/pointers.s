// What the stubs load that `driver.s` has.
.section __DATA,__pointers
.p2align 3
.globl _free_pointer, _unlock_pointer
_free_pointer: .quad _free
_unlock_pointer: .quad _os_unfair_lock_unlock
