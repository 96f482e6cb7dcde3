//! What a lookup is content with.

use std::time::Duration;

/// What a lookup takes of the second tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Any fresh value.
    Fresh,
    /// An early refresh takes one that was published less long ago than this: it is newer than what is held.
    Newer(Duration),
    /// A reload takes one that was published since it was asked for, so long ago: the load of another process, which it has
    /// joined. Whatever was there before is not enough, nor is one of which nobody knows how old it is.
    Loaded(Duration),
}

impl Wanted {
    /// What an early refresh takes in place of a value of this age.
    ///
    /// Both tiers count from the publication, but for the way there and back, which is shorter than the deadline of a call. The
    /// ends of its lives would not tell: the first tier's own is nearer by its jitter and its idle time.
    pub(crate) const fn newer_than(age: Duration, deadline: Duration) -> Self {
        Self::Newer(age.saturating_sub(deadline))
    }

    /// From which age on a value is not enough.
    pub(crate) const fn age(self) -> Option<Duration> {
        match self {
            Self::Fresh => None,
            Self::Newer(age) | Self::Loaded(age) => Some(age),
        }
    }
}
