//! A write-back cache alone: three tasks share a load, each changes what it has, and it is flushed once.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::{boxed::Box, rc::Rc, vec::Vec};
use core::{cell::Cell, future::Ready, future::ready};

use cortex_m_rt::entry;
use larder::{Backend, LocalBoxIo, Runtime, WriteBack};
use larder_cortex_m::{
    board::{self, run},
    fetch,
};
use larder_scenario::tasks::Task;

#[entry]
fn main() -> ! {
    board::main(program)
}

/// A disk of one page.
#[derive(Clone, Default)]
struct Disk(Rc<Page>);

#[derive(Default)]
struct Page {
    loads: Cell<u32>,
    flushes: Cell<u32>,
    value: Cell<u32>,
}

impl Backend<u32> for Disk {
    type Value = u32;
    type Error = ();
    type Load = LocalBoxIo<Result<u32, ()>>;
    type Flush = LocalBoxIo<Result<(), ()>>;
    type Discard = Ready<()>;

    fn load(&self, page: u32) -> Self::Load {
        let disk = self.clone();
        Box::pin(async move { fetch(page, &disk.0.loads).await })
    }

    fn flush(&self, _: u32, value: u32) -> Self::Flush {
        let disk = self.clone();
        Box::pin(async move {
            board::sleep(1).await;
            disk.0.value.set(value);
            disk.0.flushes.set(disk.0.flushes.get() + 1);
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        ready(())
    }

    fn lost(&self, _: Vec<u32>) {}
}

fn program() -> bool {
    let disk = Disk::default();
    let built = WriteBack::builder(board::runtime(), disk.clone()).capacity(4).hash_seed(7).build();
    built.is_ok_and(|cache| holds(&cache, &disk))
}

fn holds<R: Runtime>(cache: &WriteBack<u32, u32, (), R>, disk: &Disk) -> bool {
    let one = || async move {
        if let Ok(page) = cache.get_or_load(&7).await {
            _ = page.update(|value| *value += 1);
        }
    };
    run(&mut [Task::new(one()), Task::new(one()), Task::new(one())]);
    run(&mut [Task::new(async { _ = cache.flush().await })]);
    disk.0.loads.get() == 1 && disk.0.flushes.get() == 1 && disk.0.value.get() == 17 && cache.dirty() == 0
}
