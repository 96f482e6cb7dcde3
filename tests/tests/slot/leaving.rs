//! Callers that are dropped leave nothing behind and take nothing away, with every kind of fetch. (P2)

use larder::{LookupOptions, Ttl};
use larder_tests::*;

use crate::{ends, held, set};

on_every_runtime! {
    who_fetches_first_is_dropped_at_every_poll
    who_refreshes_is_dropped_at_every_poll
    a_ticket_is_dropped_at_every_poll
    everybody_is_dropped
    any_of_four_in_any_order
    begun_and_abandoned_over_and_over
}

/// The kinds of fetches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Slots,
    Calls,
    Lent,
}

pub(crate) const FORMS: [Form; 3] = [Form::Slots, Form::Calls, Form::Lent];

/// A slot for each kind of fetch, all with one script, and its callers.
pub(crate) struct Stage<R: Host> {
    form: Form,
    loads: Loads,
    slot: Slot<R>,
    bare: Slot<R>,
    options: LookupOptions,
}

impl<R: Host> Stage<R> {
    /// Refreshes begin with `V0`, which expired too long ago to be served.
    pub(crate) fn new(sim: &mut Sim, form: Form, loads: &Loads, refresh: bool) -> Self {
        let (slot, bare) = (sim.slot::<R>(loads, |s| s), sim.bare_slot::<R>(|s| s));
        if refresh {
            set(&slot, 0, Ttl::ExpiresAtOnce);
            set(&bare, 0, Ttl::ExpiresAtOnce);
            sim.to(1);
            sim.time.zero();
        }
        Self { form, loads: loads.clone(), slot, bare, options: LookupOptions::new().stale_while_refresh(ms(0)) }
    }

    /// A caller that the next run polls.
    pub(crate) fn queue_up(&self, sim: &mut Sim) -> usize {
        let (slot, bare, loads, options) = (self.slot.clone(), self.bare.clone(), self.loads.clone(), self.options);
        match self.form {
            Form::Slots => sim.spawn(async move { slot.lookup(options).await }),
            Form::Calls => sim.spawn(async move { bare.lookup_or_fetch(options, move |old| loads.fetch(old)).await }),
            Form::Lent => sim.spawn(async move { bare.lookup_with(options, |old| loads.fetch(old)).await }),
        }
    }

    pub(crate) fn crowd(&self, sim: &mut Sim, n: usize) -> Vec<usize> {
        let callers = (0..n).map(|_| self.queue_up(sim)).collect();
        sim.run();
        callers
    }

    pub(crate) fn stats(&self) -> larder::Stats {
        if self.form == Form::Slots { self.slot.stats() } else { self.bare.stats() }
    }

    pub(crate) fn failures(&self) -> u32 {
        if self.form == Form::Slots { self.slot.failures() } else { self.bare.failures() }
    }

    pub(crate) fn held(&self) -> Option<u32> {
        if self.form == Form::Slots { held(&self.slot) } else { held(&self.bare) }
    }
}

fn who_fetches_first_is_dropped_at_every_poll<R: Host>() {
    who_leads_is_dropped_at_every_poll::<R>(false);
}

fn who_refreshes_is_dropped_at_every_poll<R: Host>() {
    who_leads_is_dropped_at_every_poll::<R>(true);
}

/// A caller is dropped after each poll, and between a wake and its poll. The others get the value when they would have
/// got it, by one fetch, or by their own if it was dropped with its caller; no failure is counted.
fn who_leads_is_dropped_at_every_poll<R: Host>(refresh: bool) {
    for form in FORMS {
        for waiters in [0, 1, 2, 1000] {
            for (poll, woken) in (0..4).flat_map(|poll| [(poll, false), (poll, true)]) {
                let mut sim = Sim::new();
                let loads = sim.loads(steps(5, 10).gives(1));
                let stage = Stage::<R>::new(&mut sim, form, &loads, refresh);
                let first = stage.crowd(&mut sim, 1)[0];
                let others = stage.crowd(&mut sim, waiters);
                let at = 10 * poll;
                if woken && poll > 0 {
                    sim.to(at - 1);
                    sim.jump(at);
                } else {
                    sim.to(at);
                }
                sim.drop(first);
                let dropped = form == Form::Lent || waiters == 0;
                assert_eq!((stage.failures(), loads.live()), (0, usize::from(!dropped)), "{form:?}");
                sim.run();
                let end = if dropped { at + 40 } else { 40 };
                sim.to(end);
                let mut saw = vec![format!("{end}: V1 {}", if refresh { "Expired" } else { "Miss" })];
                saw.insert(0, format!("{end}: V1 LockHit"));
                saw.retain(|saw| match saw.ends_with("LockHit") {
                    true => waiters > 1 || (waiters == 1 && !dropped),
                    false => waiters > 0 && dropped,
                });
                saw.sort_unstable();
                assert_eq!(ends(&sim, &others), saw, "{form:?}, {waiters} waiters, poll {poll}, {woken}");
                assert_eq!((loads.calls(), loads.live()), (1 + usize::from(dropped && waiters > 0), 0));
                assert_clean(&stage.stats());
                assert_eq!((stage.stats().abandoned, stage.failures()), (1, 0));
                assert_eq!(stage.held(), if waiters > 0 { Some(1) } else { refresh.then_some(0) });
            }
        }
    }
}

