//! Images that LLVM assembles and links.
