//! How much of the capacity the probation queue may fill, learned from entries that come back.

/// Shares of the capacity are given in 1/1024 of it.
const BITS: u32 = 10;

const START: u64 = 61; // 6%
const LEAST: u64 = 10; // 1%
const MOST: u64 = 922; // 90%

/// The weight that the probation queue should have.
///
/// It is held in 1/1024 of a weight of one, fine enough for the slow drift. For a capacity too large for that, it is
/// held in whole units.
#[derive(Debug)]
pub(super) struct Share {
    capacity: u64,
    target: u64,
    /// The bounds of the target.
    least: u64,
    most: u64,
    /// How many bits of these three are a fraction.
    fraction: u32,
    /// What was learned until the last change of the capacity, in 1/2^32 of it.
    learned: u32,
}

impl Share {
    pub(super) fn new(capacity: u64) -> Self {
        let learned = (START as u32) << (32 - BITS);
        let mut share = Self { capacity: 0, target: 1, least: 1, most: 1, fraction: 0, learned };
        share.set_capacity(capacity);
        share
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Keeps the learned share of the whole.
    pub(super) fn set_capacity(&mut self, capacity: u64) {
        let whole = |share: &Self| u128::from(share.capacity) << share.fraction;
        let kept = |share: &Self| ((whole(share) * u128::from(share.learned)) >> 32) as u64;
        // The target is at least one: of so little capacity that this is more than was learned, nothing is learned.
        if self.target != self.scaled(1) || self.target < kept(self) {
            // Rounded up, so that nothing is lost although the capacity of a shard may change often.
            self.learned = (u128::from(self.target) << 32).div_ceil(whole(self).max(1)) as u32;
        }
        self.capacity = capacity;
        self.bound();
        self.set(kept(self));
    }

    /// Notes that a longer probation queue would have kept an entry of this weight.
    pub(super) fn widen(&mut self, weight: u64) {
        self.set(self.target.saturating_add(self.scaled(weight)));
    }

    /// Notes that a longer main queue would have kept an entry of this weight.
    ///
    /// The step is a quarter larger than that of [`widen`](Self::widen), as the main queue is worth a little more.
    pub(super) fn narrow(&mut self, weight: u64) {
        let step = self.scaled(weight);
        self.set(self.target.saturating_sub(step).saturating_sub(step / 4));
    }

    /// Notes that an entry of this weight left probation unused: without returns, the share slowly shrinks.
    pub(super) fn drift(&mut self, weight: u64) {
        let step = if self.fraction == BITS { weight.saturating_mul(2) } else { weight >> (BITS - 1) };
        self.target = self.target.saturating_sub(step).max(self.least);
    }

    /// Returns whether a probation queue of this weight is too long.
    pub(super) fn is_exceeded(&self, probation: u64) -> bool {
        probation > self.whole()
    }

    /// Returns whether an entry with this weight behind it is in the newer half of a probation queue of the right size.
    pub(super) fn is_in_front(&self, behind: u64) -> bool {
        behind < self.whole() / 2
    }

    /// Returns whether a main queue of this weight leaves the probation queue its share.
    pub(super) fn is_respected(&self, main: u64) -> bool {
        self.capacity.checked_sub(main).is_some_and(|rest| self.whole() <= rest)
    }

    /// Returns how much longer a queue is imagined to be when asked whether it would still hold an entry.
    pub(super) fn window(&self) -> u64 {
        (self.capacity / 64 * 3 + self.capacity % 64 * 3 / 64).max(1)
    }

    /// Returns the target without the fraction; with it, one queue would always lack a part and draw on the other.
    fn whole(&self) -> u64 {
        self.target >> self.fraction
    }

    fn set(&mut self, target: u64) {
        self.target = target.min(self.most).max(self.least);
    }

    fn bound(&mut self) {
        self.fraction = if self.capacity.leading_zeros() >= BITS { BITS } else { 0 };
        (self.least, self.most) = (self.part(LEAST).max(self.scaled(1)), self.part(MOST));
    }

    /// So many 1/1024 of the capacity, in the units of the target.
    fn part(&self, parts: u64) -> u64 {
        (self.capacity >> (BITS - self.fraction)) * parts
    }

    /// A weight, in the units of the target.
    fn scaled(&self, weight: u64) -> u64 {
        weight.saturating_mul(1 << self.fraction)
    }
}

#[cfg(test)]
mod tests;
