//! Runs the core on a Cortex-M3: ends the emulator with status 0 if every check held and no memory stayed behind.
#![no_std]
#![no_main]

extern crate alloc;

// The cases are those of the check on the host.
#[path = "../../no_std/src/executor.rs"]
mod executor;
#[path = "../../no_std/src/scenario.rs"]
mod scenario;

mod heap;
mod ticks;

use core::time::Duration;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use larder::{
    Cache, Clock,
    parts::{Local, NoTimer, Spin},
};
use panic_semihosting as _;

use crate::{
    executor::{Task, run},
    heap::HEAP,
    scenario::Checked,
    ticks::Ticks,
};

#[entry]
fn main() -> ! {
    // SAFETY: this is the first thing the program does, and `main` is entered once.
    unsafe { heap::init() };
    let status = match checks() {
        Ok(()) => {
            hprintln!("cortex-m3: every check held");
            debug::EXIT_SUCCESS
        }
        Err(reason) => {
            hprintln!("{}", reason);
            debug::EXIT_FAILURE
        }
    };
    debug::exit(status);
    loop {
        cortex_m::asm::wfi();
    }
}

fn checks() -> Checked {
    // The cases own their time, so they run before any interrupt does.
    scenario::all(Local::new, HEAP)?;
    let peripherals = cortex_m::Peripherals::take().ok_or("the peripherals are taken")?;
    ticks::start(peripherals.SYST);
    for _ in 0..100 {
        woken_by_an_interrupt()?;
    }
    if (HEAP.live)() != 0 {
        return Err("memory stayed behind");
    }
    Ok(())
}

/// Two callers share a load that only an interrupt can wake, and the value expires by the board's clock.
fn woken_by_an_interrupt() -> Checked {
    let lifetime = Duration::from_millis(3);
    let cache = Cache::builder(Spin::new(NoTimer::new(Ticks)))
        .capacity(8)
        .hash_seed(7)
        .ttl(lifetime)
        .load_fn(|key: u32| async move {
            ticks::sleep(2).await;
            Ok::<_, ()>(key + 1)
        })
        .build()
        .map_err(|_| "the configuration was refused")?;
    let mut callers = [Task::new(cache.get(&1)), Task::new(cache.get(&1))];
    while !callers.iter().all(Task::ended) {
        run(&mut callers);
        cortex_m::asm::wfi();
    }
    let stored = Ticks.now();
    for caller in callers {
        if !matches!(caller.output(), Some(Ok(2))) {
            return Err("a caller got something else");
        }
    }
    if cache.stats().loads_begun != 1 {
        return Err("the load was not shared");
    }
    while cache.contains(&1) {
        cortex_m::asm::wfi();
    }
    if Ticks.now().saturating_since(stored) > 2 * lifetime {
        return Err("a value outlived its lifetime");
    }
    Ok(())
}
