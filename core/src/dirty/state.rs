//! The state of one entry: whether its content is on disk.

use crate::Instant;

/// One change of an entry: when it was made, and its number among all changes of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change {
    pub(crate) at: Instant,
    pub(crate) number: u64,
}

/// Whether an entry's content is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Clean,
    /// Not written, since this change.
    Dirty(Change),
    /// Being written, since this change.
    Flushing(Change),
    /// Being written, since the first of these changes; what is written lacks the second.
    Again(Change, Change),
}

impl State {
    /// Returns the change since which the content is not on disk.
    pub(crate) const fn since(&self) -> Option<Change> {
        match self {
            Self::Clean => None,
            Self::Dirty(since) | Self::Flushing(since) | Self::Again(since, _) => Some(*since),
        }
    }

    /// Returns that change and, if a flush is under way that lacks it, the first one after that.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> + use<> {
        let after = if let Self::Again(_, change) = self { Some(*change) } else { None };
        self.since().into_iter().chain(after)
    }

    /// Returns whether a flush is under way.
    pub(crate) const fn is_flushing(&self) -> bool {
        matches!(self, Self::Flushing(_) | Self::Again(..))
    }

    /// The content has changed.
    pub(super) const fn changed(self, change: Change) -> Self {
        match self {
            Self::Clean => Self::Dirty(change),
            Self::Flushing(since) => Self::Again(since, change),
            Self::Dirty(_) | Self::Again(..) => self,
        }
    }

    /// A flush begins; `None` if there is nothing to write, or it is being written already.
    pub(super) const fn begun(self) -> Option<Self> {
        match self {
            Self::Dirty(since) => Some(Self::Flushing(since)),
            _ => None,
        }
    }

    /// The flush has ended.
    pub(super) const fn ended(self, is_written: bool) -> Self {
        match (self, is_written) {
            (Self::Flushing(_), true) => Self::Clean,
            (Self::Again(_, change), true) => Self::Dirty(change),
            (Self::Flushing(since) | Self::Again(since, _), false) => Self::Dirty(since),
            (other, _) => other,
        }
    }
}

#[cfg(test)]
mod tests;
