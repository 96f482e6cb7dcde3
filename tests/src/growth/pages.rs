//! The parts of scenarios of write-back caches.

use core::cell::{Cell, RefCell};

use alloc::rc::Rc;

use larder::{Backend, LocalBoxIo, Pinned, Room, WriteBack, WriteBackBuilder};

use super::{
    counting::{Key, Value},
    world::{Ends, World},
};
use crate::{Boom, Counted};

/// A cache that counts.
pub(super) type Pages = WriteBack<Key, Value, Boom, Counted>;

/// How such a cache is built.
type Setting = WriteBackBuilder<Key, Value, Boom, Counted>;

/// Handles that keep entries pinned.
pub(super) type Kept = Rc<RefCell<Vec<Pinned<Key, Value, Boom, Counted>>>>;

/// The back end of a cache: loads and flushes end at once, or with the gate of their key.
#[derive(Clone)]
pub(super) struct Files {
    ends: Rc<dyn Fn(Key) -> Ends>,
    pub(super) loads_wait: Rc<Cell<bool>>,
    pub(super) flushes_wait: Rc<Cell<bool>>,
    pub(super) fails: Rc<Cell<bool>>,
}

impl Files {
    pub(super) fn new(world: &World) -> Self {
        let ends = Rc::new(world.load());
        Self { ends, loads_wait: Rc::default(), flushes_wait: Rc::default(), fails: Rc::default() }
    }

    fn ends(&self, key: &Key, waits: &Cell<bool>) -> Option<Ends> {
        waits.get().then(|| (self.ends)(Key(key.0)))
    }
}

impl Backend<Key> for Files {
    type Value = Value;
    type Error = Boom;
    type Load = LocalBoxIo<Result<Value, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: Key) -> Self::Load {
        let ends = self.ends(&key, &self.loads_wait);
        Box::pin(async move {
            if let Some(ends) = ends {
                ends.ended().await;
            }
            Ok(Value(key.0))
        })
    }

    fn flush(&self, key: Key, _: Value) -> Self::Flush {
        let (ends, fails) = (self.ends(&key, &self.flushes_wait), Rc::clone(&self.fails));
        Box::pin(async move {
            if let Some(ends) = ends {
                ends.ended().await;
            }
            if fails.get() { Err(Boom(key.0)) } else { Ok(()) }
        })
    }

    fn discard(&self, _: Key, _: Value) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, keys: Vec<Key>) {
        assert!(!keys.is_empty());
    }
}

pub(super) fn pages(world: &World, files: &Files, setup: impl FnOnce(Setting) -> Setting) -> Pages {
    let builder = WriteBack::builder(world.runtime(), files.clone()).hash_seed(7);
    setup(builder).build().expect("valid")
}

/// A cache with room for this many entries.
pub(super) fn start(n: u32, setup: impl FnOnce(Setting) -> Setting) -> (World, Files, Pages) {
    let world = World::new(2 * n);
    let files = Files::new(&world);
    let pages = pages(&world, &files, |p| setup(p.capacity(n as usize)));
    (world, files, pages)
}

impl World {
    pub(super) fn load_page(&mut self, pages: &Pages, key: u32, room: Room) -> usize {
        let pages = pages.clone();
        self.call(async move { pages.get_or_load_with(&Key(key), room).await.is_ok() })
    }

    pub(super) fn load_pages(&mut self, pages: &Pages, keys: impl IntoIterator<Item = u32>) -> Vec<usize> {
        keys.into_iter().map(|key| self.load_page(pages, key, Room::Wait)).collect()
    }

    pub(super) fn pin(&mut self, pages: &Pages, keys: impl IntoIterator<Item = u32>) -> Kept {
        let kept = Kept::default();
        for key in keys {
            let (pages, kept) = (pages.clone(), Rc::clone(&kept));
            self.call(async move {
                let handle = pages.get_or_load(&Key(key)).await.expect("it is loaded");
                kept.borrow_mut().push(handle);
            });
        }
        kept
    }

    pub(super) fn dirty(&mut self, pages: &Pages, keys: impl IntoIterator<Item = u32>) {
        let kept = self.pin(pages, keys);
        kept.borrow().iter().for_each(|handle| handle.set(Value(7)));
    }

    pub(super) fn flush(&mut self, pages: &Pages) -> usize {
        let flush = pages.flush();
        self.call(flush)
    }
}
