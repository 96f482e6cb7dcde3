//! What happens to a flight: claimed, joined, settled, left.

use core::task::Waker;

use super::{Attempt, Failing, Left, PolledBy, Start, Terms, WaitList, Woken, attempt::State};
use crate::{Instant, Notify, few::Few};

/// The attempts to load one key in one epoch, and the callers that wait for them. Its place is used again and again.
pub(crate) struct Flight<N: Notify> {
    /// It may be joined, and what it brings is stored: no write has come.
    is_attached: bool,
    /// Its outcome is there.
    is_over: bool,
    /// The newest attempt that has brought something for its own caller alone: from then on each caller loads for itself.
    private: u32,
    seats: u32,
    /// The number of the newest attempt.
    newest: u32,
    /// When the newest attempt began.
    newest_begun: Instant,
    /// A caller would begin an attempt because the newest is over its age, but sleeps, because there are too many.
    is_held_back: bool,
    pub(super) attempts: Few<Attempt>,
    pub(crate) waits: WaitList<N>,
}

impl<N: Notify> Flight<N> {
    pub(crate) fn new() -> Self {
        Self {
            is_attached: false,
            is_over: false,
            private: 0,
            seats: 0,
            newest: 0,
            newest_begun: Instant::ZERO,
            is_held_back: false,
            attempts: Few::new(),
            waits: WaitList::default(),
        }
    }

    /// Reuses an old place for a new flight, with one seat.
    pub(crate) fn open(&mut self, is_attached: bool) {
        (self.is_attached, self.is_over, self.seats, self.newest) = (is_attached, false, 1, 0);
        (self.private, self.is_held_back) = (0, false);
    }

