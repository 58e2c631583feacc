//! Encoders and command buffers: what is open, what has ended, what was committed.
//!
//! A pure state machine over addresses: it calls nothing, and says what the caller is to do. Both tables have a fixed
//! size, so that a hooked call never allocates and a child of `fork` can start afresh. An entry is looked for in a short
//! window behind its hash; what has ended makes room for what is new.

/// Encoders remembered at a time.
pub const ENCODERS: usize = 4096;
/// Command buffers remembered at a time.
pub const BUFFERS: usize = 1024;
/// Entries searched behind the hash.
const WINDOW: usize = 16;

/// Number of an entry in the encoder table.
pub type Index = u16;
/// A thread, by a number that no other has or had.
pub type Owner = u64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Ended; still retained while a call is inside it. The value of untouched memory, like `Committed` below, so that
    /// the tables cost nothing until they are used.
    Ended,
    /// Retained, and not ended.
    Open,
    /// Ended, with no call inside it, and retained for one that is about to come.
    Kept,
}

#[derive(Clone, Copy)]
struct Encoder {
    /// Address; 0 for an entry that was never used.
    address: u64,
    /// Command buffer; 0 where unknown.
    buffer: u64,
    /// The thread that called it last.
    owner: Owner,
    /// Calls inside it.
    calls: u32,
    /// Where it stands in the list of the open ones, or of the kept ones.
    position: Index,
    stage: Stage,
    retained: bool,
    /// The library has tried to end it.
    forced: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BufferStage {
    Committed,
    Committing,
}

#[derive(Clone, Copy)]
struct Buffer {
    address: u64,
    stage: BufferStage,
}

/// Answer to [`Lifecycle::opened`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Not known before: retain it.
    New,
    /// Known as ended, and handed out again: retain it.
    Reused,
    /// Open already (a factory that calls another): nothing to do.
    AlreadyOpen,
    /// No room: it stays untracked.
    Full,
}

/// Answer to [`Lifecycle::enter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// Open.
    Open(Index),
    /// Ended, and nothing is inside it: a call that comes too late.
    AfterEnd(Index),
    /// Not known.
    Untracked,
}

/// Answer to [`Lifecycle::commit_begins`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// The first.
    First,
    /// Inside another commit of the same command buffer.
    Nested,
    /// It was committed before.
    Again,
}

/// The tables. What every call touches comes first, beside the lock around them.
#[repr(C)]
pub struct Lifecycle {
    /// Calls inside any encoder.
    inside: u32,
    encoders: [Encoder; ENCODERS],
    buffers: [Buffer; BUFFERS],
    open: [Index; ENCODERS],
    open_len: usize,
    kept: [Index; ENCODERS],
    kept_len: usize,
    /// Something was entered into the tables.
    used: bool,
}

const NO_ENCODER: Encoder = Encoder {
    address: 0,
    buffer: 0,
    owner: 0,
    calls: 0,
    position: 0,
    stage: Stage::Ended,
    retained: false,
    forced: false,
};

