//! What a forwarder did.

use std::{
    fmt,
    ops::Sub,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use larder_tokio::Status;

/// Counts what happens.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) questions: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) junk: AtomicU64,
    pub(crate) refused: AtomicU64,
    hits: AtomicU64,
    joins: AtomicU64,
    stale: AtomicU64,
}

impl Counters {
    /// Counts an answer, by how it was come by.
    pub(crate) fn answered(&self, status: Status) {
        let counter = match status {
            Status::Hit => &self.hits,
            Status::LockHit => &self.joins,
            Status::Stale(_) => &self.stale,
            Status::Miss | Status::Expired => &self.answered,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn report(&self, upstream: u64) -> Report {
        let [hits, joins, stale] = [&self.hits, &self.joins, &self.stale].map(|counter| counter.load(Relaxed));
        Report {
            questions: self.questions.load(Relaxed),
            answered: self.answered.load(Relaxed) + hits + joins + stale,
            junk: self.junk.load(Relaxed),
            refused: self.refused.load(Relaxed),
            upstream,
            hits,
            joins,
            stale,
        }
    }
}

/// What a forwarder did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) questions: u64,
    /// Those that got an answer; the others got an error code.
    pub(crate) answered: u64,
    pub(crate) junk: u64,
    /// Questions that are not answered here, or not to that client.
    pub(crate) refused: u64,
    /// Questions sent to the upstream, repeated ones included.
    pub(crate) upstream: u64,
    pub(crate) hits: u64,
    pub(crate) joins: u64,
    pub(crate) stale: u64,
}

impl Sub for Report {
    type Output = Self;

    /// Returns what happened since an earlier report.
    fn sub(self, earlier: Self) -> Self {
        Self {
            questions: self.questions - earlier.questions,
            answered: self.answered - earlier.answered,
            junk: self.junk - earlier.junk,
            refused: self.refused - earlier.refused,
            upstream: self.upstream - earlier.upstream,
            hits: self.hits - earlier.hits,
            joins: self.joins - earlier.joins,
            stale: self.stale - earlier.stale,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, answered, junk, refused, upstream, hits, joins, stale } = self;
        write!(
            f,
            "{questions} questions, {answered} answered: {hits} from the cache, {joins} by joining another's question, \
             {stale} stale; {refused} refused; {upstream} questions to the upstream; {junk} bad packets"
        )
    }
}

/// What a cache holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) answers: u64,
    /// How many bytes those take, and how many they may.
    pub(crate) memory: u64,
    pub(crate) limit: u64,
    /// Questions under way.
    pub(crate) loads: u64,
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, memory, limit, loads } = self;
        write!(f, "{answers} answers held in {} of {} KiB; {loads} questions under way", memory >> 10, limit >> 10)
    }
}
