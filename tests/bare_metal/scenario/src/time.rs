//! The machine's time, which an interrupt moves, and who waits for it.

use alloc::vec::Vec;
use core::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use critical_section::Mutex;
use larder::{Clock, Instant, Timer};

/// In a critical section and not an atomic: where there is no 64-bit compare-and-swap, an atomic of that size is a spin
/// lock, which an interrupt must never take.
static TIME: Mutex<RefCell<Time>> = Mutex::new(RefCell::new(Time { millis: 0, issued: 0, sleeping: Vec::new() }));

struct Time {
    millis: u64,
    issued: u32,
    sleeping: Vec<Sleeping>,
}

struct Sleeping {
    id: u32,
    until: Instant,
    waker: Waker,
}

/// The time since the machine was started, in milliseconds.
#[derive(Clone, Copy, Default)]
pub struct Ticks;

impl Clock for Ticks {
    fn now(&self) -> Instant {
        let millis = critical_section::with(|cs| TIME.borrow_ref(cs).millis);
        Instant::ZERO.saturating_add(Duration::from_millis(millis))
    }
}

impl Timer for Ticks {
    type Sleep = Sleep;

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { until: deadline, id: None }
    }
}

/// A wait that an interrupt ends.
pub struct Sleep {
    until: Instant,
    id: Option<u32>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        // The look and the registration are one step, or an interrupt between them would wake no task.
        critical_section::with(|cs| {
            let mut time = TIME.borrow_ref_mut(cs);
            if self.until <= Instant::ZERO.saturating_add(Duration::from_millis(time.millis)) {
                return Poll::Ready(());
            }
            match time.sleeping.iter_mut().find(|sleeping| Some(sleeping.id) == self.id) {
                Some(present) => present.waker = waker,
                None => {
                    time.issued += 1;
                    let sleeping = Sleeping { id: time.issued, until: self.until, waker };
                    self.id = Some(sleeping.id);
                    time.sleeping.push(sleeping);
                }
            }
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let _gone = critical_section::with(|cs| {
            let mut time = TIME.borrow_ref_mut(cs);
            let place = time.sleeping.iter().position(|sleeping| sleeping.id == id)?;
            Some(time.take_out(place))
        });
    }
}

/// So many milliseconds have passed: to be called from an interrupt.
pub fn tick(millis: u64) {
    critical_section::with(|cs| TIME.borrow_ref_mut(cs).millis += millis);
    // One at a time, and without the critical section: a waker may take it itself.
    while let Some(waker) = next_due() {
        waker.wake();
    }
}

/// Returns when the first wait ends, in milliseconds since the start.
pub fn next_deadline() -> Option<u64> {
    let next = critical_section::with(|cs| TIME.borrow_ref(cs).sleeping.iter().map(|sleeping| sleeping.until).min());
    next.map(|until| until.as_nanos().div_ceil(1_000_000))
}

fn next_due() -> Option<Waker> {
    critical_section::with(|cs| {
        let mut time = TIME.borrow_ref_mut(cs);
        let now = Instant::ZERO.saturating_add(Duration::from_millis(time.millis));
        let place = time.sleeping.iter().position(|sleeping| sleeping.until <= now)?;
        Some(time.take_out(place).waker)
    })
}

impl Time {
    /// Takes one out; when it was the last, gives the memory back, so that the heap shows what else is held.
    fn take_out(&mut self, place: usize) -> Sleeping {
        let gone = self.sleeping.swap_remove(place);
        if self.sleeping.is_empty() {
            self.sleeping = Vec::new();
        }
        gone
    }
}
