//! What the server's answer to a lookup means, and what to do then.

use std::time::Duration;

use super::Life;

/// The answer to a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) state: State,
    /// What is left of the fresh life, when the server answered.
    pub(crate) life: Life,
    pub(crate) age: Duration,
    /// For how long it has been stale, if it is.
    pub(crate) stale_since: Duration,
    pub(crate) lease_left: Duration,
    /// Values of this kind are not shared: each process loads its own.
    pub(crate) each_its_own: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) epoch: Vec<u8>,
    pub(crate) attempt: i64,
    /// What its load has said that it weighs; zero if it has not.
    pub(crate) weight: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// `F`: there is a fresh value.
    Fresh,
    /// `L`: there is none, and the lease is ours.
    Lead,
    /// `R`: there is one, stale or soon to be, and the lease is ours.
    Refresh,
    /// `S`: there is a stale one, and the lease is not ours.
    Stale,
    /// `C`: a load has failed and is not to be tried again yet.
    Cooling,
    /// `W`: another process loads.
    Wait,
}

/// The parts of an answer as they come from the wire.
pub(crate) type Parts = (Vec<u8>, i64, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>, i64, u64);

impl Found {
    /// Reads an answer; `None` if it is none.
    pub(crate) fn read((state, left, age, lease, kind, payload, epoch, attempt, weight): Parts) -> Option<Self> {
        let state = match &*state {
            b"F" => State::Fresh,
            b"L" => State::Lead,
            b"R" => State::Refresh,
            b"S" => State::Stale,
            b"C" => State::Cooling,
            b"W" => State::Wait,
            _ => return None,
        };
        let millis = |time: i64| Duration::from_millis(u64::try_from(time).unwrap_or(0));
        let life = if state == State::Fresh && left < 0 { Life::Endless } else { Life::For(millis(left)) };
        let each_its_own = kind == b"x";
        let stale_since = millis(left.saturating_neg());
        let (age, lease_left) = (millis(age), millis(lease));
        Some(Self { state, life, age, stale_since, lease_left, each_its_own, payload, epoch, attempt, weight })
    }

    /// Whether this process now has the lease that it asked for.
    pub(crate) const fn is_lease(&self) -> bool {
        matches!(self.state, State::Lead | State::Refresh)
    }
}

/// What a caller does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<V> {
    /// Serve this; it is as fresh as the answer said.
    Serve(V),
    /// Serve this stale value, since another process is refreshing it, or a failure is cooling down.
    ServeStale(V),
    /// Load, under the lease; this is what there was.
    Lead(Option<V>),
    /// Load without a lease: the value is not shared.
    LoadOwn,
    /// Look again, as if nothing were there: it could not be read.
    LookBlind,
    /// Fail: the load has failed elsewhere, and is not to be tried again for this long.
    Fail(Duration),
    /// Wait for a notice, for this long at most, and look again.
    Wait(Duration),
}

/// Decides what an answer means; `read` reads a payload, and `random`, from 0 to 1, spreads the looks of those who wait.
pub(crate) fn step<V>(found: &Found, read: impl FnOnce(&[u8]) -> Option<V>, poll: Duration, random: f64) -> Step<V> {
    let has_value = matches!(found.state, State::Fresh | State::Refresh | State::Stale);
    let value = if has_value && !found.each_its_own { read(&found.payload) } else { None };
    match (found.state, value) {
        (State::Fresh, Some(value)) => Step::Serve(value),
        (State::Stale, Some(value)) => Step::ServeStale(value),
        (State::Lead | State::Refresh, previous) => Step::Lead(previous),
        (State::Fresh, None) if found.each_its_own => Step::LoadOwn,
        // (What was not shared is as good as nothing: the process with the lease loads it.)
        (State::Stale, None) if found.each_its_own => Step::LoadOwn,
        (State::Fresh | State::Stale, None) => Step::LookBlind,
        (State::Cooling, _) => Step::Fail(found.lease_left),
        (State::Wait, _) => {
            let spread = poll.as_secs_f64() * (0.75 + random.clamp(0.0, 1.0) / 2.0);
            let spread = Duration::try_from_secs_f64(spread).unwrap_or(Duration::MAX);
            Step::Wait(spread.min(found.lease_left.max(Duration::from_millis(1))))
        }
    }
}

#[cfg(test)]
mod tests;
