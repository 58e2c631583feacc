//! Carrying what is known along all paths of a function until it no longer changes.

use std::collections::BTreeSet;

use super::control_flow::{ControlFlow, Edge};

/// What is known at a place, as far as all ways to it agree.
pub(super) trait State: Clone {
    /// Keeps what `other` knows as well; returns whether anything was lost.
    fn meet(&mut self, other: &Self) -> bool;
}

/// The paths of a function were not followed to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what its {blocks} blocks know did not settle within the work that they are worth")]
pub struct Unsettled {
    /// How many it has.
    pub blocks: usize,
}

/// What is known at the start of each block; none of one that is not reached. `leave` is given a block
/// with what is known at its start, and gives on what is known along each of its edges.
pub(super) fn forward<S: State>(
    flow: &ControlFlow,
    entry: S,
    mut leave: impl FnMut(usize, S, &mut dyn FnMut(Edge, &S)),
) -> Result<Vec<Option<S>>, Unsettled> {
    let blocks = flow.blocks().len();
    let mut states: Vec<Option<S>> = vec![None; blocks];
    let mut due = BTreeSet::new();
    if let Some(first) = states.first_mut() {
        *first = Some(entry);
        due.insert(0);
    }
    let mut left = BASE_VISITS + blocks * VISITS_PER_BLOCK;
    while let Some(number) = due.pop_first() {
        left = left.checked_sub(1).ok_or(Unsettled { blocks })?;
        let Some(state) = states[number].clone() else {
            continue;
        };
        leave(number, state, &mut |edge, state| {
            let changed = match &mut states[edge.to] {
                Some(known) => known.meet(state),
                unreached => {
                    *unreached = Some(state.clone());
                    true
                }
            };
            if changed {
                due.insert(edge.to);
            }
        });
    }
    Ok(states)
}

/// Blocks of compiled functions are seen two or three times.
const VISITS_PER_BLOCK: usize = 8;

/// Small functions with loops within loops may take more.
const BASE_VISITS: usize = 1000;
