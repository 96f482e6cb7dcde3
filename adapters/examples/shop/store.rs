//! The slow part, which may fail.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::pass;
use crate::Adapter;

/// The shop's database.
pub(super) struct Store {
    runtime: Adapter,
    day: Mutex<Day>,
}

/// How the store behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// Answers after a while.
    Slow,
    /// Answers once the behaviour changes.
    Stalling,
    /// Fails after a while.
    Failing,
}

/// The error of a store that is down.
#[derive(Debug)]
pub(super) struct Down;

impl Store {
    pub(super) fn new(runtime: Adapter) -> Self {
        Self { runtime, day: Mutex::new(Day::Slow) }
    }

    pub(super) fn begin(&self, day: Day) {
        *self.day.lock().unwrap_or_else(PoisonError::into_inner) = day;
    }

    fn day(&self) -> Day {
        *self.day.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders the page of a product.
    pub(super) async fn page(&self, id: u32) -> Result<Arc<str>, Down> {
        pass(self.runtime, Duration::from_millis(50)).await;
        while self.day() == Day::Stalling {
            pass(self.runtime, Duration::from_millis(1)).await;
        }
        match self.day() {
            Day::Failing => Err(Down),
            _ => Ok(format!("<h1>Product {id}</h1>").into()),
        }
    }
}
