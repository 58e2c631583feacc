//! Fast forwarding (`forwardingTargetForSelector:`) for GCC's runtime, which knows only the slow kind.
//!
//! The runtime asks `__objc_msg_forward2` what to call for a selector that a class does not implement. The answer is a
//! trampoline that keeps every argument register, asks the object for its stand-in, and jumps to the stand-in's method.
//! Methods that return a structure in memory are not forwarded: no class of this driver has one.

use super::{Id, Imp, Sel, forwarding_target, implementation};
use std::arch::naked_asm;
use std::sync::OnceLock;

type Hook = unsafe extern "C-unwind" fn(Id, Sel) -> Imp;

unsafe extern "C" {
    static mut __objc_msg_forward2: Option<Hook>;
}

static PREVIOUS: OnceLock<Option<Hook>> = OnceLock::new();

/// Installs the hook in front of whatever stands there.
pub fn install() {
    // SAFETY: called once, from the constructor, while the loader keeps other constructors out.
    unsafe {
        let hook = &raw mut __objc_msg_forward2;
        PREVIOUS.get_or_init(|| hook.read());
        hook.write(Some(choose));
    }
}

unsafe extern "C-unwind" fn choose(receiver: Id, selector: Sel) -> Imp {
    // SAFETY: the runtime looks a method up for a live receiver.
    unsafe {
        if !forwarding_target(receiver, selector).is_null() {
            return trampoline as *const () as Imp;
        }
        match PREVIOUS.get().copied().flatten() {
            Some(previous) => previous(receiver, selector),
            None => std::ptr::null(),
        }
    }
}

/// Who answers, and with what.
#[repr(C)]
struct Redirect {
    receiver: Id,
    imp: Imp,
}

unsafe extern "C-unwind" fn redirect(receiver: Id, selector: Sel) -> Redirect {
    // SAFETY: called by the trampoline with a message's own first arguments.
    unsafe {
        let target = forwarding_target(receiver, selector);
        Redirect {
            receiver: target,
            imp: implementation(target, selector),
        }
    }
}

/// System V: saves the six integer and eight vector argument registers and `al`, then replaces the receiver.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn trampoline() {
    naked_asm!(
        "push rbp", "mov rbp, rsp", "sub rsp, 192",
        "mov [rsp], rsi", "mov [rsp+8], rdx", "mov [rsp+16], rcx", "mov [rsp+24], r8", "mov [rsp+32], r9", "mov [rsp+40], rax",
        "movups [rsp+48], xmm0", "movups [rsp+64], xmm1", "movups [rsp+80], xmm2", "movups [rsp+96], xmm3",
        "movups [rsp+112], xmm4", "movups [rsp+128], xmm5", "movups [rsp+144], xmm6", "movups [rsp+160], xmm7",
        "call {redirect}",
        "mov rdi, rax", "mov r11, rdx",
        "mov rsi, [rsp]", "mov rdx, [rsp+8]", "mov rcx, [rsp+16]", "mov r8, [rsp+24]", "mov r9, [rsp+32]", "mov rax, [rsp+40]",
        "movups xmm0, [rsp+48]", "movups xmm1, [rsp+64]", "movups xmm2, [rsp+80]", "movups xmm3, [rsp+96]",
        "movups xmm4, [rsp+112]", "movups xmm5, [rsp+128]", "movups xmm6, [rsp+144]", "movups xmm7, [rsp+160]",
        "leave",
        "jmp r11",
        redirect = sym redirect,
    )
}

/// AAPCS64: saves x1 to x8 and q0 to q7, then replaces the receiver.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn trampoline() {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!", "mov x29, sp", "sub sp, sp, #192",
        "stp x1, x2, [sp]", "stp x3, x4, [sp, #16]", "stp x5, x6, [sp, #32]", "stp x7, x8, [sp, #48]",
        "stp q0, q1, [sp, #64]", "stp q2, q3, [sp, #96]", "stp q4, q5, [sp, #128]", "stp q6, q7, [sp, #160]",
        "bl {redirect}",
        "mov x16, x1",
        "ldp x1, x2, [sp]", "ldp x3, x4, [sp, #16]", "ldp x5, x6, [sp, #32]", "ldp x7, x8, [sp, #48]",
        "ldp q0, q1, [sp, #64]", "ldp q2, q3, [sp, #96]", "ldp q4, q5, [sp, #128]", "ldp q6, q7, [sp, #160]",
        "mov sp, x29", "ldp x29, x30, [sp], #16",
        "br x16",
        redirect = sym redirect,
    )
}
