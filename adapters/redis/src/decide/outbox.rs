//! What still has to be said to the server: writes that nobody has acknowledged, and leases to be given back.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use larder::Instant;

/// What a write does to the value in the second tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It becomes stale.
    Expire,
    /// It goes.
    Invalidate,
}

/// A write to be sent, under its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Void {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) sent: Sent,
}

/// The number of a write that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent(u64);

/// A lease to be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) cool_down: Duration,
    /// When the server has forgotten it anyhow.
    pub(crate) until: Instant,
}

/// Unacknowledged writes, one for each key, and leases.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    writes: HashMap<String, Write>,
    /// The names of writes that are not under way, in order, each at most once. (Some may have been settled since.)
    due: VecDeque<String>,
    /// How many writes have failed, and not been acknowledged since.
    unsaid: usize,
    releases: VecDeque<Release>,
    last: u64,
}

#[derive(Debug)]
struct Write {
    kind: Kind,
    number: u64,
    /// Its name is in the queue.
    is_queued: bool,
    is_due: bool,
    /// It has failed before: the second tier may hold what was written over.
    is_unsaid: bool,
}

impl Outbox {
    /// Notes a write that is about to be sent; returns its number, and what has to be sent.
    ///
    /// That is what the stronger of it and of an earlier one, which is not acknowledged yet, asks for.
    pub(crate) fn begin(&mut self, name: &str, kind: Kind) -> (Sent, Kind) {
        self.last += 1;
        let number = self.last;
        let new = Write { kind, number, is_queued: false, is_due: false, is_unsaid: false };
        let write = self.writes.entry(name.into()).or_insert(new);
        (write.kind, write.number, write.is_due) = (write.kind.max(kind), number, false);
        (Sent(number), write.kind)
    }

    /// The server has acknowledged it. Returns whether nothing is left to be said of that key.
    pub(crate) fn acknowledged(&mut self, name: &str, Sent(number): Sent) -> bool {
        let Some(write) = self.writes.get(name) else { return true };
        if write.number != number {
            return false;
        }
        self.unsaid -= usize::from(write.is_unsaid);
        self.writes.remove(name);
        true
    }

    /// Is there a write of this key that has failed, and has not been acknowledged since?
    pub(crate) fn is_unsaid(&self, name: &str) -> bool {
        self.unsaid > 0 && self.writes.get(name).is_some_and(|write| write.is_unsaid)
    }

    /// How many such writes there are.
    pub(crate) const fn unsaid(&self) -> usize {
        self.unsaid
    }

    /// Nobody knows whether the server has heard of it: it is to be sent again, unless a later one is under way.
    pub(crate) fn failed(&mut self, name: &str, Sent(number): Sent) {
        if let Some(write) = self.writes.get_mut(name)
            && write.number == number
        {
            self.unsaid += usize::from(!write.is_unsaid);
            (write.is_due, write.is_unsaid) = (true, true);
            if !std::mem::replace(&mut write.is_queued, true) {
                self.due.push_back(name.into());
            }
        }
    }

    /// Takes up to `limit` writes that are to be sent again; they are under way then.
    pub(crate) fn take_due(&mut self, limit: usize) -> Vec<Void> {
        let mut taken = Vec::new();
        while taken.len() < limit
            && let Some(name) = self.due.pop_front()
        {
            let Some(write) = self.writes.get_mut(&name) else { continue };
            write.is_queued = false;
            if write.is_due {
                let kind = write.kind;
                let (sent, kind) = self.begin(&name, kind);
                taken.push(Void { name, kind, sent });
            }
        }
        taken
    }

    /// Notes a lease that nobody uses any more.
    pub(crate) fn release(&mut self, release: Release) {
        self.releases.push_back(release);
    }

    /// Takes up to `limit` leases that are still worth giving back.
    pub(crate) fn take_releases(&mut self, now: Instant, limit: usize) -> Vec<Release> {
        let mut taken = Vec::new();
        while let Some(first) = self.releases.front()
            && (taken.len() < limit || first.until <= now)
            && let Some(release) = self.releases.pop_front()
        {
            if now < release.until {
                taken.push(release);
            }
        }
        taken
    }

    /// Forgets the leases that are over, so that they do not pile up while nobody listens.
    pub(crate) fn drop_releases(&mut self, now: Instant) {
        self.releases.retain(|release| now < release.until);
    }

    pub(crate) fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Is there a write to be sent again?
    pub(crate) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn has_work(&self) -> bool {
        self.has_due() || !self.releases.is_empty()
    }
}

#[cfg(test)]
mod tests;
