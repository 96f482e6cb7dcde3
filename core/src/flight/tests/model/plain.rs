//! A flight in its simplest form.

use alloc::collections::BTreeMap;

use super::super::*;

/// One attempt.
pub(super) struct Tried {
    pub(super) begun: u64,
    pub(super) is_owned: bool,
    pub(super) is_started: bool,
    /// It is counted elsewhere.
    pub(super) is_twin: bool,
    pub(super) is_due: bool,
    /// It was last polled with the shared waker.
    pub(super) is_shared: bool,
    /// The address of the waker that polls it.
    pub(super) by: usize,
    pub(super) load: Where,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Where {
    Unmade,
    Rest,
    Out,
    Lent,
    LentOut,
    Batch,
    /// It failed, and its beginner has yet to be told.
    Failed,
    Gone,
}

impl Tried {
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.load, Where::Failed | Where::Gone)
    }

    pub(super) fn is_running(&self) -> bool {
        self.is_live() && self.is_started && !self.is_twin
    }

    /// No caller need wait for it here.
    pub(super) fn is_kept(&self) -> bool {
        self.load == Where::Batch || (self.is_twin && matches!(self.load, Where::Lent | Where::LentOut))
    }

    /// Its beginner no longer waits for it; true if it was lent.
    pub(super) fn release(&mut self) -> bool {
        self.is_owned = false;
        let was_lent = matches!(self.load, Where::Lent | Where::LentOut);
        if was_lent || self.load == Where::Failed {
            self.load = Where::Gone;
        }
        was_lent
    }
}

/// What a waiting caller has seen.
#[derive(Default)]
pub(super) struct Mind {
    was_alone: bool,
    /// The number of wakes at its last look.
    seen: Option<u32>,
}

/// One flight.
pub(super) struct Model {
    pub(super) tried: BTreeMap<u32, Tried>,
    pub(super) newest: u32,
    pub(super) is_attached: bool,
    pub(super) is_over: bool,
    /// How often loads have woken all callers, if there is a shared waker.
    pub(super) wakes: Option<u32>,
    /// How many of these wakes a caller has seen.
    seen: u32,
}

impl Model {
    pub(super) fn new() -> Self {
        Self { tried: BTreeMap::new(), newest: 0, is_attached: false, is_over: true, wakes: None, seen: 0 }
    }

    /// The flight is used again.
    pub(super) fn open(&mut self) {
        *self = Self { is_attached: true, is_over: false, ..Self::new() };
    }

    pub(super) fn is_shared(&self) -> bool {
        self.wakes.is_some()
    }

    pub(super) fn is_woken(&self) -> bool {
        self.wakes.is_some_and(|wakes| wakes != self.seen)
    }

    pub(super) fn live(&self) -> usize {
        self.tried.values().filter(|tried| tried.is_live()).count()
    }

    pub(super) fn running(&self) -> u32 {
        self.tried.values().filter(|tried| tried.is_running()).count() as u32
    }

    pub(super) fn is_inside(&self, by: usize) -> bool {
        let is_polled = |load| matches!(load, Where::Out | Where::LentOut | Where::Batch);
        self.tried.values().any(|tried| is_polled(tried.load) && tried.by == by)
    }

    /// True if the attempt belongs to a caller that still waits for it.
    pub(super) fn begin(&mut self, own: u32, begun: u64, start: Start, by: usize) -> bool {
        let (load, is_started) = match start {
            Start::Unmade => (Where::Unmade, false),
            Start::Lent => (Where::LentOut, true),
            Start::Batch => (Where::Batch, true),
            Start::Made => (Where::Out, true),
        };
        let last = self.tried.get(&self.newest);
        let replaces = last.is_some_and(|last| self.newest != own && last.is_owned && last.is_live());
        self.release(own);
        self.newest += 1;
        let is_shared = self.is_shared();
        let (is_owned, is_twin, is_due) = (true, false, false);
        let tried = Tried { begun, is_owned, is_started, is_twin, is_due, is_shared, by, load };
        self.tried.insert(self.newest, tried);
        replaces
    }

    pub(super) fn release(&mut self, own: u32) -> bool {
        self.tried.get_mut(&own).is_some_and(Tried::release)
    }

