//! The registers of the thread that crashed, and the code it was executing.

use super::{Page, visible};
use crate::reports::model::{InstructionStream, Register, Thread, ThreadState};

/// Registers in a line.
const COLUMNS: usize = 4;

pub(super) fn write(page: &mut Page, index: usize, thread: &Thread) {
    if let Some(state) = &thread.state {
        match state.flavor.as_deref() {
            Some("ARM_THREAD_STATE64") => arm64(page, index, state),
            Some("x86_THREAD_STATE") => x86_64(page, index, state),
            flavor => other(page, index, flavor, state),
        }
        page.blank();
    }
    if let Some(code) = thread
        .instructions
        .as_ref()
        .filter(|code| !code.bytes.is_empty())
    {
        instructions(page, index, code);
        page.blank();
    }
}

fn arm64(page: &mut Page, index: usize, state: &ThreadState) {
    page.line(&format!(
        "Thread {index} crashed with ARM Thread State (64-bit):"
    ));
    let general = |register: &&Register| {
        let digits = register.name.strip_prefix('x');
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let numbered = state.registers.iter().filter(general);
    let linked = ["fp", "lr"]
        .into_iter()
        .filter_map(|name| state.register(name));
    let upper: Vec<_> = numbered.chain(linked).collect();
    for row in upper.chunks(COLUMNS) {
        for (column, register) in row.iter().enumerate() {
            arm64_register(page, column, &register.name, register.value);
        }
        page.blank();
    }
    arm64_register(page, 0, "sp", state.value("sp"));
    arm64_register(page, 1, "pc", state.value("pc"));
    let cpsr = state.value("cpsr").unwrap_or_default();
    page.put(format_args!(" cpsr: {cpsr:#010x}\n"));
    arm64_register(page, 0, "far", state.value("far"));
    let esr = state.value("esr").unwrap_or_default();
    page.put(format_args!("  esr: {esr:#010x}"));
    if let Some(description) = state
        .register("esr")
        .and_then(|esr| esr.description.as_ref())
    {
        page.put(format_args!(" {}", visible(description)));
    }
    page.blank();
}

fn arm64_register(page: &mut Page, column: usize, name: &str, value: Option<u64>) {
    let width = if column == 0 { 6 } else { 5 };
    let value = value.unwrap_or_default();
    page.put(format_args!("{name:>width$}: {value:#018x}"));
}

fn x86_64(page: &mut Page, index: usize, state: &ThreadState) {
    const NAMES: [&str; 19] = [
        "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15", "rip", "rflags", "cr2",
    ];
    page.line(&format!(
        "Thread {index} crashed with X86 Thread State (64-bit):"
    ));
    for row in NAMES.chunks(COLUMNS) {
        for name in row {
            let value = state.value(name).unwrap_or_default();
            let shown = if *name == "rflags" { "rfl" } else { name };
            page.put(format_args!("  {shown:>3}: {value:#018x}"));
        }
        page.blank();
    }
    page.line("  ");
    if let Some(cpu) = state.value("cpu") {
        page.line(&format!("Logical CPU:     {cpu}"));
    }
    if let Some(error) = state.value("err") {
        let description = state
            .register("trap")
            .and_then(|trap| trap.description.as_deref());
        let description = visible(description.unwrap_or_default());
        page.line(&format!("Error Code:      {error:#010x} {description}"));
    }
    if let Some(trap) = state.value("trap") {
        page.line(&format!("Trap Number:     {trap}"));
    }
}

/// A processor that no report was seen of: its registers as they come.
fn other(page: &mut Page, index: usize, flavor: Option<&str>, state: &ThreadState) {
    let flavor = visible(flavor.unwrap_or("thread state of an unnamed kind"));
    page.line(&format!("Thread {index} crashed with {flavor}:"));
    for row in state.registers.chunks(COLUMNS) {
        for register in row {
            let value = register.value.unwrap_or_default();
            page.put(format_args!(
                "  {:>6}: {value:#018x}",
                visible(&register.name)
            ));
        }
        page.blank();
    }
}

/// Sixteen bytes a line; the one that the program counter points to in brackets.
fn instructions(page: &mut Page, index: usize, code: &InstructionStream) {
    const ROW: usize = 16;
    page.line(&format!("Thread {index} instruction stream:"));
    for (number, row) in code.bytes.chunks(ROW).enumerate() {
        let marked = code
            .offset
            .and_then(|offset| offset.checked_sub(number * ROW))
            .filter(|offset| *offset < row.len());
        page.put(format_args!(" "));
        for (at, byte) in row.iter().enumerate() {
            if marked == Some(at) {
                page.put(format_args!("[{byte:02x}]"));
                continue;
            }
            // The bracket stands where the space would.
            let follows_mark = at > 0 && marked == Some(at - 1);
            let space = match at {
                _ if follows_mark => "",
                8 => "-",
                _ => " ",
            };
            page.put(format_args!("{space}{byte:02x}"));
        }
        let letters: String = row
            .iter()
            .map(|byte| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            })
            .collect();
        let arrow = if marked.is_some() { "\t<==" } else { "" };
        page.line(&format!("  {letters}{arrow}"));
    }
}
