# `destroyImpl` with the end that is published of AGXMetalG16X 329.2: the instructions from `b.hi` to the store of NULL
# and their registers are those, the rest is made to fit. Symbols that a test defines ask for another end:
# it has the same beginning.

.macro unlock_and_free
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  mov x0, x20
  bl _free
.endm

.p2align 2
"-[Context destroyImpl]":
  enter
  stp x26, x25, [sp, #-0x50]!
  stp x24, x23, [sp, #0x10]
  stp x22, x21, [sp, #0x20]
  stp x20, x19, [sp, #0x30]
  stp x29, x30, [sp, #0x40]
  add x29, sp, #0x40
  mov x19, x0
  adrp x8, "_OBJC_IVAR_$_Base._impl"@PAGE
  ldrsw x24, [x8, "_OBJC_IVAR_$_Base._impl"@PAGEOFF]
.ifdef by_number
  ldr x20, [x0, #24]
.else
  ldr x20, [x0, x24]
.endif
  ldr x25, [x0, #8]
  mov w21, #0x1a60
.ifdef no_lock
.else
  add x0, x25, x21
  bl _os_unfair_lock_lock
.endif
.ifdef stored_before_lock
  str xzr, [x19, x24]
.endif
.ifdef computed_branch
  adr x9, Ldone
  add x9, x9, x22
  br x9
.endif
.ifdef branch_in_function
  tbnz w22, #3, Lunlock
.endif
.ifdef branch_to_store
  cbnz x22, 1f
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  b Lstore
1:
.endif
  ldr w8, [x25, #0x1a64]
  cmp w8, #7
.ifdef cleared
  b.hi Lcleared
.else
.ifdef published_patch
  b.hi Lsecond_store
.else
  b.hi Lfull
.endif
.endif
  add w10, w8, #1
  str w10, [x25, #0x1a64]
  add x9, x25, w8, uxtw #3
.ifdef gives_another
  str x22, [x9, #0x1a68]
.else
  str x20, [x9, #0x1a68]
.endif

.ifdef cleared
  mov x20, xzr
Lcleared:
  str xzr, [x19, x24]
  unlock_and_free
  nop
  nop
.else
.ifdef published_patch
  str xzr, [x19, x24]
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  b Ldone
Lsecond_store:
  str xzr, [x19, x24]
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  nop
.else
.ifdef store_first
  str xzr, [x19, x24]
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  b Ldone
Lfull:
  str xzr, [x19, x24]
  unlock_and_free
.else
.ifdef mixed
  str xzr, [x19, x24]
  add x0, x25, x21
  bl _os_unfair_lock_unlock
  b Ldone
Lfull:
  unlock_and_free
  str xzr, [x19, x24]
.else
.ifdef lock_from_impl
  add x0, x20, x21
.else
  add x0, x25, x21
.endif
.ifdef no_lock
  nop
.else
.ifdef unlocks_otherwise
  bl _pthread_mutex_unlock
.else
  bl _os_unfair_lock_unlock
.endif
.endif
  b Lstore
Lfull:
.ifdef lock_from_impl
  add x0, x20, x21
.else
.ifdef other_argument
  add x0, x21, x25
.else
  add x0, x25, x21
.endif
.endif
Lunlock:
.ifdef no_lock
  nop
.else
  bl _os_unfair_lock_unlock
.endif
Lfree:
  mov x0, x20
  bl _free
Lstore:
.ifdef stored_before_lock
  nop
.else
.ifdef stores_other
  str x22, [x19, x24]
.else
.ifdef by_number
  str xzr, [x19, #24]
.else
  str xzr, [x19, x24]
.endif
.endif
.endif
.ifdef stores_twice
  str xzr, [x19, x24]
.endif
.endif
.endif
.endif
.endif
Ldone:
.ifdef impl_live
  cbz x20, Lleave
  nop
Lleave:
.endif
.ifdef released_by_register
  bl _objc_release_x20
.endif
.ifdef outlined
  bl _outlined
.endif
.ifdef proper_callee
  mov x0, x19
  bl _proper
.endif
.ifdef flags_live
  cset w8, hi
  str w8, [x19, #0x40]
.endif
  ldp x29, x30, [sp, #0x40]
  ldp x20, x19, [sp, #0x30]
  ldp x22, x21, [sp, #0x20]
  ldp x24, x23, [sp, #0x10]
  ldp x26, x25, [sp], #0x50
  leave

# Of a class that has no `_impl`: none of those that are looked for.
.p2align 2
"-[Plain destroyImpl]":
  str xzr, [x0, #24]
  ret

# A fragment, as an outliner makes it: it needs x20 of whoever calls it.
.p2align 2
_outlined:
  ldr x8, [x20]
  str x8, [x19, #0x48]
  ret

# A function that keeps x20 as the convention says.
.p2align 2
_proper:
  enter
  stp x20, x19, [sp, #-0x20]!
  stp x29, x30, [sp, #0x10]
  mov x20, x0
  bl _use
  mov x0, x20
  bl _use
  ldp x29, x30, [sp, #0x10]
  ldp x20, x19, [sp], #0x20
  leave

.p2align 2
_elsewhere:
.ifdef branch_from_elsewhere
  cbz x0, Lfree
.endif
.ifdef address_from_elsewhere
  adr x0, Lfree
.endif
.ifdef page_from_elsewhere
  adrp x0, Lfree@PAGE
  add x0, x0, Lfree@PAGEOFF
.endif
  ret

.ifdef pointer_into
.section __DATA,__const
.p2align 3
.quad Lfree
.endif
