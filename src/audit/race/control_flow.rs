//! The basic blocks of one function, and how control goes from one to the next.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::audit::arm64::{Instruction, Operation};

/// The blocks of a function.
#[derive(Debug)]
pub struct ControlFlow {
    instructions: Vec<Instruction>,
    blocks: Vec<Block>,
}

/// Instructions that are executed one after the other.
#[derive(Debug)]
pub struct Block {
    /// Which of the function's instructions.
    pub range: Range<usize>,
    /// Where it goes on within the function.
    pub successors: Vec<Edge>,
    /// The blocks that go on here.
    pub predecessors: Vec<usize>,
    /// How it leaves the function, where it can.
    pub exit: Option<Exit>,
}

/// One way from a block to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The block's number.
    pub to: usize,
    /// When it is gone.
    pub when: When,
}

/// When an edge is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// Always; or where a computed branch chooses it.
    Always,
    /// When the conditional branch at the block's end is taken.
    Taken,
    /// When it is not.
    NotTaken,
}

/// How a block leaves its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By returning.
    Return,
    /// By a branch to another function; none where the address is computed.
    TailCall(Option<u64>),
    /// By a computed branch, of which it is not known whether it stays in the function.
    Computed,
    /// Not at all: it traps, or calls what does not return.
    Stops,
    /// By an instruction that is not known.
    Unknown,
    /// By running past the function's end.
    RunsOut,
}

/// A function has more instructions than are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has more than {MOST_INSTRUCTIONS} instructions")]
pub struct TooLarge;

impl ControlFlow {
    /// The blocks of the function that `instructions` are, in the order of their addresses and without
    /// a hole. `stops` says whether a call to an address never comes back.
    pub fn new(
        instructions: Vec<Instruction>,
        stops: &dyn Fn(u64) -> bool,
    ) -> Result<Self, TooLarge> {
        if instructions.len() > MOST_INSTRUCTIONS {
            return Err(TooLarge);
        }
        let mut flow = ControlFlow {
            blocks: split(&instructions, stops),
            instructions,
        };
        flow.connect(stops);
        Ok(flow)
    }

    /// The function's instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Its blocks, in the order of their addresses; the first one is entered by callers.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The instructions of a block.
    pub fn of_block(&self, block: &Block) -> &[Instruction] {
        &self.instructions[block.range.clone()]
    }

    /// The number of the instruction at `address`.
    pub fn index_of(&self, address: u64) -> Option<usize> {
        index(&self.instructions, address)
    }

    /// The number of the block that has the instruction with the number `index`.
    pub fn block_of(&self, index: usize) -> Option<usize> {
        let after = self
            .blocks
            .partition_point(|block| block.range.start <= index);
        let block = after.checked_sub(1)?;
        self.blocks[block].range.contains(&index).then_some(block)
    }

    /// Whether some branch of the function goes to an address that it computes.
    pub fn computed_branch(&self) -> Option<u64> {
        let block = self
            .blocks
            .iter()
            .find(|block| block.exit == Some(Exit::Computed))?;
        self.of_block(block)
            .last()
            .map(|instruction| instruction.address)
    }