    pub(super) fn all_due(&mut self, after: u32) {
        self.tried.range_mut(after + 1..).for_each(|(_, tried)| tried.is_due = true);
    }

    /// One look at a flight with this many seats.
    pub(super) fn look(&mut self, mind: &mut Mind, seats: usize, is_first: bool) -> Noted {
        let noted = |is_new, is_unwoken| Noted { is_new, is_unwoken: is_unwoken && is_first };
        let Some(wakes) = self.wakes else {
            if seats == 1 {
                mind.was_alone = true;
                if is_first {
                    self.all_due(0);
                }
                return noted(false, true);
            }
            // From now on all are woken through one waker; the formerly lone waiter has seen none of its wakes.
            self.wakes = Some(0);
            mind.seen = Some(0);
            let was_alone = core::mem::take(&mut mind.was_alone);
            self.all_due(0);
            return noted(true, was_alone);
        };
        if core::mem::take(&mut mind.was_alone) {
            mind.seen = Some(0);
        }
        let is_unwoken = mind.seen.replace(wakes) == Some(wakes);
        if is_first && (self.take_wakes() || is_unwoken) {
            self.all_due(0);
        }
        noted(false, is_unwoken)
    }

    fn take_wakes(&mut self) -> bool {
        let was_woken = self.is_woken();
        self.seen = self.wakes.unwrap_or(self.seen);
        was_woken
    }

    /// A caller that does not wait asks whether anything wants a poll.
    pub(super) fn pass_by(&mut self) -> bool {
        let is_new = !self.is_shared();
        self.wakes.get_or_insert(0);
        if is_new || self.take_wakes() {
            self.all_due(0);
        }
        self.tried.values().any(|tried| match tried.load {
            Where::Unmade => true,
            Where::Rest | Where::Batch => tried.is_due,
            _ => false,
        })
    }

    /// The load that is taken out next, and whether that begins it.
    pub(super) fn check_out(
        &mut self,
        own: u32,
        led: u32,
        is_first: bool,
        after: &mut u32,
        by: usize,
    ) -> Option<(Work, bool)> {
        let is_shared = self.is_shared();
        let first = *after + 1;
        let can_be_asked = |number: u32, load| matches!(load, Where::Rest | Where::Batch) && number != led;
        let mut yet_to_ask = self.tried.range(first..).filter(|(number, tried)| can_be_asked(**number, tried.load));
        let first_to_ask = yet_to_ask.next().map_or(u32::MAX, |(number, _)| *number);
        for (&number, tried) in self.tried.range_mut(first..) {
            let (work, load) = match tried.load {
                Where::Unmade => (Work::Make(number), Where::Out),
                Where::Rest if tried.is_due => (Work::Poll(number), Where::Out),
                Where::Lent if number == own && (tried.is_due || is_first) => (Work::Lent(number), Where::LentOut),
                Where::Batch if tried.is_due && number != led => (Work::Batch(number), Where::Batch),
                _ => continue,
            };
            let begins = !tried.is_started;
            (tried.load, tried.is_due, tried.is_started, tried.is_shared) = (load, false, true, is_shared);
            if load != Where::Batch {
                tried.by = by;
            }
            *after = if number > first_to_ask { *after } else { number };
            return Some((work, begins));
        }
        None
    }

    /// A load comes back: whether it is wanted, has to be polled again at once, and wakes all.
    pub(super) fn check_in(&mut self, number: u32) -> (bool, bool, bool) {
        let (is_shared, is_woken) = (self.is_shared(), self.is_woken());
        let Some(tried) = self.tried.get_mut(&number) else { return (false, false, is_woken) };
        match tried.load {
            Where::Out => {
                let (again, was_due) = (is_shared && !tried.is_shared, tried.is_due);
                tried.is_due |= again;
                tried.load = Where::Rest;
                (true, again, is_woken || was_due)
            }
            Where::LentOut => {
                tried.load = Where::Lent;
                (true, false, is_woken)
            }
            _ => (false, false, is_woken),
        }
    }

    /// The flight has ended; returns how many loads were running.
    pub(super) fn end(&mut self) -> u32 {
        let running = self.running();
        self.tried.values_mut().for_each(|tried| tried.load = Where::Gone);
        (self.is_over, self.is_attached, self.wakes, self.seen) = (true, false, None, 0);
        running
    }
}
