//! The cost of calls over many things, counted instead of timed: it grows with their number, not with its square.
//!
//! A [`Scenario`] does something with `n` things and returns its cost, as counted by the runtime
//! [`Counted`](crate::Counted), and by keys, values, loads and callers made for this. The test program `growth` compares
//! these counts at `n` and at `2n`. Some costs do not show in them, such as a scan of a list of numbers. Instructions
//! show those: the program of this name plays one scenario, and `tests/checks/growth.sh` counts its instructions.

use core::cell::Cell;
use core::fmt;

use crate::{Steps, memory};

mod batches;
mod counting;
mod edges;
mod entries;
mod flights;
mod flushes;
mod pages;
mod room;
mod slots;
mod values;
mod waiters;
mod world;

std::thread_local! {
    static SEEN: Cell<[u64; WHATS.len()]> = const { Cell::new([0; WHATS.len()]) };
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Locks that were taken: of the cache, of batches, of lists of wakers.
    Locks,
    /// Readings of the clock.
    Readings,
    /// Keys that were hashed.
    Hashes,
    /// Keys that were compared.
    Comparisons,
    /// Keys and values that were cloned.
    Clones,
    /// Polls of loads and flushes.
    Loads,
    /// Polls of callers that were woken.
    Callers,
    /// Allocations.
    Allocations,
}

const WHATS: [What; 8] = [
    What::Locks,
    What::Readings,
    What::Hashes,
    What::Comparisons,
    What::Clones,
    What::Loads,
    What::Callers,
    What::Allocations,
];

/// The amount of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; WHATS.len()]);

/// Something done with `n` things, and its cost.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name, which says what is done with how many of which things.
    pub name: &'static str,
    /// Plays it with `n` things.
    pub play: fn(u32) -> Counts,
}

/// What grows by more than twice if there is twice as much.
pub type Grown = Vec<(What, u64, u64)>;

impl Counts {
    /// The count of this.
    pub const fn of(&self, what: What) -> u64 {
        self.0[what as usize]
    }

    /// What has grown by more than a tenth above twice the earlier count, plus a constant.
    pub fn grown_beyond(&self, once: &Self) -> Grown {
        let both = WHATS.map(|what| (what, once.of(what), self.of(what)));
        both.into_iter().filter(|(_, once, twice)| 10 * twice > 22 * once + 10 * CONSTANT).collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        WHATS.iter().try_for_each(|what| write!(f, " {:>9}", self.of(*what)))
    }
}

impl Scenario {
    /// The cost with `n`, and with twice as many.
    pub fn twice(&self, n: u32) -> [Counts; 2] {
        [(self.play)(n), (self.play)(2 * n)]
    }
}

/// All scenarios.
pub fn all() -> impl Iterator<Item = Scenario> {
    let caches = [values::ALL, flights::ALL, waiters::ALL, batches::ALL, slots::ALL];
    let write_back = [entries::ALL, flushes::ALL, room::ALL, edges::ALL];
    caches.into_iter().chain(write_back).flatten().copied()
}

/// Two that grow as they should not, to test the test: one by comparisons, one by instructions alone.
pub const WRONG: [Scenario; 2] = [
    Scenario { name: "square_of_comparisons", play: values::square_of_comparisons },
    Scenario { name: "square_of_steps", play: values::square_of_steps },
];

/// Runs `work` and counts its cost.
fn counted(work: impl FnOnce()) -> Counts {
    let (mut work, before) = (Some(work), seen());
    let allocations = memory::allocations(|| measured(&mut || work.take().into_iter().for_each(|work| work())));
    let mut counts = seen();
    counts.iter_mut().zip(before).for_each(|(count, before)| *count -= before);
    counts[What::Allocations as usize] = allocations;
    Counts(counts)
}

/// Instructions are counted under this name.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

/// What was counted on this thread so far.
fn seen() -> [u64; WHATS.len()] {
    let (mut seen, Steps { locks, readings }) = (SEEN.get(), Steps::so_far());
    seen[What::Locks as usize] = locks;
    seen[What::Readings as usize] = readings;
    seen
}

/// Counts one of this.
fn note(what: What) {
    let mut seen = SEEN.get();
    seen[what as usize] += 1;
    SEEN.set(seen);
}

/// Lists scenarios, named by their functions.
macro_rules! scenarios {
    ($($name:ident)*) => {
        pub(super) const ALL: &[super::Scenario] = &[$(super::Scenario { name: stringify!($name), play: $name }),*];
    };
}
use scenarios;

/// The constant cost that a call may have.
const CONSTANT: u64 = 64;
