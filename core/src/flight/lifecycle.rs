//! What happens to a flight: driving, verdicts, writes and leaving.

use alloc::vec::Vec;
use core::mem;

use super::{
    attempt::{Attempt, State, Terms},
    flights::{Answer, CheckIn, Flight, Flights, Job, Leaving, Seat, Verdict, Work},
};
use crate::{Cause, Failure, Instant};

/// A flight that has been ended: what the shell stores, wakes and drops.
pub(crate) struct Ended<K, F, C> {
    /// The key, if the flight was attached: it may be stored under.
    pub(crate) key: Option<K>,
    pub(crate) hash: u64,
    /// Whom to wake.
    pub(crate) crowd: C,
    /// Loads that are not needed any more.
    pub(crate) loads: Vec<F>,
}

/// What is left of attempts that have taken too long.
type Overdue<K, F, E, C> = (Option<(Ended<K, F, C>, Failure<E>)>, Vec<F>);

impl<K, F, V, E, W, C: Default> Flights<K, F, V, E, W, C> {
    /// Hands out the next thing to drive for a seated caller, among attempts numbered above `after`.
    ///
    /// `shared` says whether loads are polled with the waker that wakes everybody; `own` is what the caller is polled
    /// with, should it be his turn.
    pub(crate) fn check_out(
        &mut self,
        seat: &Seat,
        after: u32,
        shared: bool,
        own: impl FnOnce() -> W,
    ) -> Option<Job<F>> {
        let flight = &mut self.slab[seat.place as usize];
        let began = seat.began;
        let attempt = flight.attempts().find(|attempt| {
            attempt.number > after
                && match attempt.state {
                    State::Fresh | State::Idle(_) => true,
                    State::Lent(None) => began == Some(attempt.number),
                    _ => false,
                }
        })?;
        let own = own();
        let (work, state) = match mem::replace(&mut attempt.state, State::Over) {
            State::Fresh => (Work::Begin, State::Out(own)),
            State::Idle(load) => (Work::Poll(load), State::Out(own)),
            _ => (Work::Own, State::Lent(Some(own))),
        };
        attempt.state = state;
        if !matches!(work, Work::Own) {
            attempt.shared = shared;
        }
        self.counts.begun += u64::from(!mem::replace(&mut attempt.started, true));
        Some(Job { number: attempt.number, work, shared })
    }

    /// Takes back a load that is not ready. `shared` says whether others have joined meanwhile.
    pub(crate) fn check_in(&mut self, seat: &Seat, number: u32, load: F, shared: bool) -> CheckIn<F> {
        match self.slab[seat.place as usize].attempt(number) {
            Some(attempt) if matches!(attempt.state, State::Out(_)) => {
                if shared && !attempt.shared {
                    attempt.shared = true;
                    return CheckIn::Again(load);
                }
                attempt.state = State::Idle(load);
                CheckIn::Kept
            }
            _ => CheckIn::Over(load),
        }
    }

    /// Notes that a caller's own load was polled and is not ready; returns what it was polled with.
    pub(crate) fn own_pending(&mut self, seat: &Seat, number: u32) -> Option<W> {
        match self.slab[seat.place as usize].attempt(number).map(|attempt| &mut attempt.state) {
            Some(State::Lent(waker)) => waker.take(),
            _ => None,
        }
    }

    /// Has the load that a caller leads rest in the flight from now on, or be asked for by whoever drives first.
    ///
    /// Gives it back if it is not needed any more.
    pub(crate) fn bring(&mut self, seat: &Seat, load: Option<F>) -> Option<F> {
        let flight = &mut self.slab[seat.place as usize];
        match seat.began.and_then(|number| flight.attempt(number)) {
            Some(attempt) if matches!(attempt.state, State::Lent(_)) => {
                attempt.state = load.map_or(State::Fresh, State::Idle);
                None
            }
            _ => load,
        }
    }

