//! From registers and stack memory to return addresses.

use std::collections::HashSet;
use std::ops::Range;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, MayAllocateDuringUnwind, Module,
    Unwinder as _, UnwinderNative,
};
use object::{Object, ObjectSection};

use crate::images::{Image, Images};
use crate::registers::Registers;

/// Frames of one thread at most; ReportCrash stops there too.
const MOST_FRAMES: usize = 512;

/// One address of a backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Program counter or return address.
    pub address: u64,
    /// Whether it is a program counter: the instruction itself, not the one after a call.
    pub exact: bool,
}

/// The frames of one thread.
pub struct Backtrace {
    /// Innermost first; never empty.
    pub frames: Vec<Frame>,
    /// Registers at the innermost point that a signal interrupted, where the thread is inside a handler.
    pub interrupted: Option<Registers>,
}

impl Frame {
    /// An address inside the instruction that this frame is at: a call may be the last of its function.
    pub fn lookup(&self) -> u64 {
        if self.exact {
            self.address
        } else {
            self.address.wrapping_sub(1)
        }
    }
}

/// Unwinds the threads of one process.
pub struct Unwinder<'a> {
    images: &'a Images,
    engine: UnwinderNative<&'static [u8], MayAllocateDuringUnwind>,
    cache: CacheNative<MayAllocateDuringUnwind>,
    loaded: HashSet<usize>,
}

impl<'a> Unwinder<'a> {
    /// An unwinder that knows no image yet: each is looked at when a stack passes through it.
    pub fn new(images: &'a Images) -> Self {
        let engine = UnwinderNative::new();
        Self {
            images,
            engine,
            cache: CacheNative::new(),
            loaded: HashSet::new(),
        }
    }

    /// The frames from `registers` outwards, innermost first; `word` reads the stack.
    pub fn unwind(
        &mut self,
        registers: &Registers,
        mut word: impl FnMut(u64) -> Option<u64>,
    ) -> Backtrace {
        // Without a single file to go by, every further address would be a guess.
        if self.images.all().is_empty() {
            return Backtrace {
                frames: vec![Frame {
                    address: registers.ip(),
                    exact: true,
                }],
                interrupted: None,
            };
        }
        let mut state = registers.unwind();
        let mut frame = Frame {
            address: registers.ip(),
            exact: true,
        };
        let mut frames = vec![frame];
        if self.images.find(frame.address).is_none()
            && let Some((caller, after)) = registers.caller_of_nowhere(&mut word)
        {
            frame = Frame {
                address: caller,
                exact: false,
            };
            state = after;
            frames.push(frame);
        }
        let mut interrupted = None;
        while frames.len() < MOST_FRAMES {
            self.load(frame.lookup());
            if self.returns_from_signal(frame.address)
                && let Some(registers) = Registers::interrupted(state.sp(), &mut word)
            {
                state = registers.unwind();
                frame = Frame {
                    address: registers.ip(),
                    exact: true,
                };
                frames.push(frame);
                interrupted.get_or_insert(registers);
                continue;
            }
            let address = if frame.exact {
                FrameAddress::from_instruction_pointer(frame.address)
            } else if let Some(address) = FrameAddress::from_return_address(frame.address) {
                address
            } else {
                break;
            };
            let mut read = |address| word(address).ok_or(());
            match self
                .engine
                .unwind_frame(address, &mut state, &mut self.cache, &mut read)
            {
                Ok(Some(caller)) => {
                    frame = Frame {
                        address: caller,
                        exact: false,
                    };
                }
                // The outermost frame, or a stack that cannot be followed: what was found stands.
                Ok(None) | Err(_) => break,
            }
            frames.push(frame);
        }
        Backtrace {
            frames,
            interrupted,
        }
    }

    /// Whether `address` is the C library's return from a signal handler (`rt_sigreturn`).
    fn returns_from_signal(&self, address: u64) -> bool {
        let Some(image) = self
            .images
            .find(address)
            .map(|index| &self.images.all()[index])
        else {
            return false;
        };
        let stated = address.wrapping_sub(image.bias());
        let expected = crate::registers::SIGNAL_RETURN;
        image
            .elf
            .as_ref()
            .and_then(|elf| {
                elf.sections()
                    .find(|section| range(section).contains(&stated))
            })
            .and_then(|section| {
                section
                    .data_range(stated, expected.len() as u64)
                    .ok()
                    .flatten()
            })
            .is_some_and(|code| code == expected)
    }

    fn load(&mut self, address: u64) {
        if let Some(index) = self.images.find(address)
            && self.loaded.insert(index)
            && let Some(module) = module(&self.images.all()[index])
        {
            self.engine.add_module(module);
        }
    }
}

fn range<'data>(section: &impl ObjectSection<'data>) -> Range<u64> {
    section.address()..section.address().saturating_add(section.size())
}

/// The unwind tables of an image.
fn module(image: &Image) -> Option<Module<&'static [u8]>> {
    let elf = image.elf.as_ref()?;
    let section = |name: &str| elf.section_by_name(name);
    let extent = |name: &str| section(name).map(|section| range(&section));
    let data = |name: &str| section(name).and_then(|section| section.data().ok());
    let info = ExplicitModuleSectionInfo {
        base_svma: 0,
        text_svma: extent(".text"),
        got_svma: extent(".got"),
        eh_frame_svma: extent(".eh_frame"),
        eh_frame: data(".eh_frame"),
        eh_frame_hdr_svma: extent(".eh_frame_hdr"),
        eh_frame_hdr: data(".eh_frame_hdr"),
        ..Default::default()
    };
    Some(Module::new(
        image.name().to_owned(),
        image.base..image.end,
        image.bias(),
        info,
    ))
}
