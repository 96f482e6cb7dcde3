//! A slot alone: three tasks share a fetch, another is served, and after its lifetime the value is fetched anew.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::rc::Rc;
use core::cell::Cell;

use cortex_m_rt::entry;
use larder::{LazySlot, Loaded, Runtime};
use larder_cortex_m::{
    TTL,
    board::{self, run},
    fetch, outlast,
};
use larder_scenario::tasks::Task;

#[entry]
fn main() -> ! {
    board::main(program)
}

fn program() -> bool {
    let loads = Rc::new(Cell::new(0));
    let counted = Rc::clone(&loads);
    let built = LazySlot::builder(board::runtime())
        .fetch_fn(move |_| {
            let loads = Rc::clone(&counted);
            async move { fetch(7, &loads).await.map(Loaded::new) }
        })
        .ttl(TTL)
        .build();
    built.is_ok_and(|slot| holds(&slot, &loads))
}

fn holds<R: Runtime>(slot: &LazySlot<u32, (), R>, loads: &Cell<u32>) -> bool {
    let sum = &Cell::new(0);
    let one = || async move {
        if let Ok(value) = slot.get().await {
            sum.set(sum.get() + value);
        }
    };
    run(&mut [Task::new(one()), Task::new(one()), Task::new(one())]);
    let is_shared = sum.get() == 42 && loads.get() == 1;
    run(&mut [Task::new(one())]);
    let has_hit = sum.get() == 56 && loads.get() == 1;
    outlast();
    run(&mut [Task::new(one())]);
    is_shared && has_hit && sum.get() == 70 && loads.get() == 2
}
