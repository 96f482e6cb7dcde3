//! How long values live: on the server, and in the first tier.

use std::time::Duration;

use larder::{Instant, Ttl};

/// How long a loaded value is fresh in the second tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    For(Duration),
    Endless,
    /// It is for its own caller, or not to be stored, or over by now.
    Unshared,
}

/// Returns the life of a value whose load has said this, and began and ended at these times.
///
/// `wall` is the time since 1970, for ends that are dates.
pub(crate) fn life_of(said: Ttl, usual: Ttl, begun: Instant, now: Instant, wall: Duration) -> Life {
    let said = if said == Ttl::Inherit { usual } else { said };
    let length = match said {
        Ttl::For(length) => length,
        Ttl::Forever => return Life::Endless,
        _ => match (said.as_from_begin(), said.as_until()) {
            (Some(length), _) => length.saturating_sub(now.saturating_since(begun)),
            (_, Some(end)) => end.saturating_sub(wall),
            _ => return Life::Unshared,
        },
    };
    // (The server counts in milliseconds.)
    if length < Duration::from_millis(1) { Life::Unshared } else { Life::For(length) }
}

/// Returns what is left of a life when its begin is known no better than to lie between `asked` and `now`.
///
/// The way is counted against the value, so it is never fresh here for longer than there.
pub(crate) fn left(life: Life, asked: Instant, now: Instant) -> Ttl {
    match life {
        Life::Endless => Ttl::Forever,
        Life::For(length) => Ttl::For(length.saturating_sub(now.saturating_since(asked))),
        Life::Unshared => Ttl::NotStored,
    }
}

/// Returns the whole life of a value that was found, and how old it is now, at least.
///
/// It was asked for at `asked`, and its age was told somewhere on the way back: what is left of its life is at most what
/// was left when it was asked for.
pub(crate) fn found(life: Life, age: Duration, asked: Instant, now: Instant) -> (Ttl, Duration) {
    let way = now.saturating_since(asked);
    match life {
        Life::For(left) => (Ttl::For(left.saturating_add(age)), age.saturating_add(way)),
        // (How old it is, nobody knows.)
        Life::Endless => (Ttl::Forever, way),
        Life::Unshared => (Ttl::NotStored, way),
    }
}

/// Returns for how long a value that was found has been stale by now.
///
/// It is told as far as the clock reaches back: a process that has just begun may be served what was stale before that.
pub(crate) fn stale_since(since: Duration, asked: Instant, now: Instant) -> Duration {
    let since = since.saturating_add(now.saturating_since(asked));
    since.min(Duration::from_nanos(now.as_nanos().saturating_sub(1)))
}

/// Returns how long the first tier holds a value of its own load, by what the server has said to its publication.
///
/// Refused means that a write or a later load came first: the value is for those who asked before. If there was no
/// answer, nobody knows.
pub(crate) fn held(stored: Option<bool>, life: Life, sent: Instant, now: Instant) -> Ttl {
    match stored {
        Some(true) => left(life, sent, now),
        Some(false) | None => Ttl::NotStored,
    }
}

/// Returns how long the first tier holds what was loaded without the second.
pub(crate) fn held_alone(said: Ttl, life: Life, longest: Duration) -> Ttl {
    match life {
        Life::For(length) => Ttl::For(length.min(longest)),
        Life::Endless => Ttl::For(longest),
        Life::Unshared => said,
    }
}

#[cfg(test)]
mod tests;
