//! The lazy slot: its types, and how a check makes a slot and asks it.

mod first;
mod inside;
mod kept;
mod refreshing;
mod tokens;
mod writes;

use alloc::boxed::Box;

use larder::{
    LazySlot, LookupOptions, Previous, Runtime, SlotBuilder, SlotRefresh, Status,
    futures::{SlotAbandoned, SlotLookup},
};

pub use self::{first::*, inside::*, kept::*, refreshing::*, tokens::*, writes::*};
use super::{Caller, Loading, Seat, Stage, Subject};
use crate::Boom;

/// A slot whose fetches end when the test tells them to.
pub type Slot<R, V> = LazySlot<V, Boom, R>;

/// What it fetches its value with.
pub type Fetch<V> = Box<dyn Fn(Option<Previous<V>>) -> Loading<V> + Send + Sync>;

/// The builder of a [`Slot`].
pub type SlotSetup<R, V> = SlotBuilder<V, Boom, R>;

/// A task that asks a slot for its value.
pub type AskingSlot<R, V> = Caller<SlotLookup<'static, V, Boom, R>, V>;

/// A refresh of a slot in the background.
pub type SlotRenewal<R, V> = SlotRefresh<V, Boom, R>;

/// A fetch that its callers have left.
pub type SlotAbandonment<R, V> = SlotAbandoned<V, Boom, R>;

impl<E: Subject> Stage<E> {
    /// A slot that is never dropped; the keys of its loads are the previous values.
    pub fn slot(
        &self,
        setup: impl FnOnce(SlotSetup<E::Runtime, E::Value>) -> SlotSetup<E::Runtime, E::Value>,
    ) -> &'static Slot<E::Runtime, E::Value> {
        Box::leak(Box::new(self.mortal_slot(setup)))
    }

    /// A slot that can be dropped.
    pub fn mortal_slot(
        &self,
        setup: impl FnOnce(SlotSetup<E::Runtime, E::Value>) -> SlotSetup<E::Runtime, E::Value>,
    ) -> Slot<E::Runtime, E::Value> {
        let fetch: Fetch<E::Value> = Box::new(self.fetch());
        setup(LazySlot::builder(self.runtime.clone()).fetch_fn(fetch)).build().expect("the configuration is valid")
    }

    /// A load whose key is the previous value.
    fn fetch(&self) -> impl Fn(Option<Previous<E::Value>>) -> Loading<E::Value> + Send + Sync + use<E> {
        let loads = self.loads.clone();
        move |previous| loads.begin(previous.map(|previous| **previous.value()).into_iter().collect())
    }

    /// A slot like that of [`slot`](Self::slot), whose value is 90 and has just expired.
    pub fn expired_slot(
        &self,
        setup: impl FnOnce(SlotSetup<E::Runtime, E::Value>) -> SlotSetup<E::Runtime, E::Value>,
    ) -> &'static Slot<E::Runtime, E::Value> {
        let slot = self.slot(setup);
        slot.set(E::Value::from(90));
        assert!(slot.expire());
        slot
    }

    /// A task that asks for the value.
    pub fn ask_slot(&self, slot: &'static Slot<E::Runtime, E::Value>) -> Seat {
        self.ask_slot_with(slot, LookupOptions::new())
    }

    /// A task that asks for the value with these options.
    pub fn ask_slot_with(&self, slot: &'static Slot<E::Runtime, E::Value>, options: LookupOptions) -> Seat {
        self.spawn(slot.lookup(options))
    }

    /// `n` tasks that ask for the value and wait for its fetch.
    pub async fn slot_crowd(&self, slot: &'static Slot<E::Runtime, E::Value>, n: u64) -> Vec<Seat> {
        let waiters = slot.stats().waiters + n;
        let crowd = (0..n).map(|_| self.ask_slot(slot)).collect();
        self.until(|| slot.stats().waiters == waiters && self.loads.live() > 0).await;
        crowd
    }

    /// Ends once nothing is under way, and asserts that nothing is left. (P2)
    pub async fn slot_ends_clean<R: Runtime>(&self, slot: &LazySlot<E::Value, Boom, R>) {
        self.settles(|| slot.stats()).await;
    }
}

/// The value of a slot, if it is fresh.
fn fresh<E: Subject>(slot: &Slot<E::Runtime, E::Value>) -> Option<u32> {
    slot.peek().filter(|found| found.status() == Status::Hit).map(|found| **found.value())
}

/// Asserts that a task got the stale value 90, with this error beside it, or none.
#[track_caller]
fn assert_stale(saw: &str, error: &str) {
    let (served, beside) = saw.split_once(") ").unwrap_or((saw, ""));
    assert!(served.starts_with("V90 Stale("), "{saw}");
    assert_eq!(beside, error, "{saw}");
}
