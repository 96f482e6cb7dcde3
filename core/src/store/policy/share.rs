//! How much of the capacity the probation queue may fill, learned from what comes back.

/// The unit in which shares of the capacity and steps of the target are given: fine enough for the slow drift.
const UNIT: u128 = 1024;

const START: u64 = 82; // 8%
const LEAST: u64 = 10; // 1%
const MOST: u64 = 922; // 90%

/// The weight that the probation queue should have, in 1/1024 of a weight of one.
///
/// Held in 128 bits: an unbounded capacity has no room for the fraction in 64.
#[derive(Debug)]
pub(super) struct Share {
    capacity: u64,
    target: u128,
    /// The bounds of the target.
    least: u128,
    most: u128,
}

impl Share {
    pub(super) fn new(capacity: u64) -> Self {
        let mut share = Self { capacity, target: 0, least: 0, most: 0 };
        share.bound();
        share.set(u128::from(capacity) * u128::from(START));
        share
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Keeps the part of the whole that was learned, to 1/1024.
    pub(super) fn set_capacity(&mut self, capacity: u64) {
        // Both numbers cut to what a division in 64 bits can take; the quotient is the part of the whole.
        let shift = 32_u32.saturating_sub(self.capacity.leading_zeros());
        let part = ((self.target >> shift) as u64).checked_div(self.capacity >> shift).unwrap_or(START);
        self.capacity = capacity;
        self.bound();
        self.set(u128::from(capacity) * u128::from(part));
    }

    /// Notes that a longer probation queue would have kept an entry of this weight.
    pub(super) fn widen(&mut self, weight: u64) {
        self.set(self.target + u128::from(weight) * UNIT);
    }

    /// Notes that a longer main queue would have kept an entry of this weight.
    ///
    /// The step is a quarter larger than that of [`widen`](Self::widen), as the main queue is worth a little more.
    pub(super) fn narrow(&mut self, weight: u64) {
        self.set(self.target.saturating_sub(u128::from(weight) * (UNIT + UNIT / 4)));
    }

    /// Notes that an entry of this weight left probation unused: without evidence the share slowly shrinks.
    pub(super) fn drift(&mut self, weight: u64) {
        self.set(self.target.saturating_sub(u128::from(weight) * 2));
    }

    /// Returns whether a probation queue of this weight is longer than it should be.
    pub(super) fn is_exceeded(&self, probation: u128) -> bool {
        probation > self.whole()
    }

    /// Returns whether a main queue of this weight leaves to the probation queue what that should have.
    pub(super) fn is_respected(&self, main: u128) -> bool {
        main + self.whole() <= u128::from(self.capacity)
    }

    /// Returns how much longer a queue is imagined to be when asked whether it would still hold an entry.
    pub(super) fn window(&self) -> u128 {
        (u128::from(self.capacity) * 3 / 64).max(1)
    }

    /// Returns the target without the fraction, lest one queue always has a part too little and draws on the other.
    fn whole(&self) -> u128 {
        self.target / UNIT
    }

    fn set(&mut self, target: u128) {
        self.target = target.min(self.most).max(self.least);
    }

    fn bound(&mut self) {
        let capacity = u128::from(self.capacity);
        (self.least, self.most) = ((capacity * u128::from(LEAST)).max(UNIT), capacity * u128::from(MOST));
    }
}

#[cfg(test)]
mod tests;