    /// Tells whether attempt `number` may still answer, and on what terms; none may once there is a verdict.
    pub(crate) fn may_answer(&mut self, seat: &Seat, number: u32) -> Option<(Terms, Instant)> {
        let flight = &mut self.slab[seat.place as usize];
        flight.attempt(number).filter(|attempt| attempt.is_live()).map(|attempt| (attempt.terms, attempt.begun))
    }

    /// Ends attempt `number` and with it the flight; the verdict is to be set by [`Flight::tell`].
    pub(crate) fn succeed(&mut self, seat: &Seat, number: u32) -> Ended<K, F, C> {
        if let Some(attempt) = self.slab[seat.place as usize].attempt(number) {
            attempt.state = State::Over;
        }
        self.counts.succeeded += 1;
        self.end(seat.place)
    }

    /// Tells whether attempt `number` is all there is to a flight, and its caller the only one; if so, on what terms.
    pub(crate) fn alone(&mut self, seat: &Seat, number: u32) -> Option<(Terms, Instant)> {
        let flight = self.seated(seat);
        let Attempt { number: newest, begun, terms, .. } = &flight.newest;
        let is_alone = flight.seats == 1 && flight.older.is_empty() && *newest == number;
        (is_alone && flight.verdict.is_none() && flight.newest.is_live()).then_some((*terms, *begun))
    }

    /// Ends a flight that is [alone](Self::alone) by a success, its caller's wait included; what is returned has to be
    /// dropped, except for the key, under which the answer may be stored.
    pub(crate) fn land(&mut self, seat: &Seat) -> (Option<K>, Flight<K, F, V, E, W, C>) {
        self.counts.succeeded += 1;
        self.detach(seat.place);
        let mut flight = self.slab.remove(seat.place as usize);
        self.give_back();
        (flight.key.take(), flight)
    }

    /// Ends attempt `number` by a failure; if it was the last in flight, the flight ends, too, with this verdict.
    ///
    /// Only a borrow of the failure is taken, so that its last owner is never this machine.
    pub(crate) fn fail(&mut self, seat: &Seat, number: u32, failure: &Failure<E>) -> Option<Ended<K, F, C>> {
        let flight = &mut self.slab[seat.place as usize];
        let attempt = flight.attempt(number)?;
        let counter = if failure.is_panicked() { &mut self.counts.panicked } else { &mut self.counts.failed };
        *counter += u64::from(attempt.is_running());
        attempt.state = if attempt.owned { State::Failed(failure.clone()) } else { State::Over };
        if flight.live() > 0 {
            return None;
        }
        flight.verdict = Some(Err(failure.clone()));
        Some(self.end(seat.place))
    }

    /// Ends a flight whatever its attempts do; used by success, last failure and `insert`.
    pub(crate) fn end(&mut self, place: u32) -> Ended<K, F, C> {
        let was_attached = self.detach(place);
        let flight = &mut self.slab[place as usize];
        let (loads, dropped) = flight.end_attempts();
        self.counts.dropped += dropped;
        let key = if was_attached { flight.key.take() } else { None };
        flight.ended = true;
        Ended { key, hash: flight.hash, crowd: mem::take(&mut flight.crowd), loads }
    }

    /// Separates a flight from its key: it goes on for those who wait, and nothing of it will be stored.
    pub(crate) fn detach(&mut self, place: u32) -> bool {
        let flight = &mut self.slab[place as usize];
        if !mem::replace(&mut flight.attached, false) {
            return false;
        }
        if let Ok(entry) = self.index.find_entry(flight.hash, |candidate| *candidate == place) {
            entry.remove();
        }
        true
    }

    /// Separates all flights from their keys.
    pub(crate) fn detach_all(&mut self) {
        self.index.clear();
        for (_, flight) in &mut self.slab {
            flight.attached = false;
        }
    }