    pub(crate) const fn seats(&self) -> u32 {
        self.seats
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(crate) const fn is_attached(&self) -> bool {
        self.is_attached
    }

    /// Does each caller load for itself?
    pub(crate) const fn is_private(&self) -> bool {
        self.private != 0
    }

    /// Has a newer attempt brought something for its own caller alone? Then what this one brings is not for others.
    pub(crate) const fn is_outdone(&self, number: u32) -> bool {
        self.private > number
    }

    pub(crate) const fn join(&mut self) {
        self.seats += 1;
    }

    /// Is there only one caller, and only this attempt, which may still answer?
    #[inline]
    pub(crate) fn is_alone_with(&self, number: u32) -> bool {
        let is_it = |attempt: &Attempt| attempt.number == number && attempt.is_live();
        self.seats == 1 && !self.is_over && !self.waits.is_shared() && self.attempts.only().is_some_and(is_it)
    }

    /// Ends with its only caller and its only attempt; returns a waker that is not needed any more.
    pub(crate) fn end_alone(&mut self) -> Option<Waker> {
        (self.seats, self.is_over) = (0, true);
        self.attempts.pop();
        self.waits.take_lone()
    }

    /// May not be joined or stored any more; false if that was so already.
    pub(crate) fn detach(&mut self) -> bool {
        core::mem::take(&mut self.is_attached)
    }

    /// A caller would begin an attempt because it is time, but there are too many others in flight, so it does not.
    pub(crate) const fn hold_back(&mut self) -> bool {
        self.is_held_back = true;
        false
    }

    /// There may be room for an attempt now: the callers that were held back have to look again.
    pub(crate) fn let_go(&mut self) -> Woken<N> {
        if core::mem::take(&mut self.is_held_back) { self.waits.all() } else { Woken::Nobody }
    }

    /// May be joined and stored again: what it brings is begun after the write.
    pub(crate) const fn reattach(&mut self) {
        self.is_attached = true;
    }

    /// The first attempt of a flight, that of its first caller.
    #[inline]
    pub(crate) fn begin_first(&mut self, attempt: Attempt) {
        (self.newest, self.newest_begun) = (attempt.number, attempt.begun);
        self.attempts.push(attempt);
    }

    /// A further attempt, its caller's own from now on. True if others may have to look earlier than they know: it
    /// replaces an attempt of another caller that did not look at its age, or it begins at an earlier time, because the
    /// clock has jumped back.
    pub(crate) fn begin(&mut self, own: &mut u32, now: Instant, terms: Terms, start: Start, by: PolledBy) -> bool {
        let (before, newest) = (*own, self.newest);
        let is_anothers = |last: &mut Attempt| last.number != before && last.is_owned && last.is_live();
        let is_earlier =
            !self.is_private() && (self.attempt(newest).is_some_and(is_anothers) || now < self.newest_begun);
        self.release(before);
        self.attempts.retain(|attempt| attempt.state != State::Over);
        self.newest += 1;
        self.newest_begun = now;
        let is_shared = self.waits.is_shared();
        self.attempts.push(Attempt { is_shared, ..Attempt::new(self.newest, now, terms, start, by) });
        *own = self.newest;
        is_earlier
    }

    pub(crate) fn attempt(&mut self, number: u32) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.number == number)
    }

    /// May this attempt still answer?
    pub(crate) fn awaits(&self, number: u32) -> bool {
        self.attempts.iter().any(|attempt| attempt.number == number && attempt.is_live())
    }

    /// How many attempts may still answer.
    pub(crate) fn live(&self) -> u32 {
        self.attempts.iter().filter(|attempt| attempt.is_live()).count() as u32
    }

    /// How many loads are under way.
    pub(crate) fn running(&self) -> u32 {
        self.attempts.iter().filter(|attempt| attempt.is_running()).count() as u32
    }

    pub(crate) const fn newest(&self) -> u32 {
        self.newest
    }

    pub(crate) const fn newest_begun(&self) -> Instant {
        self.newest_begun
    }

    pub(crate) fn oldest_begun(&self) -> Option<Instant> {
        self.attempts.iter().filter(|attempt| attempt.is_live()).map(|attempt| attempt.begun).min()
    }

    /// Does a call that is polled by `by` come from inside one of its loads?
    pub(crate) fn is_inside(&self, by: &PolledBy) -> bool {
        self.attempts.iter().any(|attempt| match attempt.state {
            State::Out | State::LentOut => by.is_inside(&attempt.polled_by),
            State::Batch => by.is_waker(&attempt.polled_by),
            _ => false,
        })
    }

    /// Has the attempt ended for its own caller alone, which does not know yet?
    pub(crate) fn has_ended(&self, number: u32) -> bool {
        self.attempts.iter().any(|attempt| attempt.number == number && attempt.state == State::Ended)
    }

    /// The caller knows.
    pub(crate) fn forget(&mut self, number: u32) {
        if let Some(attempt) = self.attempt(number) {
            attempt.state = State::Over;
        }
    }

    /// An attempt that a caller of an older epoch begins here: no caller of this flight owns it.
    pub(crate) fn begin_for_others(&mut self, now: Instant, terms: Terms, start: Start, by: PolledBy) -> (u32, bool) {
        let mut own = 0;
        let is_earlier = self.begin(&mut own, now, terms, start, by);
        if let Some(attempt) = self.attempt(own) {
            attempt.is_owned = false;
        }
        (own, is_earlier)
    }

    /// The load of this attempt is counted in another flight.
    pub(crate) fn count_elsewhere(&mut self, number: u32) {
        if let Some(attempt) = self.attempt(number) {
            attempt.is_twin = true;
        }
    }

    /// Reuses an old place for a new flight, without a seat.
    pub(crate) const fn vacate(&mut self) {
        self.seats = 0;
    }

    /// When an attempt began that was claimed without a look at the clock.
    pub(crate) fn set_begun(&mut self, number: u32, begun: Instant) {
        if let Some(attempt) = self.attempt(number).filter(|attempt| attempt.begun == Instant::ZERO) {
            attempt.begun = begun;
        }
    }

    /// A load failed that could still answer: which callers does that end?
    pub(crate) fn fail(&mut self, number: u32) -> Failing {
        let Some(attempt) = self.attempt(number).filter(|attempt| attempt.is_live()) else { return Failing::Late };
        let is_owned = attempt.is_owned;
        attempt.state = if is_owned { State::Ended } else { State::Over };
        if self.live() == 0 {
            return Failing::Last;
        }
        if is_owned { Failing::Beginner } else { Failing::Nobody }
    }

    /// What a load has brought is for its own caller alone, and from now on each loads for itself; true if that caller
    /// waits.
    pub(crate) fn keep_private(&mut self, number: u32) -> bool {
        self.private = self.private.max(number);
        let Some(attempt) = self.attempt(number) else { return false };
        attempt.state = if attempt.is_owned { State::Ended } else { State::Over };
        attempt.is_owned
    }

    /// If each caller loads for itself: has this one to begin an attempt, because it has none and there are not too
    /// many?
    #[cold]
    pub(crate) fn lacks_own(&mut self, own: u32, most: u32) -> bool {
        !self.awaits(own) && (self.live() < most || self.hold_back())
    }

    /// An attempt whose load began before this instant, and may still answer.
    pub(crate) fn overdue(&self, is_overdue: impl Fn(Instant) -> bool) -> Option<u32> {
        self.attempts
            .iter()
            .find(|attempt| attempt.is_live() && is_overdue(attempt.begun))
            .map(|attempt| attempt.number)
    }

    /// The outcome is there: no caller joins, no load is needed; returns how many were running.
    pub(crate) fn settle(&mut self) -> (Woken<N>, u32) {
        let running = self.running();
        self.is_over = true;
        self.attempts.clear();
        (self.waits.take(), running)
    }

    /// A caller does not wait for its own attempt any more; true if its load was lent, and leaves with it.
    pub(crate) fn release(&mut self, own: u32) -> bool {
        let Some(mine) = self.attempt(own).filter(|_| own != 0) else { return false };
        mine.is_owned = false;
        let is_lent = mine.is_lent();
        if is_lent || mine.state == State::Ended {
            mine.state = State::Over;
        }
        is_lent
    }

    /// A caller gives up its seat.
    pub(crate) fn leave(&mut self, own: u32) -> Left {
        self.seats -= 1;
        if self.seats == 0 {
            return Left::Last;
        }
        if self.release(own) { Left::Lent } else { Left::Others }
    }

    /// Is there a load that goes on without a waiter?
    pub(crate) fn is_kept(&self) -> bool {
        self.attempts.iter().any(Attempt::is_kept)
    }

    /// The last caller has left, and only such loads go on; returns how many others were running.
    pub(crate) fn keep_parts(&mut self) -> u32 {
        let running = self.running();
        self.attempts.retain(Attempt::is_kept);
        self.attempts.iter_mut().for_each(|attempt| attempt.is_owned = false);
        running - self.running()
    }

    /// Forgets the attempts of a flight that ends; returns how many were running.
    pub(crate) fn close(&mut self) -> u32 {
        let running = self.running();
        self.attempts.clear();
        running
    }

    /// A load has gone: one of the waiting callers has to lead, or may begin one beside the others.
    pub(crate) fn make_room(&mut self) -> Woken<N> {
        if self.live() == 0 { self.waits.all() } else { self.let_go() }
    }

    /// Is there a load that has begun and can be finished by another caller?
    pub(crate) fn worth_finishing(&self) -> bool {
        let has_begun = |attempt: &Attempt| attempt.is_started && attempt.state == State::Rest;
        self.seats == 1 && self.is_attached && !self.is_private() && self.attempts.iter().any(has_begun)
    }
}
