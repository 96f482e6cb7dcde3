//! Values that are changed without their handles.

use core::{
    convert::Infallible,
    future::{Ready, ready},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};
use std::sync::Arc;

use larder::{Backend, BoxIo, ManualClock, WriteBack, parts::Std};
use larder_tests::wakers::now;

/// A number on disk; in the cache, it can be changed without a handle.
#[derive(Clone)]
struct Sheet(Arc<AtomicU32>);

impl Backend<u32> for Sheet {
    type Value = Arc<AtomicU32>;
    type Error = Infallible;
    type Load = BoxIo<Result<Self::Value, Infallible>>;
    type Flush = BoxIo<Result<(), Infallible>>;
    type Discard = Ready<()>;

    fn load(&self, _: u32) -> Self::Load {
        Box::pin(ready(Ok(Arc::new(AtomicU32::new(self.0.load(SeqCst))))))
    }

    fn flush(&self, _: u32, value: Self::Value) -> Self::Flush {
        self.0.store(value.load(SeqCst), SeqCst);
        Box::pin(ready(Ok(())))
    }

    fn discard(&self, _: u32, _: Self::Value) -> Self::Discard {
        ready(())
    }

    fn lost(&self, _: Vec<u32>) {}
}

/// A value changed without a handle stays clean for the cache; an update that does nothing marks it.
#[test]
fn a_change_behind_its_back_is_none() {
    let sheet = Sheet(Arc::new(AtomicU32::new(1)));
    let cache = WriteBack::builder(Std::new(ManualClock::new()), sheet.clone()).build().expect("valid");
    let page = now(cache.get_or_load(&7)).expect("it is there");
    page.value().store(2, SeqCst);
    now(cache.flush()).expect("it works");
    assert_eq!((page.is_dirty(), sheet.0.load(SeqCst)), (false, 1));
    page.update(|_| {}).expect("no other caller changes it");
    now(cache.flush()).expect("it works");
    assert_eq!(sheet.0.load(SeqCst), 2);
}
