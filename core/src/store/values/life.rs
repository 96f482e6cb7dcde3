//! A life: what is known of a value's times beside its deadline, if that is needed.

use core::time::Duration;

use crate::Instant;

/// How long values are of use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeping {
    /// How long values are held beyond their deadline, to be served stale; without a limit, not at all.
    pub(crate) hold: Option<Duration>,
    /// How long a value is fresh that is not asked for.
    pub(crate) idle: Option<Duration>,
    /// Whether [`Values::life`](super::Values::life) is used.
    pub(crate) lives: bool,
    /// Whether a hit may begin a refresh.
    pub(crate) inline: bool,
}

/// From when until when a value is fresh if it is asked for, and when its load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) since: Instant,
    pub(crate) end: Instant,
    pub(crate) begun: Instant,
}

impl Keeping {
    /// Returns whether a hit needs more than a look: because it prolongs a life, or because it may begin a refresh.
    pub(crate) const fn looks_at_each_hit(&self) -> bool {
        self.idle.is_some() || self.inline
    }

    /// Returns whether it takes a look at a value to know that it is fresh: those that have ended may still be held.
    pub(crate) const fn needs_each_end(&self) -> bool {
        self.hold.is_some() || self.looks_at_each_hit()
    }

    /// Returns when a value that expires at `deadline` is due.
    pub(super) fn due(&self, deadline: Instant) -> Instant {
        // The limit of staleness is inclusive: at that exact instant the value may still be served.
        let last = |hold| deadline.saturating_add(hold).saturating_add(Duration::from_nanos(1));
        self.hold.map_or(deadline, last)
    }
}
