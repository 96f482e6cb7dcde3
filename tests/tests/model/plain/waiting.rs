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
    /// The lock timeout has not been acted on.
    pub(super) is_patient: bool,
    pub(super) failure: Option<End>,
    pub(super) is_ticket: bool,
    /// The loads that it has polled in this poll.
    pub(super) polled: Vec<Id>,
    /// It polls a load that is for its flight and for the newer one, and may wait for either.
    pub(super) has_perhaps_moved: bool,
    /// It has not looked since a write, and had no deadline before that, as there was no room for a further load.
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
            is_patient: true,
            failure: None,
            is_ticket: false,
            polled: Vec::new(),
            has_perhaps_moved: false,
            is_overlooked: false,
            has_left: false,
        }
    }

    /// What it does about its lock timeout, if that has passed. A load for oneself is for those who have none. (D21)
    pub(super) fn impatience(&self, now: Ms) -> Option<OnTimeout> {
        let (patience, then) = self.call.timeout.filter(|_| self.is_patient)?;
        let is_bound = then != OnTimeout::Load || !self.led;
        (is_bound && self.came.saturating_add(patience) <= now).then_some(then)
    }
}
