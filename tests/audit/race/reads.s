# Methods that load `_impl`, with and without a test. The comments give what is to be found, as the distance.

# Published of AGXMetalG16X 329.2: `_impl` is loaded, and 0x5c8 bytes behind it is read.
.p2align 2
"-[Context setComputePipelineState:]":
  adrp x8, "_OBJC_IVAR_$_Base._impl"@PAGE
  ldrsw x8, [x8, "_OBJC_IVAR_$_Base._impl"@PAGEOFF]
  ldr x8, [x0, x8]
  ldr x9, [x8, #0x5c8]            // 0x5c8, first
  str x2, [x8, #0x5d0]            // 0x5d0, a store, not first
  ret

# Tested by `cbz`: nothing.
.p2align 2
"-[Context tested]":
  ldr x8, [x0, #24]
  cbz x8, 1f
  ldr x9, [x8, #0x10]
1:
  ret

# Tested by `cmp` and `b.ne`, kept in a register over a call: nothing.
.p2align 2
"-[Context comparedAndKept]":
  enter
  stp x20, x19, [sp, #-0x20]!
  stp x29, x30, [sp, #0x10]
  ldr x20, [x0, #24]
  cmp x20, #0
  b.ne 1f
  b 2f
1:
  bl _use
  str wzr, [x20, #0x20]
2:
  ldp x29, x30, [sp, #0x10]
  ldp x20, x19, [sp], #0x20
  leave

# Only one of two ways tests.
.p2align 2
"-[Context testedOnOneWay:]":
  ldr x8, [x0, #24]
  cbz w2, 1f
  cbz x8, 2f
1:
  ldr x9, [x8, #0x30]             // 0x30, first
2:
  ret

# The object is kept on the stack; the test is of an older load.
.p2align 2
"-[Context loadsAgain]":
  enter
  sub sp, sp, #0x30
  stp x29, x30, [sp, #0x20]
  str x0, [sp, #0x8]
  ldr x8, [x0, #24]
  cbz x8, 1f
  bl _use
  ldr x0, [sp, #0x8]
  ldr x8, [x0, #24]
  ldr x9, [x8, #0x40]             // 0x40, first
1:
  ldp x29, x30, [sp, #0x20]
  add sp, sp, #0x30
  leave

# By way of a pointer to the offset, of an address behind `_impl`, of constants and of a vector register.
.p2align 2
"-[Context roundabout]":
  adrp x8, Lpointer@PAGE
  ldr x8, [x8, Lpointer@PAGEOFF]
  ldrsw x8, [x8]
  add x9, x0, x8
  ldr x10, [x9]
  add x11, x10, #2, lsl #12
  ldp q0, q1, [x11, #0x20]        // 0x2020, first
  mov w12, #0x9000
  str x2, [x10, x12]              // 0x9000, a store, not first
  ldr x13, [x10, x3]              // at a distance that is computed
  ret

# Of an object that is no parameter, in a function that is no method.
.p2align 2
_of_another:
  ldr x8, [x0, #0x20]
  adrp x9, "_OBJC_IVAR_$_Base._impl"@PAGE
  ldrsw x9, [x9, "_OBJC_IVAR_$_Base._impl"@PAGEOFF]
  ldr x8, [x8, x9]
  ldrb w0, [x8, #0x50]            // 0x50, first, not of self
  ret

# The same distances in an object of a class without `_impl`, and in a function: nothing.
.p2align 2
"-[Plain setComputePipelineState:]":
  ldr x8, [x0, #24]
  ldr x9, [x8, #0x60]
  ret
.p2align 2
_plain:
  ldr x8, [x0, #24]
  ldr x9, [x8, #0x60]
  ret

# A loop that goes on until it is NULL.
.p2align 2
"-[Context walks]":
  ldr x8, [x0, #24]
1:
  cbz x8, 2f
  ldr x8, [x8, #0x70]
  b 1b
2:
  ret

# By a table of a switch.
.p2align 2
"-[Context chooses:]":
  ldr x8, [x0, #24]
  adr x9, 1f
  add x9, x9, x2, lsl #3
  br x9
1:
  ldr x0, [x8, #0x80]             // 0x80, first
  ret
2:
  ldr x0, [x8, #0x88]             // 0x88, first
  ret

# Passed on to a function, and by that to another one.
.p2align 2
"-[Context passes:]":
  enter
  stp x29, x30, [sp, #-0x10]!
  ldr x8, [x0, #24]
  add x0, x8, #0x100
  bl _writes                      // 0x108, a store; 0x1a0
  ldp x29, x30, [sp], #0x10
  leave
.p2align 2
_writes:
  str w1, [x0, #8]
  add x1, x0, #0x20
  b _reads
.p2align 2
_reads:
  cbz x0, 1f                      // another parameter than the one that is passed on
  ldr x0, [x1, #0x80]
1:
  ret

# Passed on to a function that tests it, to one of another image, to a computed address: nothing.
.p2align 2
"-[Context passesTo:]":
  enter
  stp x20, x19, [sp, #-0x20]!
  stp x29, x30, [sp, #0x10]
  mov x19, x2
  ldr x20, [x0, #24]
  mov x0, x20
  bl _tests
  mov x0, x20
  bl _use
  mov x0, x20
  blr x19
  ldp x29, x30, [sp, #0x10]
  ldp x20, x19, [sp], #0x20
  leave
.p2align 2
_tests:
  cbz x0, 1f
  ldr x0, [x0, #0x90]
1:
  ret

# Calls itself with it.
.p2align 2
"-[Context recurs]":
  ldr x0, [x0, #24]
  b _again
.p2align 2
_again:
  ldr x1, [x0, #0xa0]             // 0xa0, first
  b _again

.section __DATA_CONST,__pointers
.p2align 3
Lpointer:
.quad "_OBJC_IVAR_$_Base._impl"
