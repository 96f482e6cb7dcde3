//! The place of a flight in its table: what the flight carries beside its decisions, and the seats of its callers.

use alloc::boxed::Box;

use super::{Answer, Carries};
use crate::{
    Failure, LoadError, Notify, Outcome,
    few::Few,
    flight::{Flight, Registration},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The result of a load, for all callers that wait.
pub(crate) type Verdict<V, E> = Result<Answer<V>, Failure<E>>;

/// The result that a caller gets in the end.
pub(crate) type LookupResult<V, E> = Result<Outcome<V, E>, LoadError<E>>;

/// One flight and what it carries.
pub(crate) struct Slot<K, V, E, C: Carries> {
    /// Tells apart the flights that have had this place.
    pub(super) id: u32,
    pub(crate) hash: u64,
    /// Nothing was known of the key when it was claimed, so nothing is known as long as it is attached.
    pub(crate) is_blank: bool,
    pub(crate) flight: Flight<C::Notify>,
    pub(crate) key: Option<K>,
    pub(crate) verdict: Option<Verdict<V, E>>,
    /// The result that its only caller was about to get when a poll unwound.
    pub(crate) kept: Option<Box<LookupResult<V, E>>>,
    /// Loads at rest, by the number of their attempt.
    pub(crate) loads: Few<(u32, C::Load)>,
    /// What only the caller that began the attempt still has to be told: failures, and private answers.
    pub(crate) own: Few<(u32, Verdict<V, E>)>,
    /// The loads of many keys that attempts here are a part of. They keep the flight even if no caller waits.
    pub(crate) parts: Few<Part<C>>,
}

/// An attempt whose load is one of many keys.
pub(crate) struct Part<C: Carries> {
    pub(crate) number: u32,
    pub(crate) batch: C::Batch,
    /// Whether the load has been counted, if it is delivered to two flights of its key.
    pub(crate) twin: Option<Twin>,
    /// How the callers that wait for this key alone hear of the load.
    pub(crate) registration: Registration<C::Notify>,
}

/// Whether a load that is delivered to two flights has been counted.
#[derive(Clone, Default)]
pub(crate) struct Twin(pub(super) Arc<AtomicBool>);

impl Twin {
    /// True the first time.
    pub(crate) fn count(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Is it of the same load and key?
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A caller's place in a flight.
pub(crate) struct Seat<N: Notify> {
    pub(super) place: u32,
    pub(super) id: u32,
    /// The attempt that this caller began and waits for; zero if there is none.
    pub(crate) began: u32,
    pub(crate) registration: Registration<N>,
}

impl<N: Notify> Default for Seat<N> {
    fn default() -> Self {
        Self { place: 0, id: 0, began: 0, registration: Registration::default() }
    }
}

impl<N: Notify> Seat<N> {
    pub(crate) const fn is_taken(&self) -> bool {
        self.id != 0
    }

    /// The same place without a waiter, for a load that will be delivered there.
    pub(crate) fn place_only(&self) -> Self {
        self.at_attempt(self.began)
    }

    /// The same place for the load of this attempt.
    pub(crate) fn at_attempt(&self, number: u32) -> Self {
        Self { place: self.place, id: self.id, began: number, registration: Registration::default() }
    }
}

impl<K, V, E, C: Carries> Slot<K, V, E, C> {
    /// A place without a flight.
    pub(super) fn vacant(hash: u64) -> Self {
        Self {
            id: 0,
            hash,
            is_blank: false,
            flight: Flight::new(),
            key: None,
            verdict: None,
            kept: None,
            loads: Few::new(),
            own: Few::new(),
            parts: Few::new(),
        }
    }

    /// Is there only one caller, and only this attempt?
    #[inline]
    pub(crate) fn is_alone_with(&self, number: u32) -> bool {
        self.flight.is_alone_with(number) && self.parts.is_empty() && self.own.is_empty()
    }

    /// Takes the result that is only for the caller of this attempt.
    pub(crate) fn take_own(&mut self, number: u32) -> Option<Verdict<V, E>> {
        self.own.take(|own| own.0 == number).map(|own| own.1)
    }
}