    /// Ends the attempts that have taken too long; returns their loads, and the flight if it ended with them.
    pub(crate) fn overdue(&mut self, seat: &Seat, is_overdue: impl Fn(Instant) -> bool) -> Overdue<K, F, E, C> {
        let mut loads = Vec::new();
        loop {
            let flight = &mut self.slab[seat.place as usize];
            let late = flight.attempts().find(|attempt| attempt.is_live() && is_overdue(attempt.begun));
            let Some(attempt) = late else { return (None, loads) };
            let number = attempt.number;
            // Whatever holds the load now, it must not be dropped here.
            match mem::replace(&mut attempt.state, State::Fresh) {
                State::Idle(load) => loads.push(load),
                other => attempt.state = other,
            }
            let failure = Failure::new(Cause::BudgetExceeded);
            if let Some(ended) = self.fail(seat, number, &failure) {
                return (Some((ended, failure)), loads);
            }
        }
    }

    /// Gives up a seat.
    pub(crate) fn leave(&mut self, mut seat: Seat) -> Leaving<K, F, V, E, W, C> {
        let flight = self.seated(&seat);
        flight.seats -= 1;
        if flight.seats > 0 {
            let was_live = flight.live() > 0;
            let untold = self.disown(&mut seat);
            let flight = self.seated(&seat);
            let vacant = was_live && flight.live() == 0 && flight.verdict.is_none();
            return Leaving::Others { vacant, untold };
        }
        self.detach(seat.place);
        let flight = self.slab.remove(seat.place as usize);
        self.counts.dropped += flight.running();
        self.give_back();
        if flight.is_hollow() { Leaving::Nothing } else { Leaving::Last(flight) }
    }

    /// Has a seated caller be one who began nothing. An attempt whose load stayed with him is over; a failure that he was
    /// not told of is returned.
    pub(crate) fn disown(&mut self, seat: &mut Seat) -> Option<Failure<E>> {
        let number = seat.began.take()?;
        let mine = self.slab[seat.place as usize].attempt(number)?;
        mine.owned = false;
        match mem::replace(&mut mine.state, State::Over) {
            State::Lent(_) => self.counts.dropped += u64::from(mine.started),
            State::Failed(failure) => return Some(failure),
            other => mine.state = other,
        }
        None
    }

    /// Tells whether the last caller may leave his load to a spawner: it is stored one day, and has begun.
    pub(crate) fn worth_finishing(&mut self, seat: &Seat) -> bool {
        let flight = &mut self.slab[seat.place as usize];
        let has_begun = |attempt: &mut Attempt<F, E, W>| attempt.started && matches!(attempt.state, State::Idle(_));
        flight.seats == 1 && flight.attached && flight.attempts().any(has_begun)
    }
}

impl<K, F, V, E, W, C> Flight<K, F, V, E, W, C> {
    /// Sets what everybody is told.
    pub(crate) fn tell(&mut self, verdict: Verdict<V, E>) {
        self.verdict = Some(verdict);
    }

    /// Takes the answer out, for the last caller who waits.
    pub(crate) fn take_answer(&mut self) -> Option<Answer<V>> {
        self.verdict.take().and_then(Result::ok)
    }

    /// Returns the verdict for a seated caller, if there is one for him.
    pub(crate) fn verdict(&mut self, seat: &Seat) -> Option<Result<&mut Verdict<V, E>, Failure<E>>> {
        if self.verdict.is_some() {
            return self.verdict.as_mut().map(Ok);
        }
        match &self.attempts().find(|attempt| seat.began == Some(attempt.number))?.state {
            State::Failed(failure) => Some(Err(failure.clone())),
            _ => None,
        }
    }

    /// Tells whether nothing of the user's is left in here: the flight has ended, and what it came to was handed out.
    fn is_hollow(&self) -> bool {
        self.ended
            && self.key.is_none()
            && self.verdict.is_none()
            && self.older.is_empty()
            && matches!(self.newest.state, State::Over)
    }

    fn end_attempts(&mut self) -> (Vec<F>, u64) {
        let mut loads = Vec::new();
        let mut dropped = 0;
        for attempt in self.attempts() {
            let (load, running) = attempt.end();
            loads.extend(load);
            dropped += u64::from(running);
        }
        (loads, dropped)
    }
}
