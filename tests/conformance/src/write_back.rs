//! Write-back caches.

use core::cell::RefCell;
use core::pin::pin;

use alloc::rc::Rc;

use futures_lite::future::zip;
use larder::{Room, WriteBack, WriteBackBuilder, WriteBackError};

use super::{SOON, Stage, Subject, disk::Disk};
use crate::{Boom, Here, wakers::poll_once};

type Pages<R, V> = WriteBack<u32, V, Boom, Here<R>>;

impl<E: Subject> Stage<E> {
    fn disk(&self) -> Disk<E::Runtime, E::Value> {
        Disk::new(self.runtime.clone())
    }

    fn pages(&self, disk: &Disk<E::Runtime, E::Value>) -> WriteBackBuilder<u32, E::Value, Boom, Here<E::Runtime>> {
        WriteBack::builder(Here(self.runtime.clone()), disk.clone())
    }
}

/// Changes a page and drops its handle.
async fn write<E: Subject>(pages: &Pages<E::Runtime, E::Value>, key: u32, value: u32) {
    pages.get_or_load(&key).await.expect("it is loaded").set(E::Value::from(value));
}

/// Callers of a page share its load; a change is visible at once, and on disk after a flush. (P1, P16)
pub async fn changes_are_written_behind<E: Subject>(stage: Stage<E>) {
    let disk = stage.disk();
    let pages = stage.pages(&disk).build().expect("the configuration is valid");
    let (one, other) = zip(pages.get_or_load(&1), pages.get_or_load(&1)).await;
    let (one, other) = (one.expect("it is loaded"), other.expect("it is loaded"));
    assert_eq!((*one.value(), *other.value(), disk.read()), (10, 10, vec![1]));
    one.set(E::Value::from(11));
    assert_eq!((*other.value(), disk.page(1), pages.dirty()), (11, None, 1));
    pages.flush().await.expect("it is written");
    assert_eq!((disk.page(1), pages.dirty(), pages.pinned()), (Some(11), 0, 1));
}

/// A call that needs room has the oldest page written first; a pinned page stays until released, then the call that
/// waits gets the room. (P16)
pub async fn room_is_made_by_writing<E: Subject>(stage: Stage<E>) {
    let disk = stage.disk();
    let pages = stage.pages(&disk).capacity(1).build().expect("the configuration is valid");
    write::<E>(&pages, 1, 11).await;
    let two = pages.get_or_load(&2).await.expect("it is loaded");
    assert_eq!((disk.page(1), pages.len()), (Some(11), 1));
    assert!(matches!(pages.get_or_load_with(&3, Room::Try).await, Err(WriteBackError::Full)));
    assert!(matches!(pages.get_or_load_with(&3, Room::Within(SOON)).await, Err(WriteBackError::Full)));
    let release = async {
        stage.pass(SOON).await;
        drop(two);
    };
    let (three, ()) = zip(pages.get_or_load(&3), release).await;
    assert_eq!(three.map(|page| *page.value()).ok(), Some(30));
}

/// A failed or dropped flush changes nothing; a change during a flush waits for the next one. (P2, P16)
pub async fn what_is_not_written_stays_dirty<E: Subject>(stage: Stage<E>) {
    let disk = stage.disk();
    let pages = stage.pages(&disk).build().expect("the configuration is valid");
    for key in 1..=3 {
        write::<E>(&pages, key, key).await;
    }
    disk.fail(1);
    let error = pages.flush().await.expect_err("one of them fails");
    assert_eq!((error.failed().len(), pages.dirty()), (1, 1));
    assert!(poll_once(&mut pages.flush()).is_pending());
    assert_eq!(pages.dirty(), 1);
    let key = error.failed()[0].0;
    let mut flush = pages.flush();
    assert!(poll_once(&mut flush).is_pending());
    write::<E>(&pages, key, 99).await;
    flush.await.expect("it is written");
    assert_eq!((disk.page(key), pages.dirty()), (Some(key), 1));
    pages.close().await.expect("it is written");
    assert_eq!((disk.page(key), pages.dirty()), (Some(99), 0));
    assert!(matches!(pages.get_or_load(&7).await, Err(WriteBackError::Closed)));
}

/// The caches that a cache depends on are flushed before it, and a circle is refused. (P17)
pub async fn caches_are_written_in_order<E: Subject>(stage: Stage<E>) {
    let written = Rc::<RefCell<Vec<u32>>>::default();
    let cache = |name| {
        let disk = Disk::beside(stage.runtime.clone(), Rc::clone(&written));
        stage.pages(&disk).name(name).build().expect("the configuration is valid")
    };
    let (roots, pages) = (cache("roots"), cache("pages"));
    roots.always_depend_on(&pages).expect("no circle");
    assert!(pages.always_depend_on(&roots).is_err());
    write::<E>(&roots, 1, 1).await;
    write::<E>(&pages, 2, 2).await;
    write::<E>(&pages, 3, 3).await;
    // A flush that is dropped halfway does not reverse the order.
    let mut given_up = pin!(async {
        let mut flush = roots.flush();
        let _ = poll_once(&mut flush);
        stage.pass(SOON / 2).await;
    });
    given_up.as_mut().await;
    roots.flush().await.expect("it is written");
    let written = written.borrow();
    assert_eq!(written.last(), Some(&1));
    assert!(written.contains(&2) && written.contains(&3));
}

/// `remove` writes first, `invalidate` does not; both leave pinned pages. (P16)
pub async fn pages_leave<E: Subject>(stage: Stage<E>) {
    let disk = stage.disk();
    let pages = stage.pages(&disk).build().expect("the configuration is valid");
    write::<E>(&pages, 1, 11).await;
    assert_eq!(pages.remove(&1).await.ok().flatten().map(|value| *value), Some(11));
    assert_eq!((disk.page(1), pages.len()), (Some(11), 0));
    let pinned = pages.insert(2, E::Value::from(22), Room::Wait).await.expect("there is room");
    assert!(matches!(pages.remove(&2).await, Err(WriteBackError::Pinned(keys)) if keys == [2]));
    assert!(matches!(pages.invalidate().await, Err(WriteBackError::Pinned(keys)) if keys == [2]));
    drop(pinned);
    assert!(pages.invalidate().await.is_ok());
    assert_eq!((disk.page(2), pages.len(), pages.dirty()), (None, 0, 0));
}
