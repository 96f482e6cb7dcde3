//! The next step of a medley.

use larder::{AnswerSink, Instant, Loaded, Ttl};
use larder_tests::*;

use crate::hostile::{Key, Value};

/// What a load of many keys returns.
pub(crate) type Told = Vec<(Key, Result<Loaded<Value>, Boom>)>;

/// Chooses the next step; the same at each run.
pub(crate) struct Dice {
    random: RefCell<Random>,
    time: Time,
    pub(crate) trouble: Trouble,
}

/// What a medley has to withstand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// `Hash`, `Eq` and `Clone` panic.
    Calls,
    /// Drops panic too.
    Drops,
    /// The clock jumps, even to its end; durations and weights are of any size.
    Extremes,
}

impl Dice {
    pub(crate) const KEYS: u32 = 6;

    pub(crate) fn new(seed: u64, time: &Time, trouble: Trouble) -> Self {
        let random = RefCell::new(Random::new(seed.wrapping_mul(0x9e37_79b9)));
        Self { random, time: time.clone(), trouble }
    }

    pub(crate) fn key(&self) -> u32 {
        self.below(u64::from(Self::KEYS)) as u32
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    pub(crate) fn ttl(&self) -> Ttl {
        match self.below(8) {
            0 => Ttl::NotStored,
            1 => Ttl::For(self.time(50)),
            _ => Ttl::Inherit,
        }
    }

    pub(crate) fn loaded(&self, key: u32) -> Loaded<Value> {
        let loaded = Loaded::new(Value::new(key)).ttl(self.ttl());
        if self.below(3) == 0 { loaded.weight(self.weight(4)) } else { loaded }
    }

    pub(crate) fn is_extreme(&self) -> bool {
        self.trouble == Trouble::Extremes
    }

    /// A time of less than this many milliseconds, or of any length.
    pub(crate) fn time(&self, most: u64) -> Duration {
        let any = [Duration::ZERO, Duration::from_nanos(1), Duration::from_nanos(u64::MAX - 1), Duration::MAX];
        if self.is_extreme() && self.below(2) == 0 { any[self.below(4) as usize] } else { ms(self.below(most)) }
    }

    pub(crate) fn weight(&self, most: u64) -> u64 {
        if self.is_extreme() && self.below(2) == 0 { u64::MAX - self.below(3) } else { self.below(most) }
    }

    /// Makes something panic soon.
    pub(crate) fn arm(&self) {
        let points = ["hash", "eq", "clone of a key", "clone", "drop of a key", "drop"];
        match self.trouble {
            Trouble::Calls => arm(points[self.below(4) as usize], self.below(12) as u32),
            Trouble::Drops => arm(points[self.below(6) as usize], self.below(12) as u32),
            Trouble::Extremes => {}
        }
    }

    /// A time to which the clock jumps.
    pub(crate) fn moment(&self) -> Instant {
        let (end, any) = (u64::MAX - self.below(3), self.below(100_000_000));
        Instant::from_nanos([0, any, u64::MAX - any, end, u64::MAX / 2][self.below(5) as usize])
    }

    pub(crate) async fn wait(&self) -> u64 {
        for _ in 0..self.below(3) {
            if self.is_extreme() {
                // With such a clock, sleeps might never end.
                futures_lite::future::yield_now().await;
            } else {
                let length = self.below(40);
                sleep(&self.time, length).await;
            }
        }
        self.below(7)
    }
}

/// A load of many keys: some get no answer, some fail, and one surplus key may be returned.
pub(crate) async fn many(dice: Rc<Dice>, keys: Vec<Key>) -> Result<Told, Boom> {
    if dice.wait().await == 0 {
        return Err(Boom(0));
    }
    let mut told = Told::new();
    for key in keys.into_iter().chain([Key::new(dice.key())]) {
        told.extend(answer(&dice, key));
    }
    Ok(told)
}

/// A load of many keys that sends its answers, and now and then waits before the next one.
pub(crate) async fn one_by_one<R: Host>(
    dice: Rc<Dice>,
    keys: Vec<Key>,
    answers: AnswerSink<Key, Value, Boom, R>,
) -> Result<(), Boom> {
    for key in keys.into_iter().chain([Key::new(dice.key())]) {
        if dice.below(2) == 0 && dice.wait().await == 0 {
            return Err(Boom(0));
        }
        answer(&dice, key).into_iter().for_each(|(key, answer)| answers.send(key, answer));
    }
    Ok(())
}

fn answer(dice: &Dice, key: Key) -> Option<(Key, Result<Loaded<Value>, Boom>)> {
    let number = *key.0;
    match dice.below(8) {
        0 => None,
        1 => Some((key, Err(Boom(number)))),
        _ => Some((key, Ok(dice.loaded(number)))),
    }
}
