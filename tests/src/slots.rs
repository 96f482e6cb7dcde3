//! Slots whose fetches follow scripts, and their calls as callers of the simulation.

use core::cell::RefCell;

use alloc::rc::Rc;

use larder::{ConfigError, LazySlot, LookupOptions, Runtime, SlotBuilder};

use crate::{Boom, Host, Loads, Sim, V};

/// A slot whose fetches follow scripts.
pub type Slot<R> = LazySlot<V, Boom, R>;

/// The builder of such a slot.
pub type SlotSetup<R> = SlotBuilder<V, Boom, R>;

/// How many changes a watcher has seen, and whether it has seen the end.
#[derive(Clone, Default)]
pub struct Sightings(Rc<RefCell<(usize, bool)>>);

impl Sightings {
    /// How many changes were seen.
    pub fn changes(&self) -> usize {
        self.0.borrow().0
    }

    /// Whether it has seen the end of the slot.
    pub fn is_over(&self) -> bool {
        self.0.borrow().1
    }
}

impl Sim {
    /// A slot on host `R` that is fetched by this script, and what `setup` adds.
    #[track_caller]
    pub fn slot<R: Host>(&self, loads: &Loads, setup: impl FnOnce(SlotSetup<R>) -> SlotSetup<R>) -> Slot<R> {
        self.try_slot(loads, setup).expect("the configuration is valid")
    }

    /// The same, but returns the builder's result.
    pub fn try_slot<R: Host>(
        &self,
        loads: &Loads,
        setup: impl FnOnce(SlotSetup<R>) -> SlotSetup<R>,
    ) -> Result<Slot<R>, ConfigError> {
        setup(LazySlot::builder(R::on(self.clock())).fetch_fn(loads.fetcher())).build()
    }

    /// A slot on host `R` whose calls each bring their fetch.
    #[track_caller]
    pub fn bare_slot<R: Host>(&self, setup: impl FnOnce(SlotSetup<R>) -> SlotSetup<R>) -> Slot<R> {
        setup(LazySlot::builder(R::on(self.clock()))).build().expect("the configuration is valid")
    }

    /// A plain call of a slot that reports how the value was found, run until all callers are idle.
    pub fn fetch<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>) -> usize {
        self.fetch_with(slot, LookupOptions::new())
    }

    /// `n` plain calls of a slot, one after another.
    pub fn fetchers<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>, n: usize) -> Vec<usize> {
        (0..n).map(|_| self.fetch(slot)).collect()
    }

    /// A call of a slot with options, run until all callers are idle.
    pub fn fetch_with<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>, options: LookupOptions) -> usize {
        let slot = slot.clone();
        self.call(async move { slot.lookup(options).await })
    }

    /// A call of a slot for its value alone, run until all callers are idle.
    pub fn fetch_value<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>) -> usize {
        let slot = slot.clone();
        self.call(async move { slot.get().await })
    }

    /// A call of a slot that takes the value at once, run until all callers are idle.
    pub fn fetch_stale<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>) -> usize {
        let slot = slot.clone();
        self.call(async move { slot.get_stale().await })
    }

    /// A forced refresh of a slot, run until all callers are idle.
    pub fn force<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>) -> usize {
        let slot = slot.clone();
        self.call(async move { slot.refresh().await })
    }

    /// A call of a slot with a fetch that owns what it needs, run until all callers are idle.
    pub fn fetch_by<R: Host>(&mut self, slot: &Slot<R>, loads: &Loads) -> usize {
        let (slot, loads) = (slot.clone(), loads.clone());
        self.call(async move { slot.lookup_or_fetch(LookupOptions::new(), move |old| loads.fetch(old)).await })
    }

    /// The same for a call that takes the value at once.
    pub fn fetch_stale_by<R: Host>(&mut self, slot: &Slot<R>, loads: &Loads) -> usize {
        let (slot, loads) = (slot.clone(), loads.clone());
        self.call(async move { slot.stale_or_fetch(LookupOptions::new(), move |old| loads.fetch(old)).await })
    }

    /// A call of a slot with a fetch that borrows, run until all callers are idle.
    pub fn fetch_lent<R: Host>(&mut self, slot: &LazySlot<V, Boom, R>, loads: &Loads) -> usize {
        let (slot, loads) = (slot.clone(), loads.clone());
        self.call(async move { slot.lookup_with(LookupOptions::new(), |old| loads.fetch(old)).await })
    }

    /// A caller that watches a slot until the slot is gone.
    pub fn watch<R: Runtime + 'static>(&mut self, slot: &LazySlot<V, Boom, R>) -> (usize, Sightings) {
        let (mut watcher, seen) = (slot.watch(), Sightings::default());
        let noted = seen.clone();
        let caller = self.call(async move {
            while watcher.changed().await {
                noted.0.borrow_mut().0 += 1;
            }
            noted.0.borrow_mut().1 = true;
        });
        (caller, seen)
    }
}