    /// The branches that leave the function for another one, whose address they name or compute.
    pub(super) fn tail_calls(&self) -> impl Iterator<Item = u64> + '_ {
        let leaves = |block: &&Block| matches!(block.exit, Some(Exit::TailCall(_)));
        let last = |block| self.of_block(block).last();
        self.blocks
            .iter()
            .filter(leaves)
            .filter_map(last)
            .map(|branch| branch.address)
    }

    fn connect(&mut self, stops: &dyn Fn(u64) -> bool) {
        for number in 0..self.blocks.len() {
            let range = self.blocks[number].range.clone();
            let Some(last) = self.instructions[range].last() else {
                continue;
            };
            let (edges, exit) = self.leaving(number, *last, stops);
            self.blocks[number].successors = edges;
            self.blocks[number].exit = exit;
        }
        self.note_predecessors();
        self.resolve_computed();
    }

    fn leaving(
        &self,
        number: usize,
        last: Instruction,
        stops: &dyn Fn(u64) -> bool,
    ) -> (Vec<Edge>, Option<Exit>) {
        let mut edges = Vec::new();
        let mut exit = None;
        let mut go = |target: u64, when| match self
            .index_of(target)
            .and_then(|index| self.block_of(index))
        {
            Some(to) => edges.push(Edge { to, when }),
            None => exit = Some(Exit::TailCall(Some(target))),
        };
        let falls = match last.operation() {
            Operation::Branch { target } => {
                go(target, When::Always);
                None
            }
            Operation::Conditional { target, .. }
            | Operation::CompareBranch { target, .. }
            | Operation::TestBranch { target, .. } => {
                go(target, When::Taken);
                Some(When::NotTaken)
            }
            Operation::IndirectBranch { authenticated, .. } => {
                // A jump within the function is not signed: its address is computed from a table.
                exit = Some(if authenticated {
                    Exit::TailCall(None)
                } else {
                    Exit::Computed
                });
                None
            }
            Operation::Return { .. } => {
                exit = Some(Exit::Return);
                None
            }
            Operation::Trap => {
                exit = Some(Exit::Stops);
                None
            }
            Operation::Call { target } if stops(target) => {
                exit = Some(Exit::Stops);
                None
            }
            Operation::Unknown => {
                exit = Some(Exit::Unknown);
                None
            }
            _ => Some(When::Always),
        };
        if let Some(when) = falls {
            if number + 1 < self.blocks.len() {
                edges.push(Edge {
                    to: number + 1,
                    when,
                });
            } else {
                exit = Some(Exit::RunsOut);
            }
        }
        (edges, exit)
    }

    fn note_predecessors(&mut self) {
        for block in &mut self.blocks {
            block.predecessors.clear();
        }
        for number in 0..self.blocks.len() {
            for edge in 0..self.blocks[number].successors.len() {
                let to = self.blocks[number].successors[edge].to;
                self.blocks[to].predecessors.push(number);
            }
        }
    }

    /// A computed branch may go to every block that nothing else goes to: the tables that it reads are
    /// not read here. Without such blocks it leaves the function.
    fn resolve_computed(&mut self) {
        let orphans: Vec<usize> = (1..self.blocks.len())
            .filter(|number| self.blocks[*number].predecessors.is_empty())
            .collect();
        let computed = |block: &Block| block.exit == Some(Exit::Computed);
        let edges = self.blocks.iter().filter(|block| computed(block)).count() * orphans.len();
        if edges > MOST_COMPUTED_EDGES {
            return;
        }
        let mut changed = false;
        for block in &mut self.blocks {
            if !computed(block) {
                continue;
            }
            if orphans.is_empty() {
                block.exit = Some(Exit::TailCall(None));
                continue;
            }
            changed = true;
            block.successors = orphans
                .iter()
                .map(|to| Edge {
                    to: *to,
                    when: When::Always,
                })
                .collect();
        }
        if changed {
            self.note_predecessors();
        }
    }
}

/// Divides the instructions behind each that may go elsewhere, and before each that a branch goes to.
fn split(instructions: &[Instruction], stops: &dyn Fn(u64) -> bool) -> Vec<Block> {
    let mut leaders = BTreeSet::new();
    for (number, instruction) in instructions.iter().enumerate() {
        let target = match instruction.operation() {
            Operation::Branch { target }
            | Operation::Conditional { target, .. }
            | Operation::CompareBranch { target, .. }
            | Operation::TestBranch { target, .. } => Some(target),
            Operation::IndirectBranch { .. }
            | Operation::Return { .. }
            | Operation::Trap
            | Operation::Unknown => None,
            Operation::Call { target } if stops(target) => None,
            _ => continue,
        };
        leaders.insert(number + 1);
        leaders.extend(target.and_then(|target| index(instructions, target)));
    }
    leaders.remove(&0);
    leaders.insert(instructions.len());
    let mut start = 0;
    leaders
        .into_iter()
        .filter(|end| *end <= instructions.len())
        .map(|end| {
            let range = start..end;
            start = end;
            Block {
                range,
                successors: Vec::new(),
                predecessors: Vec::new(),
                exit: None,
            }
        })
        .filter(|block| !block.range.is_empty())
        .collect()
}

fn index(instructions: &[Instruction], address: u64) -> Option<usize> {
    let start = instructions.first()?.address;
    let distance = address.checked_sub(start)?;
    let index = usize::try_from(distance / 4).ok()?;
    (distance % 4 == 0 && index < instructions.len()).then_some(index)
}

/// A compiler's switch has some hundred cases, and a function a few of them. Past it the branches are
/// left without edges, as the computed branches that they are.
const MOST_COMPUTED_EDGES: usize = 1 << 16;

