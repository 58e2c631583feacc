// A driver's compute and blit contexts with the published tail of `destroyImpl`, and variants of it.
//
// The tail is the published one, instruction for instruction, from the branch to the store. What stands before
// and behind it is not published: it is made so that the tail has the registers that it uses. The free list is
// that of the published offset: pointers from 0x1a68, here eight, their count before them, the lock behind them.
//
// START: where in the section the compute context's method is to stand. STUBS: whether the stubs of `free` and of the
// unlocking are written here, to stand at FREE and UNLOCK; their pointers are in `pointers.s` then.

.macro enter
  PROLOGUE
  stp x26, x25, [sp, #-80]!
  stp x24, x23, [sp, #16]
  stp x22, x21, [sp, #32]
  stp x20, x19, [sp, #48]
  stp x29, x30, [sp, #64]
  add x29, sp, #64
.endm

.macro leave
  ldp x29, x30, [sp, #64]
  ldp x20, x19, [sp, #48]
  ldp x22, x21, [sp, #32]
  ldp x24, x23, [sp, #16]
  ldp x26, x25, [sp], #80
  RETURN
.endm

// What stands before the branch: x19 the object, x20 its `_impl`, x24 the variable's offset, x25 and x21 the lock's address.
.macro locked ivar
  enter
  mov x19, x0
  adrp x8, \ivar@PAGE
  ldrsw x24, [x8, \ivar@PAGEOFF]
  ldr x20, [x19, x24]
  adrp x25, _pool@PAGE
  add x25, x25, _pool@PAGEOFF
  mov w21, #0x1aa8
  add x0, x25, x21
  bl _os_unfair_lock_lock
  ldr w8, [x25, #0x1a60]
.ifdef BRANCH_INSIDE
  cbz w8, 3f
.endif
  cmp w8, #7
.endm

.macro race_tail
  b.hi 2f
  add w10, w8, #1
  str w10, [x25, #0x1a60]
  add x9, x25, x8, lsl #3
  str x20, [x9, #0x1a68]
  add x0, x25, x21
3:
  bl _os_unfair_lock_unlock
  b 4f
2:
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  mov x0, x20
  bl _free
4:
  str xzr, [x19, x24]
.endm

// The store stands before the unlock already, once for both paths.
.macro sound_tail
  str xzr, [x19, x24]
  b.hi 2f
  add w10, w8, #1
  str w10, [x25, #0x1a60]
  add x9, x25, x8, lsl #3
  str x20, [x9, #0x1a68]
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  b 4f
2:
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  mov x0, x20
  bl _free
4:
.endm

.section __TEXT,__text,regular,pure_instructions
.p2align 2
.org START
"-[AGXG16XFamilyComputeContext destroyImpl]":
  locked "_OBJC_IVAR_$_AGXG16XFamilyComputeContext._impl"
.ifdef SOUND
  sound_tail
.else
  race_tail
.endif
.ifdef POINTER_LIVE
  mov x0, x20
.endif
.ifdef FLAGS_LIVE
  cset w0, hi
.endif
  leave

.globl _compute_destroy
.set _compute_destroy, "-[AGXG16XFamilyComputeContext destroyImpl]"

"-[AGXG16XFamilyBlitContext destroyImpl]":
  locked "_OBJC_IVAR_$_AGXG16XFamilyBlitContext._impl"
.ifdef BLIT_SOUND
  sound_tail
.else
  race_tail
.endif
  leave

.globl _compute_set
.set _compute_set, "-[AGXG16XFamilyComputeContext setComputePipelineState:]"

// Reads `_impl` as `setComputePipelineState:` does: no lock, no test.
"-[AGXG16XFamilyComputeContext setComputePipelineState:]":
  adrp x8, "_OBJC_IVAR_$_AGXG16XFamilyComputeContext._impl"@PAGE
  ldrsw x8, [x8, "_OBJC_IVAR_$_AGXG16XFamilyComputeContext._impl"@PAGEOFF]
  ldr x8, [x0, x8]
  str x2, [x8, #0x5c8]
  ret

.ifdef STUBS
.org FREE
_free:
  adrp x16, _free_pointer@PAGE
  ldr x16, [x16, _free_pointer@PAGEOFF]
  br x16
.org UNLOCK
_os_unfair_lock_unlock:
  adrp x16, _unlock_pointer@PAGE
  ldr x16, [x16, _unlock_pointer@PAGEOFF]
  br x16
.endif

.section __DATA,__data
.p2align 3
.globl _pool
_pool:
  .zero 0x1ab0

.macro class name, methods, ivar
.section __TEXT,__objc_classname,cstring_literals
l_name_\name: .asciz "\name"
.section __DATA,__objc_const
.p2align 3
l_ivars_\name:
  .long 32, 1
  .quad \ivar, l_impl, l_pointer
  .long 3, 8
.p2align 3
l_ro_\name:
  .long 0, 16, 24, 0
  .quad 0, l_name_\name, \methods, 0, l_ivars_\name, 0, 0
.p2align 3
l_meta_ro_\name:
  .long 1, 40, 40, 0
  .quad 0, l_name_\name, 0, 0, 0, 0, 0
.section __DATA,__objc_ivar
.p2align 2
.globl \ivar
\ivar: .long 16
.section __DATA,__objc_data
.p2align 3
l_class_\name:
  .quad l_meta_\name, "_OBJC_CLASS_$_NSObject", __objc_empty_cache, 0, l_ro_\name
l_meta_\name:
  .quad "_OBJC_METACLASS_$_NSObject", "_OBJC_METACLASS_$_NSObject", __objc_empty_cache, 0, l_meta_ro_\name
.section __DATA,__objc_classlist,regular,no_dead_strip
.p2align 3
  .quad l_class_\name
.endm

.section __TEXT,__objc_methname,cstring_literals
l_destroy: .asciz "destroyImpl"
l_set: .asciz "setComputePipelineState:"
l_impl: .asciz "_impl"
.section __TEXT,__objc_methtype,cstring_literals
l_v: .asciz "v16@0:8"
l_v_at: .asciz "v24@0:8@16"
l_pointer: .asciz "^v"
.section __DATA,__objc_const
.p2align 3
l_compute_methods:
  .long 24, 2
  .quad l_destroy, l_v, "-[AGXG16XFamilyComputeContext destroyImpl]"
  .quad l_set, l_v_at, "-[AGXG16XFamilyComputeContext setComputePipelineState:]"
.p2align 3
l_blit_methods:
  .long 24, 1
  .quad l_destroy, l_v, "-[AGXG16XFamilyBlitContext destroyImpl]"
.ifdef SHARED
l_shared_methods:
  .long 24, 1
  .quad l_destroy, l_v, "-[AGXG16XFamilyBlitContext destroyImpl]"
class AGXG16XFamilyCopyContext, l_shared_methods, "_OBJC_IVAR_$_AGXG16XFamilyCopyContext._impl"
.endif
class AGXG16XFamilyComputeContext, l_compute_methods, "_OBJC_IVAR_$_AGXG16XFamilyComputeContext._impl"
class AGXG16XFamilyBlitContext, l_blit_methods, "_OBJC_IVAR_$_AGXG16XFamilyBlitContext._impl"
.section __DATA,__objc_imageinfo,regular,no_dead_strip
.long 0, 64
