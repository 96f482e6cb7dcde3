//! What the benchmarks share: the caches side by side, numbers that repeat, and what is made of times that do not.

pub mod peers;
mod source;

pub use source::{Answer, Bare, Failed, Source};

/// A generator of pseudo-random numbers, the same ones every time.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts a sequence.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number (SplitMix64).
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns the next number in `0..1`.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Draws keys whose popularity falls with a power of their rank.
#[derive(Clone, Debug)]
pub struct Zipf(Vec<f64>);

impl Zipf {
    /// Prepares a draw among the ranks `0..keys`.
    pub fn new(keys: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let sums = (1..=keys).map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        });
        Self(sums.collect())
    }

    /// Draws a rank.
    pub fn draw(&self, random: &mut Random) -> u64 {
        let total = self.0.last().copied().unwrap_or(0.0);
        let point = random.share() * total;
        self.0.partition_point(|sum| *sum <= point) as u64
    }
}

/// The lower quartile, the median and the upper quartile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quartiles {
    /// A quarter of the values is smaller.
    pub lower: f64,
    /// Half of the values are smaller.
    pub median: f64,
    /// A quarter of the values is larger.
    pub upper: f64,
}

impl Quartiles {
    /// Sorts the values and picks; all zero if there are none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let pick = |quarter: usize| values.get((values.len() * quarter / 4).min(values.len().saturating_sub(1)));
        let pick = |quarter| pick(quarter).copied().unwrap_or(0.0);
        Self { lower: pick(1), median: pick(2), upper: pick(3) }
    }
}
