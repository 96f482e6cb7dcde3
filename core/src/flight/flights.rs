//! The table of flights: who flies, who waits, what is to be done next.

use alloc::vec::Vec;

use hashbrown::HashTable;
use slab::Slab;

use super::attempt::{Attempt, Start, State, Terms};
use crate::{Failure, Instant};

/// All flights of one shard. `C` is the shell's own record for each flight, `W` what it knows a poll by.
pub(crate) struct Flights<K, F, V, E, W, C> {
    /// Attached flights by the hash of their key.
    pub(super) index: HashTable<u32>,
    pub(super) slab: Slab<Flight<K, F, V, E, W, C>>,
    pub(crate) counts: LoadCounts,
}

/// How the loads of a shard ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadCounts {
    pub(crate) begun: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) panicked: u64,
    pub(crate) dropped: u64,
    pub(crate) takeovers: u64,
}

/// One key's loads between two writes to it.
pub(crate) struct Flight<K, F, V, E, W, C> {
    pub(super) hash: u64,
    /// Taken when the flight is over and the key moves into the store.
    pub(super) key: Option<K>,
    /// Whether new callers find this flight, and its answer may be stored.
    pub(super) attached: bool,
    /// Whether its crowd and its loads have been handed out.
    pub(super) ended: bool,
    pub(super) seats: u32,
    pub(super) newest: Attempt<F, E, W>,
    /// Almost always empty, and then it has no memory of its own.
    pub(super) older: Vec<Attempt<F, E, W>>,
    pub(super) verdict: Option<Verdict<V, E>>,
    pub(crate) crowd: C,
}

/// What everybody who waits for a flight is told.
pub(crate) type Verdict<V, E> = Result<Answer<V>, Failure<E>>;

/// A value and what there is to say about it.
#[derive(Clone)]
pub(crate) struct Answer<V> {
    pub(crate) value: V,
    /// The attempt that answered; `None` if the value was inserted.
    pub(crate) attempt: Option<u32>,
    pub(crate) published: Instant,
    /// When the value was published first: earlier, if it is an old one that is still good.
    pub(crate) since: Instant,
    /// When it expires; not after `published` if it was not stored.
    pub(crate) deadline: Instant,
    pub(crate) generation: Option<u32>,
}

/// One caller's place in a flight. Not `Clone`: whoever has it must leave with it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(super) place: u32,
    /// The attempt that this caller began last.
    pub(super) began: Option<u32>,
}

impl Seat {
    pub(crate) const fn began(&self) -> Option<u32> {
        self.began
    }

    pub(crate) const fn place(&self) -> u32 {
        self.place
    }
}

/// One thing to drive.
pub(crate) struct Job<F> {
    pub(crate) number: u32,
    pub(crate) work: Work<F>,
    /// Whether the load has to be polled with the waker that wakes everybody.
    pub(crate) shared: bool,
}

/// What driving an attempt takes.
pub(crate) enum Work<F> {
    /// Ask the loader for a load, then poll it.
    Begin,
    /// Poll this load.
    Poll(F),
    /// Poll the caller's own load.
    Own,
}

/// What becomes of a load that was polled and is not ready.
pub(crate) enum CheckIn<F> {
    /// It rests until somebody is polled.
    Kept,
    /// It must be polled once more, with the waker that wakes everybody: others have joined.
    Again(F),
    /// It is not needed any more.
    Over(F),
}

/// What is left when a seat is given up.
pub(crate) enum Leaving<K, F, V, E, W, C> {
    /// Others wait on. If their load went with the caller, one of them has to lead. A failure that he alone was to be
    /// told is left over.
    Others { vacant: bool, untold: Option<Failure<E>> },
    /// Nobody waits any more, and nothing is left to be dropped.
    Nothing,
    /// Nobody waits any more: drop this.
    Last(Flight<K, F, V, E, W, C>),
}

impl<K, F, V, E, W, C: Default> Flights<K, F, V, E, W, C> {
    pub(crate) fn new() -> Self {
        Self { index: HashTable::with_capacity(KEPT), slab: Slab::with_capacity(KEPT), counts: LoadCounts::default() }
    }

    /// Returns memory once a burst of flights is over.
    pub(super) fn give_back(&mut self) {
        if self.slab.is_empty() && self.slab.capacity() > KEPT {
            self.index = HashTable::with_capacity(KEPT);
            self.slab = Slab::with_capacity(KEPT);
        }
    }

