//! Programs that run with other rights than their caller's.

use super::{Finding, Host, System};
use crate::target::image::Image;
use crate::target::verdict::{Kind, Remedy};

/// A loader distrusts its caller's environment where the program has rights that the caller lacks:
/// ld.so in secure-execution mode (ld.so(8)), dyld where `issetugid(2)` is true. Neither happens
/// where the file's owner is the caller (xnu, `bsd/kern/kern_exec.c`, `exec_handle_sugid`; Linux,
/// `AT_SECURE` in getauxval(3)).
pub(super) fn changes_identity(image: &Image, host: &Host) -> Option<Finding> {
    let permissions = &image.permissions;
    let (rule, because) = if permissions
        .runs_as_user
        .is_some_and(|user| user != host.user)
    {
        ("setuid", "it is setuid to another user")
    } else if permissions
        .runs_as_group
        .is_some_and(|group| group != host.group)
    {
        ("setgid", "it is setgid to another group")
    } else if permissions.capabilities && host.system == System::Linux {
        ("capabilities", "it carries capabilities")
    } else {
        return None;
    };
    let loader = match host.system {
        System::MacOs => "dyld ignores `DYLD_` variables",
        System::Linux => "ld.so ignores a library given by path",
    };
    Some(Finding {
        rule,
        kind: Kind::Stripped,
        because: format!("{because}: {loader}"),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}