/// Spreads addresses, whose low bits are zero, over a table of a power of two.
#[inline]
fn home(address: u64, table: usize) -> usize {
    let spread = (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    usize::try_from(spread).unwrap_or(0) & (table - 1)
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifecycle {
    /// Nothing is known.
    #[allow(clippy::large_stack_arrays)] // evaluated for a static
    pub const fn new() -> Self {
        Self {
            encoders: [NO_ENCODER; ENCODERS],
            buffers: [Buffer {
                address: 0,
                stage: BufferStage::Committed,
            }; BUFFERS],
            open: [0; ENCODERS],
            open_len: 0,
            kept: [0; ENCODERS],
            kept_len: 0,
            inside: 0,
            used: false,
        }
    }

    /// Forgets everything, as a child of `fork` must. Does not allocate, and leaves memory that was not used untouched.
    pub fn reset(&mut self) {
        if !self.used {
            return;
        }
        self.used = false;
        self.inside = 0;
        self.encoders.fill(NO_ENCODER);
        self.buffers.fill(Buffer {
            address: 0,
            stage: BufferStage::Committed,
        });
        self.open_len = 0;
        self.kept_len = 0;
    }

    /// Encoders that are open.
    #[cfg(test)]
    pub fn open_count(&self) -> usize {
        self.open_len
    }

    #[inline]
    fn find(&self, address: u64) -> Option<usize> {
        let home = home(address, ENCODERS);
        if self.encoders[home].address == address {
            return Some(home);
        }
        self.find_behind(home, address)
    }

    #[inline(never)]
    fn find_behind(&self, home: usize, address: u64) -> Option<usize> {
        for step in 0..WINDOW {
            let index = (home + step) & (ENCODERS - 1);
            let found = self.encoders[index].address;
            if found == address {
                return Some(index);
            }
            if found == 0 {
                return None;
            }
        }
        None
    }

    /// An encoder was handed out to a thread, or is adopted from it: for `buffer`, or for 0 where that is unknown (one that
    /// called itself while it was made is known before its factory says for whom).
    pub fn opened(&mut self, address: u64, buffer: u64, owner: Owner) -> Opened {
        self.used = true;
        let (index, answer) = match self.find(address) {
            Some(index) if self.encoders[index].stage == Stage::Open => {
                let it = &mut self.encoders[index];
                if it.buffer == 0 {
                    it.buffer = buffer;
                }
                return Opened::AlreadyOpen;
            }
            Some(index) => {
                self.unkeep(index);
                (index, Opened::Reused)
            }
            None => {
                let home = home(address, ENCODERS);
                let free = (0..WINDOW)
                    .map(|step| (home + step) & (ENCODERS - 1))
                    .find(|index| {
                        let it = &self.encoders[*index];
                        it.address == 0
                            || (it.stage == Stage::Ended && !it.retained && it.calls == 0)
                    });
                let Some(index) = free else {
                    return Opened::Full;
                };
                self.encoders[index] = NO_ENCODER;
                (index, Opened::New)
            }
        };
        // An encoder that ended but is still retained, for a call that is inside it or about to be, keeps that retain: one
        // is enough.
        let answer = if self.encoders[index].retained {
            Opened::AlreadyOpen
        } else {
            answer
        };
        let position = self.open_len;
        let number = Index::try_from(index).unwrap_or(0); // below ENCODERS
        self.open[position] = number;
        self.open_len += 1;
        let calls = self.encoders[index].calls;
        self.encoders[index] = Encoder {
            address,
            buffer,
            owner,
            calls,
            position: Index::try_from(position).unwrap_or(0), // below ENCODERS
            stage: Stage::Open,
            retained: true,
            forced: false,
        };
        answer
    }

    /// An open encoder is not retained, or no longer: it counts as ended.
    pub fn not_retained(&mut self, address: u64) {
        if let Some(index) = self.find(address)
            && self.encoders[index].stage == Stage::Open
        {
            self.encoders[index].stage = Stage::Ended;
            self.encoders[index].retained = false;
            self.remove_open(usize::from(self.encoders[index].position));
        }
    }

    /// A thread's call enters the encoder. Unless untracked, [`Self::leave`] must follow.
    #[inline]
    pub fn enter(&mut self, address: u64, owner: Owner) -> Entered {
        let Some(index) = self.find(address) else {
            return Entered::Untracked;
        };
        let late = self.encoders[index].stage != Stage::Open && self.is_late(index);
        let it = &mut self.encoders[index];
        it.calls = it.calls.wrapping_add(1);
        it.owner = owner;
        self.inside = self.inside.wrapping_add(1);
        let index = Index::try_from(index).unwrap_or(0); // below ENCODERS
        if late {
            Entered::AfterEnd(index)
        } else {
            Entered::Open(index)
        }
    }

    /// [`Self::enter`] of an encoder that is open and stands at its hash; `None`, and nothing changed, if it is another.
    #[inline]
    pub fn enter_at_home(&mut self, address: u64, owner: Owner) -> Option<Index> {
        let home = home(address, ENCODERS);
        let it = &mut self.encoders[home];
        if it.address != address || it.stage != Stage::Open {
            return None;
        }
        it.calls = it.calls.wrapping_add(1);
        it.owner = owner;
        self.inside = self.inside.wrapping_add(1);
        Some(home as Index) // below ENCODERS
    }

    /// [`Self::leave`] of a call that does not end its encoder; false, and nothing changed, if that is no longer open.
    #[inline]
    pub fn leave_open(&mut self, index: Index) -> bool {
        let it = &mut self.encoders[usize::from(index) & (ENCODERS - 1)];
        if it.stage != Stage::Open {
            return false;
        }
        it.calls = it.calls.saturating_sub(1);
        self.inside = self.inside.saturating_sub(1);
        true
    }

    /// A call leaves the encoder; `ended` if it was one that ends it. The address to release, if it is time.
    #[inline]
    pub fn leave(&mut self, index: Index, ended: bool) -> Option<u64> {
        self.inside = self.inside.saturating_sub(1);
        let it = &mut self.encoders[usize::from(index) & (ENCODERS - 1)];
        it.calls = it.calls.saturating_sub(1);
        if ended && it.stage == Stage::Open {
            it.stage = Stage::Ended;
            let position = usize::from(it.position);
            self.remove_open(position);
        }
        let it = &mut self.encoders[usize::from(index) & (ENCODERS - 1)];
        if it.stage == Stage::Ended && it.calls == 0 && it.retained {
            it.retained = false;
            return Some(it.address);
        }
        None
    }

    /// Whether a call that enters an encoder which is not open is the only one inside.
    #[cold]
    #[inline(never)]
    fn is_late(&mut self, index: usize) -> bool {
        self.unkeep(index);
        self.encoders[index].calls == 0
    }

    /// An encoder that [`Self::leave`] has just returned stays retained, for a call that is about to enter it: it is
    /// returned again when such a call leaves, or given back after [`Self::let_go`].
    pub fn keep(&mut self, address: u64) {
        let Some(index) = self.find(address) else {
            return;
        };
        let position = self.kept_len;
        self.kept[position & (ENCODERS - 1)] = Index::try_from(index).unwrap_or(0); // below ENCODERS
        self.kept_len += 1;
        let it = &mut self.encoders[index];
        it.stage = Stage::Kept;
        it.retained = true;
        it.position = Index::try_from(position).unwrap_or(0); // below ENCODERS
    }

    /// Encoders that are kept.
    pub fn kept_count(&self) -> usize {
        self.kept_len
    }

    /// The first kept encoder from this place on in their list: its place, and its address.
    pub fn kept(&self, from: usize) -> Option<(usize, u64)> {
        let index = self.kept[..self.kept_len].get(from)?;
        Some((from, self.encoders[usize::from(*index)].address))
    }

    /// The retain of a kept encoder is about to be given back. Another one takes its place in the list.
    pub fn let_go(&mut self, address: u64) {
        if let Some(index) = self.find(address)
            && self.encoders[index].stage == Stage::Kept
        {
            self.unkeep(index);
            self.encoders[index].retained = false;
        }
    }

    /// An encoder is no longer on the list of the kept ones, if it was: it is as one that ended, and retained.
    fn unkeep(&mut self, index: usize) {
        if self.encoders[index].stage != Stage::Kept {
            return;
        }
        self.encoders[index].stage = Stage::Ended;
        let position = usize::from(self.encoders[index].position);
        self.kept_len = self.kept_len.saturating_sub(1);
        let moved = self.kept[self.kept_len & (ENCODERS - 1)];
        self.kept[position & (ENCODERS - 1)] = moved;
        let moved = &mut self.encoders[usize::from(moved) & (ENCODERS - 1)];
        if moved.stage == Stage::Kept {
            moved.position = Index::try_from(position).unwrap_or(0); // below ENCODERS
        }
    }

    /// The command buffer of a tracked encoder; 0 where it is not known.
    pub fn buffer_of(&self, encoder: u64) -> u64 {
        self.find(encoder).map_or(0, |it| self.encoders[it].buffer)
    }

    fn remove_open(&mut self, position: usize) {
        self.open_len = self.open_len.saturating_sub(1);
        let moved = self.open[self.open_len & (ENCODERS - 1)];
        self.open[position & (ENCODERS - 1)] = moved;
        self.encoders[usize::from(moved) & (ENCODERS - 1)].position =
            Index::try_from(position).unwrap_or(0); // below ENCODERS
    }

    /// The memory at `address` becomes a new object: what was known about it is void.
    pub fn born(&mut self, address: u64) {
        let home = home(address, BUFFERS);
        for step in 0..WINDOW {
            let it = &mut self.buffers[(home + step) & (BUFFERS - 1)];
            if it.address == address {
                it.stage = BufferStage::Committed;
                it.address = u64::MAX; // keeps the window searchable; no object has this address
            }
        }
    }

    /// Calls are inside encoders. They are the lock holder's: nobody gives the lock back inside one.
    pub fn is_inside(&self) -> bool {
        self.inside != 0
    }

    /// An encoder of `buffer` that another thread than `me` used last and has open, and that thread.
    pub fn others_open(&self, buffer: u64, me: Owner) -> Option<(u64, Owner)> {
        self.open[..self.open_len].iter().find_map(|index| {
            let it = &self.encoders[usize::from(*index)];
            (it.buffer == buffer && it.owner != me && it.calls == 0 && !it.forced)
                .then_some((it.address, it.owner))
        })
    }

    /// An encoder of `buffer` that is open, was used last by `whose` (by anyone if `None`), has no call inside it, and was
    /// not returned before.
    pub fn next_to_end(&mut self, buffer: u64, whose: Option<Owner>) -> Option<u64> {
        for position in 0..self.open_len {
            let it = &mut self.encoders[usize::from(self.open[position])];
            let chosen = whose.is_none_or(|owner| it.owner == owner);
            if it.buffer == buffer && chosen && it.calls == 0 && !it.forced {
                it.forced = true;
                return Some(it.address);
            }
        }
        None
    }

    /// The first encoder of `buffer` from this place on in the list of the open ones that no call is inside: its place, and
    /// its address. [`Self::not_retained`] puts another one into its place.
    pub fn idle_of(&self, buffer: u64, from: usize) -> Option<(usize, u64)> {
        (from..self.open_len).find_map(|position| {
            let it = &self.encoders[usize::from(self.open[position])];
            (it.buffer == buffer && it.calls == 0).then_some((position, it.address))
        })
    }

    fn buffer(&mut self, address: u64) -> Option<&mut Buffer> {
        let home = home(address, BUFFERS);
        let index = (0..WINDOW)
            .map(|step| (home + step) & (BUFFERS - 1))
            .find(|i| self.buffers[*i].address == address);
        index.map(|index| &mut self.buffers[index])
    }

    /// A commit begins.
    pub fn commit_begins(&mut self, address: u64) -> Commit {
        self.used = true;
        if let Some(known) = self.buffer(address) {
            return match known.stage {
                BufferStage::Committing => Commit::Nested,
                BufferStage::Committed => {
                    known.stage = BufferStage::Committing;
                    Commit::Again
                }
            };
        }
        let home = home(address, BUFFERS);
        let window = (0..WINDOW).map(|step| (home + step) & (BUFFERS - 1));
        let free = window
            .clone()
            .find(|index| matches!(self.buffers[*index].address, 0 | u64::MAX));
        // A full window: the oldest knowledge goes, and with it only the count of double commits of that buffer.
        let index = free
            .or_else(|| {
                window
                    .clone()
                    .find(|index| self.buffers[*index].stage == BufferStage::Committed)
            })
            .unwrap_or(home);
        self.buffers[index] = Buffer {
            address,
            stage: BufferStage::Committing,
        };
        Commit::First
    }

    /// The outermost commit is over; `reusable` if the command buffer takes commands again.
    pub fn commit_ends(&mut self, address: u64, reusable: bool) {
        if let Some(known) = self.buffer(address) {
            known.stage = BufferStage::Committed;
            if reusable {
                known.address = u64::MAX;
            }
        }
    }

    /// Whether the command buffer was committed.
    pub fn is_committed(&mut self, address: u64) -> bool {
        self.buffer(address)
            .is_some_and(|it| it.stage == BufferStage::Committed)
    }
}

#[cfg(all(test, not(loom)))]
#[path = "lifecycle_tests.rs"]
mod tests;
