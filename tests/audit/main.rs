//! Reading Mach-O images as the loader would, and their Objective-C metadata: images made here in
//! every layout, damaged ones, and real ones held against LLVM's reader.

mod bypass;
mod cross;
mod damaged;
mod encode;
mod image;
mod layouts;
mod llvm;
mod pointers;
mod race;
mod real;
mod universal;
mod zoo;
