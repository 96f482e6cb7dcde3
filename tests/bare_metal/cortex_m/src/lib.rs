//! What all programs here have in common, so that they differ by what they are measured for. No formatting in it.
#![no_std]

extern crate alloc;

pub mod board;
pub mod cases;
pub mod shared;
pub mod stack;

use core::{cell::Cell, time::Duration};

use larder::Clock;

use crate::board::Ticks;

/// How long values are fresh.
pub const TTL: Duration = Duration::from_millis(20);

/// What is slow: two milliseconds, woken by an interrupt.
///
/// # Errors
///
/// There is nothing under this key.
pub async fn fetch(key: u32, loads: &Cell<u32>) -> Result<u32, ()> {
    loads.set(loads.get() + 1);
    board::sleep(2).await;
    if key == 404 { Err(()) } else { Ok(key.wrapping_mul(2)) }
}

/// Waits until a value that was loaded before now has expired.
pub fn outlast() {
    let end = Ticks.now().saturating_add(TTL + Duration::from_millis(1));
    while Ticks.now() < end {}
}
