//! Runs cases that are the same on all machines.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use cortex_m_semihosting::hprintln;
use larder::parts::Local;
use larder_scenario::Checked;

use crate::board::{Ticks, heap};

/// What cases run on.
pub type Host = Local<Ticks>;

/// Tells whether they held, and on the console what did not.
pub fn hold<F: Future<Output = Checked>>(cases: fn(fn() -> Host, fn() -> usize) -> F) -> bool {
    let mut cases: Pin<Box<_>> = Box::pin(cases(|| Local::new(Ticks), heap));
    // They look by themselves which task an interrupt has woken, so after each interrupt they are polled.
    let checked = loop {
        if let Poll::Ready(checked) = cases.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            break checked;
        }
        cortex_m::asm::wfi();
    };
    drop(cases);
    match checked {
        Ok(()) => hprintln!("every check held, {} bytes of the heap are in use", heap()),
        Err(broken) => hprintln!("{}", broken),
    }
    checked.is_ok() && heap() == 0
}
