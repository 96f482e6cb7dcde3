//! How soon an entry has to come back for the main queue to take it at once, learned from those that it took.

/// A gate this wide lets in all that comes back sooner than the main queue goes round.
const OPEN: i16 = 1 << 14;

/// The gate never closes, or nothing would come through that could open it again.
const LEAST: i16 = OPEN / 16;

/// The gate before the main queue: a part of the time that this takes to go round, in 1/16384.
///
/// One quick return may be chance. Where popularity is steady, most of what comes back once is less wanted than what it
/// pushes out, unless it came back very soon; where popularity moves, any return is worth a try.
#[derive(Debug)]
pub(super) struct Gate {
    width: i16,
}

impl Gate {
    pub(super) const fn new() -> Self {
        Self { width: OPEN }
    }

    /// Returns whether an entry that was away for `age` comes through, if the main queue goes round in `round`.
    pub(super) fn lets_in(&self, age: u16, round: u16) -> bool {
        i32::from(age) * i32::from(OPEN) < i32::from(round) * i32::from(self.width)
    }

    /// Learns from an entry at the end of the main queue: was it used since it came there?
    ///
    /// One that is `on_trial` came through the gate and is at the end for the first time: it tells whether what comes
    /// through is worth its place, as it is where two in three are used. The others tell whether what the main
    /// queue holds still is. Nearly all of them are used, so that one which is not weighs as much as a dozen; it is the
    /// first sign that popularity has moved.
    pub(super) fn learn(&mut self, on_trial: bool, used: bool) {
        let step = match (on_trial, used) {
            (true, true) => 24,
            (true, false) => -48,
            (false, true) => -7,
            (false, false) => 96,
        };
        self.width = (self.width + step).clamp(LEAST, OPEN);
    }
}

#[cfg(test)]
mod tests;