/// 256 KiB of code; the longest functions of the libraries that were looked at have half of it.
pub const MOST_INSTRUCTIONS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Words and texts: LLVM's assembler.
    fn flow(words: &[u32]) -> ControlFlow {
        let instructions = (0x1000..)
            .step_by(4)
            .zip(words)
            .map(|(address, word)| Instruction::new(address, *word));
        ControlFlow::new(instructions.collect(), &|target| target == 0x2000).expect("small")
    }

    type Told = (Range<usize>, Vec<(usize, When)>, Option<Exit>);

    fn told(flow: &ControlFlow) -> Vec<Told> {
        let blocks = flow.blocks().iter();
        blocks
            .map(|block| {
                let edges = block.successors.iter().map(|edge| (edge.to, edge.when));
                (block.range.clone(), edges.collect(), block.exit)
            })
            .collect()
    }

    #[test]
    fn a_function_with_branches() {
        let flow = flow(&[
            0xb400_00a0, // cbz x0, 0x1014
            0xaa00_03f4, // mov x20, x0
            0xf100_0e9f, // cmp x20, #3
            0x5400_0068, // b.hi 0x1018
            0x9100_2281, // add x1, x20, #8
            0xd65f_03c0, // ret
            0xaa1f_03f4, // mov x20, xzr
            0x1a9f_97e0, // cset w0, hi
            0x17ff_fffd, // b 0x1014
        ]);
        assert_eq!(
            told(&flow),
            [
                (0..1, vec![(3, When::Taken), (1, When::NotTaken)], None),
                (1..4, vec![(4, When::Taken), (2, When::NotTaken)], None),
                (4..5, vec![(3, When::Always)], None),
                (5..6, vec![], Some(Exit::Return)),
                (6..9, vec![(3, When::Always)], None),
            ]
        );
        assert_eq!(flow.blocks()[3].predecessors, [0, 2, 4]);
        assert_eq!(flow.block_of(7), Some(4));
        assert_eq!(flow.index_of(0x1014), Some(5));
        assert_eq!(flow.index_of(0x1024), None);
        assert_eq!(flow.index_of(0x1015), None);
    }

    #[test]
    fn ways_out() {
        // b 0x800
        let tail_call = flow(&[0x17ff_fe00]);
        assert_eq!(
            tail_call.blocks()[0].exit,
            Some(Exit::TailCall(Some(0x800)))
        );
        // bl 0x2000, which never comes back; mov x20, x0
        let stops = flow(&[0x9400_0400, 0xaa00_03f4]);
        assert_eq!(
            told(&stops),
            [
                (0..1, vec![], Some(Exit::Stops)),
                (1..2, vec![], Some(Exit::RunsOut))
            ]
        );
        // Reserved.
        assert_eq!(flow(&[0x0400_0000]).blocks()[0].exit, Some(Exit::Unknown));
        // braa x16, x17, and br x9 of a function that has nothing else.
        for word in [0xd71f_0a11, 0xd61f_0120] {
            assert_eq!(flow(&[word]).blocks()[0].exit, Some(Exit::TailCall(None)));
        }
        assert!(flow(&[]).blocks().is_empty());
    }

    #[test]
    fn a_computed_branch_goes_where_nothing_else_does() {
        let flow = flow(&[
            0x1000_0009, // adr x9, 0x1000
            0xd61f_0120, // br x9
            0xf940_0100, // ldr x0, [x8]
            0xd65f_03c0, // ret
            0xd65f_03c0, // ret
        ]);
        assert_eq!(
            told(&flow)[0],
            (
                0..2,
                vec![(1, When::Always), (2, When::Always)],
                Some(Exit::Computed)
            )
        );
        assert_eq!(flow.computed_branch(), Some(0x1004));
    }

    #[test]
    fn edges_of_computed_branches_have_a_limit() {
        let flow = flow(&vec![0xd61f_0120; 4000]);
        assert!(flow.blocks().iter().all(|it| it.successors.is_empty()));
        assert_eq!(flow.computed_branch(), Some(0x1000));
        let instructions = vec![Instruction::new(0, 0); MOST_INSTRUCTIONS + 1];
        assert_eq!(
            ControlFlow::new(instructions, &|_| false).unwrap_err(),
            TooLarge
        );
    }
}