    /// Returns the place of the flight that callers of this key may join.
    pub(crate) fn find(&self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32> {
        if self.index.is_empty() {
            return None;
        }
        let slab = &self.slab;
        let matches =
            |place: &u32| slab.get(*place as usize).and_then(|flight| flight.key.as_ref()).is_some_and(&mut eq);
        self.index.find(hash, matches).copied()
    }

    /// Begins a flight for a key that has none.
    pub(crate) fn claim(&mut self, hash: u64, key: K, now: Instant, terms: Terms, start: Start<F>) -> Seat {
        let newest = Attempt::new(1, now, terms, start);
        self.counts.begun += u64::from(newest.started);
        let flight = Flight {
            hash,
            key: Some(key),
            attached: true,
            ended: false,
            seats: 1,
            newest,
            older: Vec::new(),
            verdict: None,
            crowd: C::default(),
        };
        let place = self.slab.insert(flight) as u32;
        let slab = &self.slab;
        self.index.insert_unique(hash, place, |place| slab.get(*place as usize).map_or(0, |flight| flight.hash));
        Seat { place, began: Some(1) }
    }

    /// Sits down in a flight that is under way.
    pub(crate) fn join(&mut self, place: u32) -> Seat {
        self.flight(place).seats += 1;
        Seat { place, began: None }
    }

    /// Begins a further attempt for a seated caller; what was his before no longer is.
    ///
    /// Tells whether somebody else began the attempt before: it was the newest, so he did not look at its age until now.
    pub(crate) fn begin(&mut self, seat: &mut Seat, now: Instant, terms: Terms, start: Start<F>) -> bool {
        let flight = &mut self.slab[seat.place as usize];
        if let Some(mine) = seat.began.and_then(|number| flight.attempt(number)) {
            mine.owned = false;
            if matches!(mine.state, State::Failed(_)) {
                // Only for completeness: whoever has failed is told so before he could begin anew.
                mine.state = State::Over;
            }
        }
        let next = Attempt::new(flight.newest.number + 1, now, terms, start);
        seat.began = Some(next.number);
        self.counts.begun += u64::from(next.started);
        let before = core::mem::replace(&mut flight.newest, next);
        let was_anothers = before.owned && before.is_live();
        flight.older.retain(|attempt| !matches!(attempt.state, State::Over));
        if !matches!(before.state, State::Over) {
            flight.older.push(before);
        }
        was_anothers
    }

    pub(crate) fn flight(&mut self, place: u32) -> &mut Flight<K, F, V, E, W, C> {
        &mut self.slab[place as usize]
    }

    pub(crate) fn seated(&mut self, seat: &Seat) -> &mut Flight<K, F, V, E, W, C> {
        &mut self.slab[seat.place as usize]
    }

    /// Returns how many flights there are, how many callers wait in them, and how many loads run.
    pub(crate) fn census(&self) -> (u64, u64, u64) {
        self.slab.iter().fold((0, 0, 0), |(flights, seats, running), (_, flight)| {
            (flights + 1, seats + u64::from(flight.seats), running + flight.running())
        })
    }
}

impl<K, F, V, E, W, C> Flight<K, F, V, E, W, C> {
    pub(crate) fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) const fn seats(&self) -> u32 {
        self.seats
    }

    pub(super) fn attempts(&mut self) -> impl Iterator<Item = &mut Attempt<F, E, W>> {
        self.older.iter_mut().chain(core::iter::once(&mut self.newest))
    }

    pub(super) fn attempt(&mut self, number: u32) -> Option<&mut Attempt<F, E, W>> {
        self.attempts().find(|attempt| attempt.number == number)
    }

    pub(crate) const fn is_attached(&self) -> bool {
        self.attached
    }

    /// Counts the loads that run.
    pub(super) fn running(&self) -> u64 {
        self.older.iter().chain(core::iter::once(&self.newest)).filter(|attempt| attempt.is_running()).count() as u64
    }

    /// Counts the attempts that may still answer.
    pub(crate) fn live(&self) -> u32 {
        self.older.iter().chain(core::iter::once(&self.newest)).filter(|attempt| attempt.is_live()).count() as u32
    }

    /// Tells whether attempt `number` may still answer.
    pub(crate) fn is_live(&self, number: u32) -> bool {
        self.older
            .iter()
            .chain(core::iter::once(&self.newest))
            .any(|attempt| attempt.number == number && attempt.is_live())
    }

    /// Returns when the newest attempt began, ended or not.
    pub(crate) const fn newest_begun(&self) -> Instant {
        self.newest.begun
    }

    /// Tells whether a seated caller began the newest attempt.
    pub(crate) fn is_newest(&self, seat: &Seat) -> bool {
        seat.began == Some(self.newest.number)
    }

    /// Returns when the oldest attempt that may still answer began.
    pub(crate) fn oldest_begun(&self) -> Option<Instant> {
        self.older
            .iter()
            .chain(core::iter::once(&self.newest))
            .filter(|attempt| attempt.is_live())
            .map(|a| a.begun)
            .min()
    }

    /// Tells whether somebody polls a load of this flight right now: with the waker of all, or with one that `is_own`.
    pub(crate) fn polled(&self, mut is_own: impl FnMut(&W) -> bool) -> Polled {
        let mut polled = Polled::default();
        for attempt in self.older.iter().chain(core::iter::once(&self.newest)) {
            match &attempt.state {
                State::Out(waker) => {
                    polled.shared |= attempt.shared;
                    polled.own |= is_own(waker);
                }
                State::Lent(Some(waker)) => polled.own |= is_own(waker),
                _ => {}
            }
        }
        polled
    }
}

/// By which wakers a flight's loads are being polled right now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Polled {
    /// With the waker that wakes everybody.
    pub(crate) shared: bool,
    /// By a caller whose waker was recognised.
    pub(crate) own: bool,
}

/// How many flights a shard has room for while nothing happens, so that a quiet miss need not allocate for them.
const KEPT: usize = 2;
