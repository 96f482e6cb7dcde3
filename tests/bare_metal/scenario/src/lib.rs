//! What a cache does for a program on a small machine: the same cases on each of them, one after the other.
//!
//! A program brings a heap, calls [`time::tick`] from the interrupt of its timer, and polls the cases until they are ready.
#![no_std]

extern crate alloc;

pub mod tasks;
pub mod time;

mod caches;
mod flash;
mod slots;
mod source;

use core::{fmt, future::Future, pin::Pin, time::Duration};

use alloc::boxed::Box;

use larder::{OneThread, Runtime};

/// What went wrong, if anything did.
pub type Checked = Result<(), Broken>;

/// What was to hold and did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What was to hold.
    pub what: &'static str,
    /// Where it is checked.
    pub line: u32,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "does not hold: {} (line {})", self.what, self.line)
    }
}

/// Fails with the condition's own text.
macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            return Err(crate::Broken { what: stringify!($condition), line: line!() });
        }
    };
}
pub(crate) use check;

/// What caches run on here: on one thread.
pub trait Host: Runtime<Threads = OneThread> + Clone + 'static {}

impl<R: Runtime<Threads = OneThread> + Clone + 'static> Host for R {}

/// One case, begun.
type Case = Pin<Box<dyn Future<Output = Checked>>>;

/// The cases of caches, on runtimes made by `make`; `heap` tells how many bytes are in use, as none may stay behind.
///
/// # Errors
///
/// What did not hold.
pub async fn of_caches<R: Host>(make: fn() -> R, heap: fn() -> usize) -> Checked {
    let cases: [fn(R) -> Case; 8] = [
        |host| Box::pin(caches::coalescing(host)),
        |host| Box::pin(caches::expiry(host)),
        |host| Box::pin(caches::leaving(host)),
        |host| Box::pin(caches::lock_timeout(host)),
        |host| Box::pin(caches::takeover(host)),
        |host| Box::pin(caches::failure(host)),
        |host| Box::pin(caches::one_place(host)),
        |host| Box::pin(caches::many_interrupts(host)),
    ];
    each(&cases, make, heap).await
}

/// The cases of slots.
///
/// # Errors
///
/// What did not hold.
pub async fn of_slots<R: Host>(make: fn() -> R, heap: fn() -> usize) -> Checked {
    let cases: [fn(R) -> Case; 2] = [|host| Box::pin(slots::fetches(host)), |host| Box::pin(slots::fails(host))];
    each(&cases, make, heap).await
}

/// The case of a write-back cache.
///
/// # Errors
///
/// What did not hold.
pub async fn of_pages<R: Host>(make: fn() -> R, heap: fn() -> usize) -> Checked {
    each(&[|host| Box::pin(flash::pages(host))], make, heap).await
}

async fn each<R>(cases: &[fn(R) -> Case], make: fn() -> R, heap: fn() -> usize) -> Checked {
    for case in cases {
        let before = heap();
        case(make()).await?;
        let is_all_free = heap() == before;
        check!(is_all_free);
    }
    Ok(())
}

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}
