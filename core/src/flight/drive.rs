//! Which caller polls which load: noted, handed out, put back.

use core::task::Waker;

use super::{CheckedIn, Flight, Noted, PolledBy, Registration, Work, attempt::State};
use crate::Notify;

impl<N: Notify> Flight<N> {
    /// Notes that a caller waits, and which loads it is to poll for that.
    pub(crate) fn wait(
        &mut self,
        mine: &mut Registration<N>,
        waker: &Waker,
        is_first: bool,
        old: &mut Option<Waker>,
    ) -> Noted {
        let mut noted = self.waits.register(mine, self.seats(), waker, old);
        noted.is_unwoken &= is_first;
        // A wake that comes while this caller polls is seen in its next poll: a load that wakes itself each time it is
        // polled would never let go of it.
        if noted.is_new || (is_first && (self.waits.take_wakes() || noted.is_unwoken)) {
            self.all_due(0);
        }
        noted
    }

    /// All loads have to be polled, except those up to this number.
    pub(crate) fn all_due(&mut self, after: u32) {
        for attempt in self.attempts.iter_mut() {
            attempt.is_due |= attempt.number > after;
        }
    }

    /// This load has to be polled.
    pub(crate) fn set_due(&mut self, number: u32) {
        if let Some(attempt) = self.attempt(number) {
            attempt.is_due = true;
        }
    }

    /// Is there a load that was never polled, or was woken since?
    ///
    /// To know that, and to reach all waiting callers by the next wake, the flight gets its own waker.
    pub(crate) fn wants_a_poll(&mut self, old: &mut Option<Waker>) -> bool {
        if self.waits.need_shared(old) || self.waits.take_wakes() {
            self.all_due(0);
        }
        self.attempts.iter().any(|attempt| match attempt.state {
            State::Unmade => true,
            State::Rest | State::Batch => attempt.is_due,
            _ => false,
        })
    }

    /// Takes out a load that has to be polled, and was not yet in this poll of the caller: one with a number above
    /// `after`, which moves on to it unless another was passed over. `own` is the caller's attempt, `led` a part of a
    /// load that it drives as a whole, and this may be its first look. True if that begins it.
    pub(crate) fn check_out(
        &mut self,
        own: u32,
        led: u32,
        is_first: bool,
        after: &mut u32,
        can_make: bool,
        by: PolledBy,
    ) -> Option<(Work, bool)> {
        let (is_shared, mut passes_over) = (self.waits.is_shared(), false);
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.number > *after) {
            let (number, is_due) = (attempt.number, attempt.is_due);
            let (work, state) = match attempt.state {
                State::Unmade if can_make => (Work::Make(number), State::Out),
                State::Rest if is_due => (Work::Poll(number), State::Out),
                // It knows its owner's waker alone, so nothing tells whether it was woken.
                State::Lent if number == own && (is_due || is_first) => (Work::Lent(number), State::LentOut),
                State::Batch if is_due && number != led => (Work::Batch(number), State::Batch),
                // It was not woken. It is polled all the same, in case a deadline has come.
                State::Rest | State::Batch if number != led => {
                    passes_over = true;
                    continue;
                }
                _ => continue,
            };
            if !passes_over {
                *after = number;
            }
            let begins = !attempt.is_started;
            (attempt.state, attempt.is_due, attempt.is_started, attempt.is_shared) = (state, false, true, is_shared);
            if state != State::Batch {
                attempt.polled_by = by;
            }
            return Some((work, begins));
        }
        None
    }

    /// Notes with which waker a load that was taken out is polled.
    pub(crate) fn set_polled_by(&mut self, number: u32, by: PolledBy) {
        if let Some(attempt) = self.attempt(number) {
            attempt.polled_by = by;
        }
    }

    /// A load that began for an older epoch, and is lent there, is polled.
    pub(crate) fn lend(&mut self, number: u32, by: PolledBy) {
        if let Some(attempt) = self.attempt(number).filter(|attempt| attempt.state == State::Lent) {
            (attempt.state, attempt.polled_by) = (State::LentOut, by);
        }
    }

    /// A load that was to be made at once was not; true if it was still out.
    pub(crate) fn unmake(&mut self, number: u32) -> bool {
        let Some(attempt) = self.attempt(number).filter(|attempt| attempt.state == State::Out) else { return false };
        (attempt.state, attempt.is_started) = (State::Unmade, false);
        true
    }

    /// A load was made that is not being polled yet; false if it is not needed any more.
    pub(crate) fn put_to_rest(&mut self, number: u32) -> bool {
        let Some(attempt) = self.attempt(number).filter(|attempt| attempt.state == State::Out) else { return false };
        (attempt.state, attempt.is_started, attempt.is_due) = (State::Rest, false, true);
        true
    }

    /// A load that was to be made at once is a part of a load of many keys; false if it is not needed any more.
    pub(crate) fn become_part(&mut self, number: u32, by: PolledBy) -> bool {
        let Some(attempt) = self.attempt(number).filter(|attempt| attempt.state == State::Out) else { return false };
        (attempt.state, attempt.polled_by) = (State::Batch, by);
        true
    }

    /// A load that is not ready comes back.
    pub(crate) fn check_in(&mut self, number: u32) -> CheckedIn {
        // The next caller that looks sees the wake, too.
        let (is_woken, is_shared) = (self.waits.is_woken(), self.waits.is_shared());
        let mut checked = CheckedIn { is_wanted: false, again: false, wakes_all: is_woken };
        match self.attempt(number) {
            Some(attempt) if attempt.state == State::Out => {
                attempt.state = State::Rest;
                checked.is_wanted = true;
                checked.again = is_shared && !attempt.is_shared;
                // Another caller saw the wake while the load was out.
                checked.wakes_all |= attempt.is_due;
                attempt.is_due |= checked.again;
            }
            Some(attempt) if attempt.state == State::LentOut => {
                attempt.state = State::Lent;
                checked.is_wanted = true;
            }
            _ => {}
        }
        checked
    }
}
