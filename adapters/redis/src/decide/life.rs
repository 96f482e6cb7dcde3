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

/// When a value was loaded, and how old it was then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) begun: Instant,
    pub(crate) now: Instant,
    /// Now, since 1970, for ends that are dates.
    pub(crate) wall: Duration,
    pub(crate) age: Duration,
}

/// Returns what is left of the life of a value whose load has said this; what it does not say, the tier does.
///
/// It counts as in a first tier, so that both hold the value for as long.
pub(crate) fn life_of(said: Ttl, usual: Ttl, times: Times) -> Life {
    let Times { begun, now, wall, age } = times;
    let left = match said {
        Ttl::Inherit if usual == Ttl::Inherit => return Life::Endless,
        Ttl::Inherit => return life_of(usual, Ttl::Inherit, times),
        Ttl::Forever => return Life::Endless,
        Ttl::For(length) => length.saturating_sub(age),
        _ => match (said.as_from_begin(), said.as_until()) {
            (Some(length), _) => length.saturating_sub(now.saturating_since(begun)).saturating_sub(age),
            // A date bounds what the tier says.
            (_, Some(end)) => match life_of(usual, Ttl::Inherit, times) {
                Life::For(left) => left.min(end.saturating_sub(wall)),
                Life::Endless => end.saturating_sub(wall),
                Life::Unshared => return Life::Unshared,
            },
            _ => return Life::Unshared,
        },
    };
    // (The server counts in milliseconds.)
    if left < Duration::from_millis(1) { Life::Unshared } else { Life::For(left) }
}

/// Returns what a first tier is told of a value that is not to be shared: it has no lifetime of its own to fall back on, nor
/// one that would bound a date.
pub(crate) fn unshared(said: Ttl, usual: Ttl) -> Ttl {
    let said = if said == Ttl::Inherit { usual } else { said };
    if said.as_until().is_some() { Ttl::NotStored } else { said }
}

/// Returns the life, as it is told of a value of this age, when its begin is known no better than to lie between `asked` and
/// `now`.
///
/// The way is counted against the value, so it is never fresh here for longer than there.
pub(crate) fn left(life: Life, age: Duration, asked: Instant, now: Instant) -> Ttl {
    match life {
        Life::Endless => Ttl::Forever,
        Life::For(left) => of_age(left.saturating_sub(now.saturating_since(asked)), age),
        Life::Unshared => Ttl::NotStored,
    }
}

/// What is left to a value of this age, as its whole life.
fn of_age(left: Duration, age: Duration) -> Ttl {
    if left.is_zero() { Ttl::NotStored } else { Ttl::For(left.saturating_add(age)) }
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
pub(crate) fn held(stored: Option<bool>, life: Life, age: Duration, sent: Instant, now: Instant) -> Ttl {
    match stored {
        Some(true) => left(life, age, sent, now),
        Some(false) | None => Ttl::NotStored,
    }
}

/// Returns how long the first tier holds what was loaded without the second, and is to be shared.
pub(crate) fn held_alone(life: Life, age: Duration, longest: Duration) -> Ttl {
    match life {
        Life::For(left) => of_age(left.min(longest), age),
        Life::Endless => of_age(longest, age),
        Life::Unshared => Ttl::NotStored,
    }
}

/// Returns how long the first tier holds what others than the tier have put there, if they do not say: its builder has said this.
///
/// No longer than what is loaded without the second tier: whether somebody would tell this process when it changes, nobody knows
/// at that time.
pub(crate) fn held_unled(said: Ttl, longest: Duration) -> Ttl {
    match said {
        Ttl::NotStored => said,
        Ttl::For(length) => Ttl::For(length.min(longest)),
        _ => Ttl::For(longest),
    }
}

#[cfg(test)]
mod tests;
