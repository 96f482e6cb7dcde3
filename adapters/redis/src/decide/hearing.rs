//! Whether this process hears.
//!
//! A server writes notices and answers to one connection in order, and acknowledges a write no earlier than it has written
//! its notices. So an answered ping is a barrier: what was acknowledged before the ping was asked has been heard. A process
//! hears as long as the last such ping was asked less than the hearing limit ago; it is the tier's only circuit breaker.

use std::time::Duration;

use larder::Instant;

/// When to ask, and when to give a connection up.
#[derive(Debug)]
pub(crate) struct Hearing {
    limit: Duration,
    every: Duration,
    /// When the last barrier that was answered was asked.
    heard: Instant,
    /// How often in a row there was no connection to be had, or it did not hold.
    failures: u32,
}

/// What to do with a connection next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When the last ping is old enough: ask another, and give the connection up if there is no answer until then.
    Ping(Instant),
    /// When the last ping is recent: wait until then.
    Wait(Instant),
    /// When the hearing limit is reached: give the connection up, and forget what is held.
    Deaf,
}

impl Hearing {
    pub(crate) const fn new(limit: Duration, every: Duration) -> Self {
        Self { limit, every, heard: Instant::ZERO, failures: 0 }
    }

    /// The server has answered a barrier that was asked then.
    pub(crate) fn answered(&mut self, asked: Instant) {
        self.heard = self.heard.max(asked);
        self.failures = 0;
    }

    /// A new connection listens; the call that began it was asked then. What came before is of another connection.
    pub(crate) const fn connected(&mut self, asked: Instant) {
        self.heard = asked;
    }

    pub(crate) fn next(&self, now: Instant) -> Next {
        let end = self.trusted_until();
        let due = self.heard.saturating_add(self.every);
        if end <= now {
            Next::Deaf
        } else if due <= now {
            Next::Ping(end)
        } else {
            Next::Wait(due.min(end))
        }
    }

    /// Until when everything that was heard is all there was to hear.
    pub(crate) const fn trusted_until(&self) -> Instant {
        self.heard.saturating_add(self.limit)
    }

    /// How long to wait before the next connection is tried; `random` is from 0 to 1.
    ///
    /// It doubles up to half a second, and is spread so that a fleet does not come back at once.
    pub(crate) fn pause(&mut self, random: f64) -> Duration {
        const FIRST: Duration = Duration::from_millis(20);
        const LAST: Duration = Duration::from_millis(500);
        let pause = FIRST.saturating_mul(1 << self.failures.min(10)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        pause.mul_f64(0.5 + random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests;
