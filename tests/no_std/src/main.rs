//! Runs the core where there is no standard library: exits with 0 if every check held and no memory stayed behind.
#![no_std]
#![no_main]

extern crate alloc;

mod executor;
mod heap;
#[path = "../../conformance/src/here.rs"]
mod here;
mod linux;
mod scenario;

use core::time::Duration;

use larder::{
    Cache, Clock,
    parts::{Local, NoTimer, Spin},
};

use crate::{
    heap::HEAP,
    here::Here,
    linux::{Kernel, print},
    scenario::Checked,
};

fn run() -> Checked {
    scenario::all(Local::new, HEAP)?;
    scenario::all(|clock| Here(Spin::new(clock)), HEAP)?;
    real_time()?;
    if (HEAP.live)() != 0 {
        return Err("memory stayed behind");
    }
    print("no_std: every check held");
    Ok(())
}

/// A value expires by a clock that knows nothing of Rust, where there is no timer.
fn real_time() -> Checked {
    let cache = Cache::<_, u32, (), _>::builder(Spin::new(NoTimer::new(Kernel)))
        .capacity(8)
        .hash_seed(7)
        .ttl(Duration::from_millis(2))
        .build()
        .map_err(|_| "the configuration was refused")?;
    let start = Kernel.now();
    let _ = cache.insert(1, 1);
    while cache.contains(&1) {
        if Kernel.now().saturating_since(start) > Duration::from_secs(5) {
            return Err("a value outlived its lifetime");
        }
    }
    if Kernel.now().saturating_since(start) < Duration::from_millis(2) {
        return Err("a value expired too early");
    }
    Ok(())
}
