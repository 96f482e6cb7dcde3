//! What the policy learns from entries that come back.

use super::{GatedFifo, Home, Node};
use crate::store::policy::Nodes;
use crate::store::policy::ghosts::Ghost;
use crate::store::policy::queue::Queue;

/// This many returns, plus one for each so many entries, make a long row.
const IDLE_RETURNS: u64 = 16;
const IDLE_PART: u64 = 8;

impl GatedFifo {
    /// Learns from an entry that was here before, and decides where it goes this time.
    pub(super) fn welcome_back(&mut self, entries: &mut impl Nodes<Node>, ghost: Ghost, weight: u64) -> Home {
        let main_age = self.age_of_back(entries, Home::Main);
        let comes_through = if ghost.from_main {
            self.idle_returns = 0;
            if self.would_hold(&self.main, main_age, ghost.age) {
                self.share.narrow(weight);
            }
            // It had its round in the main queue; a loop that went straight back would push out itself.
            false
        } else {
            let age = self.age_of_back(entries, Home::Probation);
            let is_sooner = ghost.age < main_age;
            if self.would_hold(&self.probation, age, ghost.age) || (is_sooner && self.main_lies_idle(entries)) {
                self.share.widen(weight);
            }
            // A main queue that lies idle has nothing to guard.
            self.gate.lets_in(ghost.age, main_age) || (is_sooner && self.is_row_long())
        };
        if self.main.is_empty() {
            Home::Main
        } else if comes_through {
            Home::Trial
        } else {
            Home::Probation
        }
    }

    /// Returns whether the queue, if it were longer by the window, would still hold an entry of `age`.
    ///
    /// This assumes that its speed is unchanged: its weight passed in the age of its last entry.
    fn would_hold(&self, queue: &Queue, age_of_back: u16, age: u16) -> bool {
        let late = u128::from(age.saturating_sub(age_of_back));
        late * u128::from(queue.weight) <= u128::from(age_of_back) * u128::from(self.share.window())
    }

    /// Counts a return to probation that came sooner than the main queue goes round; true if the main queue was unused
    /// for a long row of them.
    ///
    /// Then its places do more good in probation, however much longer that has to be. Without this, keys that are used
    /// twice, further apart than the window reaches, would never hit where LRU always hits.
    pub(super) fn main_lies_idle(&mut self, entries: &mut impl Nodes<Node>) -> bool {
        let used = self.main.back().is_some_and(|place| entries.node(place).uses > 0);
        self.idle_returns = if used { 0 } else { self.idle_returns.saturating_add(1) };
        self.is_row_long()
    }

    /// Returns whether the main queue was unused for a long row of returns.
    fn is_row_long(&self) -> bool {
        u64::from(self.idle_returns) > IDLE_RETURNS + self.residents() / IDLE_PART
    }
}