/// The same for a refresh that a caller got as a ticket, with some callers waiting for it.
fn a_ticket_is_dropped_at_every_poll<R: Host>() {
    for by_call in [false, true] {
        for waiters in [0, 1, 2, 1000] {
            for polls in 0..5 {
                let mut sim = Sim::new();
                let loads = sim.loads(steps(5, 10).gives(1));
                let form = if by_call { Form::Calls } else { Form::Slots };
                let stage = Stage::<R>::new(&mut sim, form, &loads, true);
                let i = if by_call { sim.fetch_stale_by(&stage.bare, &loads) } else { sim.fetch_stale(&stage.slot) };
                let ticket = sim.ticket(i);
                let ticket = sim.spawn(ticket);
                sim.park(ticket);
                let others: Vec<_> = (0..waiters).map(|_| stage.queue_up(&mut sim)).collect();
                for poll in 0..polls {
                    sim.jump(10 * poll);
                    sim.poll(ticket);
                }
                if polls == 5 {
                    assert_eq!(sim.saw(ticket), "40: done");
                }
                sim.run();
                sim.drop(ticket);
                sim.to(100);
                let each_has_it = others.iter().all(|i| sim.saw(*i).contains(": V1 "));
                assert!(each_has_it, "{polls} polls, {waiters} waiters: {:?}", ends(&sim, &others));
                assert!(loads.calls() <= 1 && loads.live() == 0);
                assert_clean(&stage.stats());
                assert_eq!(stage.failures(), 0);
            }
        }
    }
}

/// The last caller leaves: the fetch is dropped with it, and the next caller begins a new one.
fn everybody_is_dropped<R: Host>() {
    for form in FORMS {
        for refresh in [false, true] {
            let mut sim = Sim::new();
            let loads = sim.loads_in_turn([never(), never(), never(), ready().gives(1)]);
            let stage = Stage::<R>::new(&mut sim, form, &loads, refresh);
            let callers = stage.crowd(&mut sim, 3);
            for i in callers {
                assert_eq!(loads.live(), 1);
                sim.drop(i);
                sim.run();
            }
            assert_eq!((loads.live(), stage.failures(), stage.stats().abandoned), (0, 0, 3));
            assert_clean(&stage.stats());
            assert_eq!(stage.held(), refresh.then_some(0));
            (loads.calls()..4).for_each(|_| {
                let next = stage.crowd(&mut sim, 1)[0];
                sim.drop(next);
            });
            assert_eq!(stage.held(), Some(1));
        }
    }
}

/// Any subset of four callers is dropped in any order, between any steps: the remaining ones get the value. (P3)
fn any_of_four_in_any_order<R: Host>() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let form = FORMS[random.below(3) as usize];
        let mut sim = Sim::new();
        let loads = sim.loads(steps(4, 10).gives(1));
        let stage = Stage::<R>::new(&mut sim, form, &loads, random.below(2) == 0);
        let callers = stage.crowd(&mut sim, 4);
        let survivor = callers[random.below(4) as usize];
        for t in [0, 10, 20] {
            sim.to(t);
            let victim = callers[random.below(4) as usize];
            if victim != survivor {
                sim.drop(victim);
                sim.run();
            }
        }
        sim.to(100);
        assert!(sim.saw(survivor).contains(": V1 "), "seed {seed}, {form:?}: {}", sim.saw(survivor));
        assert_eq!(stage.failures(), 0);
        assert_clean(&stage.stats());
    }
}

/// Nothing grows. (P12)
fn begun_and_abandoned_over_and_over<R: Host>() {
    for refresh in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let stage = Stage::<R>::new(&mut sim, Form::Slots, &loads, refresh);
        let (slot, options) = (stage.slot.clone(), stage.options);
        memory::assert_no_growth(|| {
            for _ in 0..500 {
                let (mut first, mut second) = (slot.lookup(options), slot.refresh());
                assert!(wakers::poll_once(&mut first).is_pending());
                assert!(wakers::poll_once(&mut second).is_pending());
                drop(first);
                assert!(wakers::poll_once(&mut second).is_pending());
                drop(second);
                drop(wakers::poll_once(&mut slot.get_stale()));
            }
            loads.forget();
        });
        assert_clean(&slot.stats());
    }
}
