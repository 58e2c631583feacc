//! Where a bad access went, from the fields that say so.

use serde::Serialize;

/// One bad access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The address, as the processor saw it.
    pub address: u64,
    /// The kernel suspects a failed pointer authentication. It says so of any address whose high
    /// bits are set, so that other memory corruption looks the same.
    pub pointer_authentication: bool,
    /// The address without its signature bits, where both are written: `0x… -> 0x…`.
    pub stripped: Option<u64>,
    /// Read, write or execute, where the report says.
    pub access: Option<Access>,
}

/// What the processor was doing with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

/// The fault, from the fields of one report.
///
/// The subtype says it best; then the region text; the codes only where the exception is an
/// access, as `EXC_BREAKPOINT` and `EXC_BAD_INSTRUCTION` put the program counter or an opcode there.
pub fn fault_of(
    kind: Option<&str>,
    subtype: Option<&str>,
    vm_region_info: Option<&str>,
    codes: Option<&str>,
    description: Option<&str>,
) -> Option<Fault> {
    let access = description.and_then(access_of);
    let is_access = matches!(kind, Some("EXC_BAD_ACCESS" | "SIGSEGV" | "SIGBUS"));
    // KSCrash writes `0x00000000 at 0x…` under an abort, where it means the program counter.
    let subtype = subtype.filter(|text| is_access || text.starts_with("KERN_"));
    if let Some(fault) = subtype.and_then(from_subtype) {
        return Some(Fault { access, ..fault });
    }
    if !is_access {
        return None;
    }
    let address = vm_region_info
        .and_then(from_region_info)
        .or_else(|| codes.and_then(second_code));
    address.map(|address| Fault {
        address,
        pointer_authentication: false,
        stripped: None,
        access,
    })
}

/// `KERN_INVALID_ADDRESS at 0x…`, with or without ` -> 0x…` and the words
/// `(possible pointer authentication failure)`; those are also seen without the second address.
fn from_subtype(subtype: &str) -> Option<Fault> {
    let (_, rest) = subtype.split_once(" at ")?;
    let stripped = rest
        .split_once("->")
        .and_then(|(_, target)| leading_hex(target.trim_start()));
    Some(Fault {
        address: leading_hex(rest)?,
        pointer_authentication: rest.contains("pointer authentication"),
        stripped,
        access: None,
    })
}

/// `0x5c8 is not in any region. …`; a NULL access is written as a bare `0`.
fn from_region_info(info: &str) -> Option<u64> {
    let first = info.split_whitespace().next()?;
    if first == "0" {
        Some(0)
    } else {
        leading_hex(first)
    }
}

/// The second of `0x…, 0x…`.
fn second_code(codes: &str) -> Option<u64> {
    let (_, second) = codes.split_once(',')?;
    leading_hex(second.trim())
}

/// The number at the start of a text: `0x` and hexadecimal digits.
pub fn leading_hex(text: &str) -> Option<u64> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    let end = digits
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(digits.len());
    u64::from_str_radix(digits.get(..end)?, 16).ok()
}

/// `(Data Abort) byte read Translation fault`, `(Instruction Abort) …`.
fn access_of(description: &str) -> Option<Access> {
    let lower = description.to_ascii_lowercase();
    if lower.contains("instruction abort") {
        Some(Access::Execute)
    } else if lower.contains("write") {
        Some(Access::Write)
    } else if lower.contains("read") {
        Some(Access::Read)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subtype_gives_the_address() {
        let fault = fault_of(
            Some("EXC_BAD_ACCESS"),
            Some("KERN_INVALID_ADDRESS at 0x00000000000005c8"),
            None,
            Some("0x0000000000000001, 0x0000000000000999"),
            Some("(Data Abort) byte read Translation fault"),
        );
        let expected = Fault {
            address: 0x5c8,
            pointer_authentication: false,
            stripped: None,
            access: Some(Access::Read),
        };
        assert_eq!(fault, Some(expected));
    }

    #[test]
    fn a_failed_pointer_authentication_gives_both_addresses() {
        let fault = fault_of(
            Some("EXC_BAD_ACCESS"),
            Some(
                "KERN_INVALID_ADDRESS at 0x8000000000000010 -> 0x0000000000000010 \
                 (possible pointer authentication failure)",
            ),
            None,
            None,
            Some("(Data Abort) byte write Translation fault"),
        )
        .expect("an access");
        assert_eq!(fault.address, 0x8000_0000_0000_0010);
        assert_eq!(fault.stripped, Some(0x10));
        assert!(fault.pointer_authentication);
        assert_eq!(fault.access, Some(Access::Write));
    }

    #[test]
    fn a_failed_pointer_authentication_may_give_one_address() {
        let subtype = "KERN_INVALID_ADDRESS at 0x0f004d26aa0003f0 \
                       (possible pointer authentication failure)";
        let fault = fault_of(Some("EXC_BAD_ACCESS"), Some(subtype), None, None, None);
        let fault = fault.expect("an access");
        assert!(fault.pointer_authentication);
        assert_eq!(
            (fault.address, fault.stripped),
            (0x0f00_4d26_aa00_03f0, None)
        );
    }

    #[test]
    fn a_breakpoint_has_no_fault_address() {
        let codes = Some("0x0000000000000001, 0x0000000180c2d1d8");
        assert_eq!(
            fault_of(Some("EXC_BREAKPOINT"), None, None, codes, None),
            None
        );
        assert_eq!(
            fault_of(Some("EXC_CRASH"), None, Some("0x10 is not"), codes, None),
            None
        );
    }

    #[test]
    fn without_a_subtype_an_access_is_read_from_the_region_then_from_the_codes() {
        let codes = Some("0x0000000000000032, 0x000000011212c000");
        let access = Some("EXC_BAD_ACCESS");
        let region = Some("0 is not in any region.  Bytes before following region: 4370825216");
        assert_eq!(
            fault_of(access, None, region, codes, None).map(|f| f.address),
            Some(0)
        );
        let unread = Some("nothing here");
        let from_codes = fault_of(access, None, unread, codes, None).map(|f| f.address);
        assert_eq!(from_codes, Some(0x1_1212_c000));
    }
}
