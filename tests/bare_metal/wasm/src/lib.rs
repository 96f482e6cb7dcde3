//! A cache for a page of a browser: its loads are promises, its callers may abort, its time is the host's.
//!
//! The host calls in one thread, never while it is called itself, and gives each pointer back that it was given once.
#![no_std]

extern crate alloc;

mod cases;
mod heap;
mod promise;

use alloc::{boxed::Box, vec::Vec};
use core::{cell::RefCell, panic::PanicInfo, time::Duration};

use larder::{Cache, LoadError, parts::Local};
use larder_scenario::{
    tasks::{Task, on_wake},
    time::{self, Ticks},
};

use crate::promise::Promise;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Has the host call `turn` soon.
    safe fn wake();
    /// Tells what came of a call: whether there is a value, and the value or the error.
    safe fn settle(caller: u32, is_ok: bool, value: u32);
    fn log(text: *const u8, len: usize);
}

/// A cache and those who ask it.
pub struct Page {
    cache: Cache<u32, u32, u32, Local<Ticks>>,
    callers: RefCell<Vec<(u32, Task<'static, Result<u32, LoadError<u32>>>)>>,
}

/// Makes one whose values live for so many milliseconds.
#[unsafe(no_mangle)]
pub extern "C" fn open(lifetime: u32) -> Option<Box<Page>> {
    on_wake(|| wake());
    let cache = Cache::builder(Local::new(Ticks))
        .capacity(64)
        .hash_seed(7)
        .ttl(Duration::from_millis(lifetime.into()))
        .load_fn(|key: u32| Promise::begin(key))
        .build();
    cache.ok().map(|cache| Box::new(Page { cache, callers: RefCell::default() }))
}

/// Drops it.
#[unsafe(no_mangle)]
pub extern "C" fn close(page: Option<Box<Page>>) {
    drop(page);
}

/// A caller asks; it is told by `settle`.
#[unsafe(no_mangle)]
pub extern "C" fn get(page: &Page, caller: u32, key: u32) {
    let cache = page.cache.clone();
    page.callers.borrow_mut().push((caller, Task::new(async move { cache.get(&key).await })));
    wake();
}

/// A caller does not want to know any more.
#[unsafe(no_mangle)]
pub extern "C" fn leave(page: &Page, caller: u32) {
    let mut callers = page.callers.borrow_mut();
    let place = callers.iter().position(|(other, _)| *other == caller);
    let gone = place.map(|place| callers.remove(place));
    drop(callers);
    drop(gone);
}

/// How many loads there were.
#[unsafe(no_mangle)]
pub extern "C" fn loads(page: &Page) -> u32 {
    page.cache.stats().loads_begun as u32
}

/// Polls each task that was woken, and reports those that are done.
#[unsafe(no_mangle)]
pub extern "C" fn turn(page: &Page) {
    page.callers.borrow_mut().retain_mut(|(caller, task)| {
        task.step();
        match task.output() {
            Some(Ok(value)) => settle(*caller, true, value),
            Some(Err(error)) => settle(*caller, false, error.error().copied().unwrap_or(u32::MAX)),
            None => return true,
        }
        false
    });
}

/// So many milliseconds have passed.
#[unsafe(no_mangle)]
pub extern "C" fn tick(millis: u32) {
    time::tick(millis.into());
}

/// When the first wait ends, in milliseconds since the start; less than zero if nothing waits.
#[unsafe(no_mangle)]
pub extern "C" fn next_deadline() -> f64 {
    time::next_deadline().map_or(-1.0, |millis| millis as f64)
}

/// How many bytes are in use.
#[unsafe(no_mangle)]
pub extern "C" fn live() -> usize {
    heap::live()
}

fn print(text: &str) {
    // SAFETY: the host only reads the text, before it returns.
    unsafe { log(text.as_ptr(), text.len()) };
}

/// There is one thread, and no interrupt: nothing ever runs beside what runs.
struct OneThread;

critical_section::set_impl!(OneThread);

// SAFETY: as said there.
unsafe impl critical_section::Impl for OneThread {
    unsafe fn acquire() -> critical_section::RawRestoreState {}

    unsafe fn release(_: critical_section::RawRestoreState) {}
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(info.message().as_str().unwrap_or("a panic"));
    core::arch::wasm32::unreachable()
}
