//! The orders in which a function does what matters, each with the branches that lead to it.

use std::collections::HashSet;

use super::control_flow::{ControlFlow, When};
use super::destroy::{Action, DestroyStep};
use crate::audit::arm64::Instruction;

/// One order, from the lock on, or from the start where there is no lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The branches that every way to this order has in common, as they come.
    pub conditions: Vec<Condition>,
    /// What is done.
    pub steps: Vec<DestroyStep>,
}

/// A conditional branch on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The branch.
    pub branch: Instruction,
    /// Whether it is taken.
    pub taken: bool,
}

/// The steps of each block, in the order in which they are done.
pub(super) fn by_block(flow: &ControlFlow, steps: &[DestroyStep]) -> Vec<Vec<DestroyStep>> {
    let mut by_block = vec![Vec::new(); flow.blocks().len()];
    for step in steps {
        let index = flow.index_of(step.instruction.address);
        if let Some(block) = index.and_then(|index| flow.block_of(index)) {
            by_block[block].push(*step);
        }
    }
    by_block
}

/// The paths through the function on which something happens, without going round loops, and whether
/// there are more of them.
pub(super) fn of(flow: &ControlFlow, steps: &[DestroyStep]) -> (Vec<Path>, bool) {
    let by_block = by_block(flow, steps);
    let locks = |block: &Vec<DestroyStep>| block.iter().any(|step| step.action == Action::Lock);
    let start = by_block.iter().position(locks).unwrap_or(0);
    let mut search = Search {
        flow,
        by_block,
        left: MOST_BLOCKS,
        paths: Vec::new(),
        cut: steps.len() > MOST_STEPS,
    };
    if !flow.blocks().is_empty() && !search.cut {
        search.go(start);
    }
    (search.paths, search.cut)
}

struct Search<'f> {
    flow: &'f ControlFlow,
    by_block: Vec<Vec<DestroyStep>>,
    left: usize,
    paths: Vec<Path>,
    cut: bool,
}

/// A way that has been gone so far.
struct Way {
    block: usize,
    been: HashSet<usize>,
    conditions: Vec<Condition>,
    steps: Vec<DestroyStep>,
}

impl Search<'_> {
    fn go(&mut self, start: usize) {
        let mut due = vec![Way {
            block: start,
            been: HashSet::new(),
            conditions: Vec::new(),
            steps: Vec::new(),
        }];
        while let Some(mut way) = due.pop() {
            if due.len() >= self.left {
                self.cut = true;
                return;
            }
            self.left -= 1;
            way.been.insert(way.block);
            way.steps.extend(&self.by_block[way.block]);
            let block = &self.flow.blocks()[way.block];
            let last = self.flow.of_block(block).last();
            if block.exit.is_some() {
                self.keep(&way);
            }
            // The last one is gone first: that where a branch is not taken.
            for edge in &block.successors {
                if way.been.contains(&edge.to) {
                    continue;
                }
                let mut conditions = way.conditions.clone();
                if let (Some(branch), When::Taken | When::NotTaken) = (last, edge.when) {
                    conditions.push(Condition {
                        branch: *branch,
                        taken: edge.when == When::Taken,
                    });
                }
                due.push(Way {
                    block: edge.to,
                    been: way.been.clone(),
                    conditions,
                    steps: way.steps.clone(),
                });
            }
        }
    }

    fn keep(&mut self, way: &Way) {
        if way.steps.is_empty() {
            return;
        }
        if let Some(path) = self.paths.iter_mut().find(|path| path.steps == way.steps) {
            path.conditions
                .retain(|condition| way.conditions.contains(condition));
        } else if self.paths.len() < MOST_PATHS {
            self.paths.push(Path {
                conditions: way.conditions.clone(),
                steps: way.steps.clone(),
            });
        } else {
            self.cut = true;
        }
    }
}

/// As many blocks are gone through, all paths together.
const MOST_BLOCKS: usize = 4096;

/// A function that does more is not one that was compiled.
const MOST_STEPS: usize = 1000;

/// As many orders are told.
const MOST_PATHS: usize = 32;
