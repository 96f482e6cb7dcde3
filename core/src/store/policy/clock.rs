//! Time as the eviction policy counts it: in misses.

/// A coarse clock that advances with the weight of what is inserted, one tick for each sixteenth of the capacity.
///
/// A stamp is the clock's reading, 16 bits that wrap; all comparisons are therefore made between ages.
#[derive(Debug)]
pub(super) struct Clock {
    now: u16,
    since_tick: u64,
    period: u64,
}

/// How many ticks the insertion of one capacity takes.
pub(super) const TICKS_PER_CAPACITY: u16 = 16;

impl Clock {
    pub(super) fn new(capacity: u64) -> Self {
        Self { now: 0, since_tick: 0, period: period(capacity) }
    }

    /// Changes what a tick stands for; the ages of existing stamps keep their number of ticks.
    pub(super) fn set_capacity(&mut self, capacity: u64) {
        self.period = period(capacity);
    }

    #[cfg_attr(feature = "std", inline(always))]
    pub(super) fn advance(&mut self, weight: u64) {
        self.since_tick = self.since_tick.saturating_add(weight);
        if self.since_tick >= self.period {
            // An insertion heavier than the capacity counts like one that fills it, or the stamps would wrap at once.
            let ticks = (self.since_tick / self.period).min(u64::from(TICKS_PER_CAPACITY));
            self.since_tick %= self.period;
            self.now = self.now.wrapping_add(ticks as u16);
        }
    }

    /// Returns the stamp of the present moment.
    pub(super) fn now(&self) -> u16 {
        self.now
    }

    /// Returns the weight that was inserted since `stamp` was taken, to a tick.
    pub(super) fn weight_since(&self, stamp: u16) -> u64 {
        self.period.saturating_mul(self.age(stamp).into())
    }

    /// Returns how many ticks ago `stamp` was taken.
    pub(super) fn age(&self, stamp: u16) -> u16 {
        self.now.wrapping_sub(stamp)
    }
}

fn period(capacity: u64) -> u64 {
    (capacity / u64::from(TICKS_PER_CAPACITY)).max(1)
}

#[cfg(test)]
mod tests;
