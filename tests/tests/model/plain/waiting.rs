//! One who waits for a key.

use larder::OnTimeout;

use super::{Call, End, Id, Ms};

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) flight: usize,
    pub(super) call: Call,
    pub(super) came: Ms,
    pub(super) led: bool,
    pub(super) found_expired: bool,
    /// It has begun a load at some time, if perhaps in an epoch that it waits for no more.
    pub(super) has_begun: bool,
    pub(super) failure: Option<End>,
    pub(super) is_ticket: bool,
    /// The loads that it has polled in this poll.
    pub(super) polled: Vec<Id>,
    /// It polls a load that is for its flight and for the newer one, and may wait for either.
    pub(super) has_perhaps_moved: bool,
    /// A write came in this poll, perhaps after its last look. It had no deadline before: there was no room for a load.
    pub(super) is_overlooked: bool,
    /// It has lost patience, and is yet to say so.
    pub(super) has_left: bool,
}

impl Waiting {
    pub(super) const fn new(flight: usize, call: Call, came: Ms, found_expired: bool) -> Self {
        Self {
            flight,
            call,
            came,
            led: false,
            found_expired,
            has_begun: false,
            failure: None,
            is_ticket: false,
            polled: Vec::new(),
            has_perhaps_moved: false,
            is_overlooked: false,
            has_left: false,
        }
    }

    /// What it does about a lock timeout that has passed. A load for oneself is for those who have begun none. (D21)
    pub(super) fn impatience(&self, now: Ms) -> Option<OnTimeout> {
        let (patience, then) = self.call.timeout?;
        let is_bound = then != OnTimeout::Load || !self.has_begun;
        (is_bound && self.came.saturating_add(patience) <= now).then_some(then)
    }
}
