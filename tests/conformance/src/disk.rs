//! A disk behind the write-back caches of the suite; each read and write takes a while, by the runtime's timer.

use core::cell::{Cell, RefCell};

use alloc::{collections::BTreeMap, rc::Rc};

use larder::{Backend, LocalBoxIo, Runtime};

use super::{SOON, Value};
use crate::Boom;

/// A disk that holds ten times the key under each key; a clone is the same disk.
pub(super) struct Disk<R, V>(Rc<State<R, V>>);

struct State<R, V> {
    runtime: R,
    pages: RefCell<BTreeMap<u32, V>>,
    /// The keys that were read and those that were written, in order.
    read: RefCell<Vec<u32>>,
    written: Rc<RefCell<Vec<u32>>>,
    /// How many of the next writes fail.
    failing: Cell<usize>,
}

impl<R, V> Clone for Disk<R, V> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<R: Runtime, V: Value> Disk<R, V> {
    /// A disk that was never used.
    pub(super) fn new(runtime: R) -> Self {
        Self::beside(runtime, Rc::default())
    }

    /// A disk that records its writes in this list.
    pub(super) fn beside(runtime: R, written: Rc<RefCell<Vec<u32>>>) -> Self {
        let (pages, read, failing) = (RefCell::default(), RefCell::default(), Cell::new(0));
        Self(Rc::new(State { runtime, pages, read, written, failing }))
    }

    /// The last value written under this key.
    pub(super) fn page(&self, key: u32) -> Option<u32> {
        self.0.pages.borrow().get(&key).map(|value| **value)
    }

    /// The keys that were read.
    pub(super) fn read(&self) -> Vec<u32> {
        self.0.read.borrow().clone()
    }

    /// Makes the next writes fail, as many as given.
    pub(super) fn fail(&self, writes: usize) {
        self.0.failing.set(writes);
    }

    async fn work(&self) {
        let runtime = &self.0.runtime;
        runtime.sleep_until(runtime.now().saturating_add(SOON)).await;
    }
}

impl<R: Runtime + 'static, V: Value> Backend<u32> for Disk<R, V> {
    type Value = V;
    type Error = Boom;
    type Load = LocalBoxIo<Result<V, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: u32) -> Self::Load {
        let disk = self.clone();
        Box::pin(async move {
            disk.0.read.borrow_mut().push(key);
            disk.work().await;
            let page = disk.0.pages.borrow().get(&key).cloned();
            Ok(page.unwrap_or_else(|| V::from(key * 10)))
        })
    }

    fn flush(&self, key: u32, value: V) -> Self::Flush {
        let disk = self.clone();
        Box::pin(async move {
            disk.work().await;
            let failing = disk.0.failing.get();
            if failing > 0 {
                disk.0.failing.set(failing - 1);
                return Err(Boom(key));
            }
            disk.0.pages.borrow_mut().insert(key, value);
            disk.0.written.borrow_mut().push(key);
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: V) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, keys: Vec<u32>) {
        assert!(std::thread::panicking(), "lost: {keys:?}");
    }
}
