//! A cache of one thread that depends on a cache of many.

use core::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
};
use std::sync::{Arc, Mutex};

use futures_lite::future::{block_on, poll_fn};
use larder::{
    Backend, BoxIo, ManualClock, Runtime, WriteBack,
    parts::{Local, Std},
};

/// A disk that many threads may use; while it is shut, nothing is written.
#[derive(Clone, Default)]
struct Disk {
    log: Arc<Mutex<Vec<(&'static str, u32)>>>,
    is_shut: Arc<AtomicBool>,
    name: &'static str,
}

impl Disk {
    fn beside(&self, name: &'static str) -> Self {
        Self { log: self.log.clone(), is_shut: Arc::default(), name }
    }

    fn log(&self) -> Vec<(&'static str, u32)> {
        self.log.lock().expect("no panic").clone()
    }
}

impl Backend<u32> for Disk {
    type Value = u32;
    type Error = String;
    type Load = BoxIo<Result<u32, String>>;
    type Flush = BoxIo<Result<(), String>>;
    type Discard = BoxIo<()>;

    fn load(&self, _: u32) -> Self::Load {
        Box::pin(async { Ok(0) })
    }

    fn flush(&self, key: u32, _: u32) -> Self::Flush {
        let disk = self.clone();
        Box::pin(async move {
            poll_fn(|_| if disk.is_shut.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(()) }).await;
            disk.log.lock().expect("no panic").push((disk.name, key));
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, _: Vec<u32>) {}
}

type Pages<R> = WriteBack<u32, u32, String, R>;

fn write<R: Runtime>(pages: &Pages<R>, key: u32) {
    block_on(pages.get_or_load(&key)).expect("a page").set(key);
}

/// P17, D82: what comes to be needed while the flush that fulfils a wish is under way is not fulfilled by it.
#[test]
fn an_edge_that_comes_during_the_flush_of_a_wish_stays() {
    let disk = Disk { name: "b", ..Disk::default() };
    let (near, far) = (disk.beside("a"), disk.clone());
    let a =
        WriteBack::builder(Local::new(ManualClock::new()), near).capacity(10).build().expect("a valid configuration");
    let b = WriteBack::builder(Std::new(ManualClock::new()), far.clone()).capacity(10).build();
    let b = b.expect("a valid configuration");
    a.depend_until_flushed_on(&b).expect("no circle");
    write(&b, 1);
    write(&a, 1);
    far.is_shut.store(true, Ordering::SeqCst);
    {
        let mut flush = pin!(a.flush());
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(flush.as_mut().poll(cx).is_pending());
        write(&b, 2);
        a.depend_on(&b).expect("no circle");
        far.is_shut.store(false, Ordering::SeqCst);
        while flush.as_mut().poll(cx).is_pending() {}
    }
    write(&a, 2);
    block_on(a.flush()).expect("written");
    let log = disk.log();
    let place = |entry| log.iter().position(|one| *one == entry);
    assert_eq!(log.first(), Some(&("b", 1)));
    assert!(place(("b", 2)) < place(("a", 2)) && place(("b", 2)).is_some(), "{log:?}");
}
