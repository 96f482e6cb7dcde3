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
    /// When the first barrier of this connection was asked.
    begun: Instant,
    /// When the last one that was answered was asked; until then, the first.
    heard: Instant,
    /// When the last one was asked, and how many have not been answered.
    asked: Instant,
    unanswered: usize,
    /// How often in a row there was no connection to be had, or it did not hold.
    failures: u32,
}

/// What to do with a connection next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When the last ping is old enough: ask another, whether or not that one has been answered.
    Ping,
    /// When it is recent: wait for answers, until then.
    Wait(Instant),
    /// When the hearing limit is reached: give the connection up, and forget what is held.
    Deaf,
}

impl Hearing {
    pub(crate) const fn new(limit: Duration, every: Duration) -> Self {
        Self {
            limit,
            every,
            begun: Instant::ZERO,
            heard: Instant::ZERO,
            asked: Instant::ZERO,
            unanswered: 0,
            failures: 0,
        }
    }

    /// A barrier is asked.
    pub(crate) const fn asked(&mut self, now: Instant) {
        self.asked = now;
        self.unanswered += 1;
    }

    /// The server has answered a barrier that was asked then.
    pub(crate) fn answered(&mut self, asked: Instant) {
        self.heard = self.heard.max(asked);
        self.unanswered = self.unanswered.saturating_sub(1);
        // (A connection that was made and lost at once is no success.)
        if asked != self.begun {
            self.failures = 0;
        }
    }

    /// A new connection listens, and its first barrier is asked. What came before is of another connection.
    pub(crate) const fn connected(&mut self, now: Instant) {
        (self.begun, self.heard, self.asked, self.unanswered) = (now, now, now, 1);
    }

    /// Several pings may be on their way: if each waited for the one before, a server that answers later than half of the
    /// limit would not be heard.
    pub(crate) fn next(&self, now: Instant) -> Next {
        /// So many, for a limit that is very long.
        const MOST: usize = 64;
        let end = self.trusted_until();
        let due = if self.unanswered < MOST { self.asked.saturating_add(self.every) } else { end };
        if end <= now {
            Next::Deaf
        } else if due <= now {
            Next::Ping
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
