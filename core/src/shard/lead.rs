//! A flight in its short form: all that there is of it, and the claim of its caller.

#[cfg(not(feature = "std"))]
use core::{convert::Infallible, marker::PhantomData};

use crate::{Instant, flight::PolledBy};

/// All that there is of such a flight.
pub(super) struct Leading<K> {
    pub(super) id: u32,
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) begun: Instant,
    pub(super) by: PolledBy,
    /// There was an expired value; else nothing was known of the key.
    pub(super) found_expired: bool,
}

/// Such a flight as it is stored. A program that has to be small has no need of it: without std there is none.
#[cfg(feature = "std")]
pub(super) struct Stored<K>(Leading<K>);
#[cfg(not(feature = "std"))]
pub(super) enum Stored<K> {
    _None(Infallible, PhantomData<K>),
}

#[cfg(feature = "std")]
impl<K> Stored<K> {
    pub(super) const fn new(leading: Leading<K>) -> Option<Self> {
        Some(Self(leading))
    }

    pub(super) const fn get(&self) -> &Leading<K> {
        &self.0
    }

    pub(super) fn into_inner(self) -> Leading<K> {
        self.0
    }
}

#[cfg(not(feature = "std"))]
impl<K> Stored<K> {
    pub(super) fn new(_: Leading<K>) -> Option<Self> {
        None
    }

    pub(super) const fn get(&self) -> &Leading<K> {
        match *self {
            Self::_None(none, _) => match none {},
        }
    }

    pub(super) const fn into_inner(self) -> Leading<K> {
        match self {
            Self::_None(none, _) => match none {},
        }
    }
}

/// The claim of a caller that leads such a flight.
#[derive(Clone, Copy)]
pub(crate) struct Lead {
    pub(super) id: u32,
    /// There was an expired value.
    pub(crate) found_expired: bool,
}
