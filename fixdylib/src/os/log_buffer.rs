//! What the arguments of `os_log` look like to the function behind the macro.
//!
//! The layout is the compiler's (`__builtin_os_log_format`; clang/AST/OSLog.h): a byte that sums up (1: something is
//! private, 2: something is no scalar), the number of arguments, and for each its descriptor (kind in the high half, 2 for
//! a C string; flags in the low, 2 for public), the length of its value, and the value.

/// The arguments of the format `%{public}s`: the address of a C string.
pub const fn public_string(address: u64) -> [u8; 12] {
    let it = address.to_ne_bytes();
    [
        2, 1, 0x22, 8, it[0], it[1], it[2], it[3], it[4], it[5], it[6], it[7],
    ]
}

#[cfg(test)]
mod tests {
    /// clang/test/CodeGen/builtins.c names its helpers by these bytes: `__os_log_helper_1_2_1_8_32` for `%s` (summary 2,
    /// one argument, 8 bytes, descriptor 32), and 34 for the descriptor of `%{public}s`.
    #[test]
    fn a_public_string_is_laid_out_as_by_clang() {
        let buffer = super::public_string(0x0102_0304_0506_0708);
        assert_eq!(buffer[..4], [2, 1, 34, 8]);
        assert_eq!(buffer[4..], 0x0102_0304_0506_0708_u64.to_ne_bytes());
    }
}
