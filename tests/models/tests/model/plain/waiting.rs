//! A caller that waits for a key.

use larder::OnTimeout;

use super::{Call, End, Id, Ms};

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) flight: usize,
    pub(super) call: Call,
    pub(super) came: Ms,
    pub(super) led: bool,
    pub(super) found_expired: bool,
    /// It has begun a load at some time, possibly in an epoch that it no longer waits for.
    pub(super) has_begun: bool,
    pub(super) failure: Option<End>,
    pub(super) is_ticket: bool,
    /// The loads that it has polled in this poll.
    pub(super) polled: Vec<Id>,
    /// It polls a load that serves its flight and the newer one, and may wait for either.
    pub(super) has_perhaps_moved: bool,
    /// A write came in this poll, possibly after its last look. It had no deadline before: there was no room for a
    /// load.
    pub(super) is_overlooked: bool,
    /// Its lock timeout has passed, and it has yet to report this.
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

    /// What it does about a lock timeout that has passed. Only callers that have begun no load may load alone. (D21)
    pub(super) fn impatience(&self, now: Ms) -> Option<OnTimeout> {
        let (patience, then) = self.call.timeout?;
        let is_bound = then != OnTimeout::Load || !self.has_begun;
        (is_bound && self.came.saturating_add(patience) <= now).then_some(then)
    }
}
