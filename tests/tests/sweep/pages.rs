//! The calls of write-back caches at random; one cache depends on the other.

use std::collections::BTreeMap;

use larder::{Backend, FlushError, LocalBoxIo, Pinned, Room, WriteBack, WriteBackError};
use larder_tests::*;

use crate::{
    dice::{Dice, Trouble},
    hostile::{Key, Value},
    medley::stands,
};

const STEPS: usize = 80;

/// A disk that knows the possible last values of each key: more than one if a write has panicked.
struct Disk {
    dice: Rc<Dice>,
    pages: RefCell<BTreeMap<u32, u32>>,
    latest: RefCell<BTreeMap<u32, Vec<u32>>>,
}

#[derive(Clone)]
struct Access(Rc<Disk>);

/// A cache and its back end.
struct Pages<R: Host> {
    cache: WriteBack<Key, Value, Boom, R>,
    disk: Rc<Disk>,
}

impl<R: Host> Clone for Pages<R> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), disk: self.disk.clone() }
    }
}

impl<R: Host> core::ops::Deref for Pages<R> {
    type Target = WriteBack<Key, Value, Boom, R>;

    fn deref(&self) -> &Self::Target {
        &self.cache
    }
}

type Handles<R> = Rc<RefCell<Vec<Pinned<Key, Value, Boom, R>>>>;

impl Disk {
    fn page(&self, key: u32) -> u32 {
        self.pages.borrow().get(&key).copied().unwrap_or(key)
    }

    fn latest(&self, key: u32) -> Vec<u32> {
        self.latest.borrow().get(&key).cloned().unwrap_or_else(|| vec![key])
    }

    fn may_be(&self, key: u32, value: u32) {
        self.latest.borrow_mut().entry(key).or_insert_with(|| vec![key]).push(value);
    }

    fn check(&self, key: u32, value: &Value) {
        let latest = self.latest(key);
        assert!(latest.contains(&value.0), "{key} is {} and not one of {latest:?}", value.0);
    }
}

/// A write that has begun: if it is never acknowledged, it may have happened or not.
struct Write(Rc<Disk>, u32, u32, bool);

impl Write {
    fn acknowledge(mut self) {
        self.0.latest.borrow_mut().insert(self.1, vec![self.2]);
        self.3 = true;
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if !self.3 {
            self.0.may_be(self.1, self.2);
        }
    }
}

impl Backend<Key> for Access {
    type Value = Value;
    type Error = Boom;
    type Load = LocalBoxIo<Result<Value, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: Key) -> Self::Load {
        let disk = self.0.clone();
        Box::pin(async move {
            if disk.dice.wait().await == 0 { Err(Boom(*key.0)) } else { Ok(Value::new(disk.page(*key.0))) }
        })
    }

    fn flush(&self, key: Key, value: Value) -> Self::Flush {
        let disk = self.0.clone();
        Box::pin(async move {
            if disk.dice.wait().await == 0 {
                return Err(Boom(*key.0));
            }
            disk.pages.borrow_mut().insert(*key.0, *value.0);
            // Within the body: a future that panics while it drops its captures leaks the rest of them.
            drop((key, value));
            Ok(())
        })
    }

    fn discard(&self, key: Key, _: Value) -> Self::Discard {
        let disk = self.0.clone();
        disk.may_be(*key.0, disk.page(*key.0));
        Box::pin(async move { _ = disk.dice.wait().await })
    }

    fn lost(&self, _: Vec<Key>) {}
}

/// Plays, and checks whether the caches have withstood it.
pub(crate) fn play<R: Host>(seed: u64, trouble: Trouble) {
    let mut sim = Sim::new();
    let dice = Rc::new(Dice::new(seed, &sim.time, trouble));
    let is = |one_in| dice.below(one_in) == 0;
    let capacity = 1 + dice.below(3) as usize;
    let make = || {
        let disk = Rc::new(Disk { dice: dice.clone(), pages: RefCell::default(), latest: RefCell::default() });
        let builder = WriteBack::builder(R::on(sim.clock()), Access(disk.clone())).capacity(capacity);
        let builder = builder.flush_limit(1 + dice.below(3) as usize).flush_after(dice.time(50)).hash_seed(seed);
        Pages { cache: builder.build().expect("valid"), disk }
    };
    let caches: [Pages<R>; 2] = [make(), make()];
    if is(2) {
        caches[0].always_depend_on(&caches[1].cache).expect("no circle");
    }
    let (mut callers, kept, mut stamp) = (Vec::new(), Handles::<R>::default(), 0);
    for _ in 0..STEPS {
        if is(2) {
            dice.arm();
        }
        stamp += 10;
        let pages = &caches[dice.below(2) as usize];
        match dice.below(12) {
            0..6 => callers.push(ask(&mut sim, pages, &caches, &dice, stamp, &kept)),
            6 if !callers.is_empty() => {
                let i = callers[dice.below(callers.len() as u64) as usize];
                stands(|| sim.drop(i));
            }
            6 | 7 if dice.is_extreme() => sim.clock().set(dice.moment()),
            6 | 7 => {
                let to = sim.time.ms() + dice.below(30);
                while !stands(|| sim.to(to)) {}
            }
            _ => {
                stands(|| act(pages, &caches, &dice, stamp, &kept));
            }
        }
        while !stands(|| sim.run()) {}
        calm();
        for pages in &caches {
            assert!(pages.len() <= capacity && pages.pinned() <= pages.len() && pages.dirty() <= pages.len());
            assert_eq!(pages.next_flush().is_some(), pages.dirty() > 0);
        }
    }
    // A caller that has waited for room may keep the handle that it gets.
    for round in 1..20 {
        kept.take();
        let end = sim.time.ms() + 300;
        if dice.is_extreme() {
            sim.run()
        } else {
            sim.to(end)
        }
        assert!(round < 19 || kept.borrow().is_empty());
    }
    sim.assert_nobody_is_forgotten(callers.iter().copied());
    for i in callers {
        let saw = sim.saw(i);
        assert!(saw != "waits" && !saw.contains("panic: "), "caller {i}: {saw}");
    }
    for pages in &caches {
        rest(&mut sim, pages, &dice, capacity);
    }
}

/// Nothing is held, and nothing was lost.
fn rest<R: Host>(sim: &mut Sim, pages: &Pages<R>, dice: &Rc<Dice>, capacity: usize) {
    let disk = pages.disk.clone();
    assert_eq!(pages.pinned(), 0, "{:?}", dice.trouble);
    for _ in 0..200 {
        let flush = pages.flush();
        sim.call(async move { drop(flush.await) });
        let end = sim.time.ms() + 300;
        if dice.is_extreme() { sim.run() } else { sim.to(end) }
    }
    assert_eq!(pages.dirty(), 0);
    for key in 0..Dice::KEYS {
        if let Some(handle) = pages.try_get(&Key::new(key)) {
            assert_eq!(*handle.value().0, disk.page(key));
        }
        disk.check(key, &Value::new(disk.page(key)));
    }
    if !pages.is_closed() {
        let kept = Handles::<R>::default();
        for key in 100..100 + capacity as u32 {
            let (pages, kept) = (pages.clone(), kept.clone());
            sim.call(async move {
                let handle = pages.insert(Key::new(key), Value::new(key), Room::Try).await.expect("there is room");
                kept.borrow_mut().push(handle);
            });
        }
        let end = sim.time.ms() + 300;
        if dice.is_extreme() {
            sim.run()
        } else {
            sim.to(end)
        }
        assert_eq!((pages.len(), pages.pinned()), (capacity, capacity));
    }
}

fn room(dice: &Dice) -> Room {
    [Room::Wait, Room::Try, Room::Within(dice.time(40))][dice.below(3) as usize]
}

/// A caller that waits.
fn ask<R: Host>(
    sim: &mut Sim,
    pages: &Pages<R>,
    caches: &[Pages<R>; 2],
    dice: &Rc<Dice>,
    stamp: u32,
    kept: &Handles<R>,
) -> usize {
    let (pages, key, kept, room) = (pages.clone(), dice.key(), kept.clone(), room(dice));
    let (disk, keeps) = (pages.disk.clone(), dice.below(3) == 0);
    match dice.below(12) {
        0..4 => sim.spawn(async move {
            if let Ok(handle) = pages.get_or_load_with(&Key::new(key), room).await {
                disk.check(key, &handle.value());
                if keeps {
                    kept.borrow_mut().push(handle);
                }
            }
        }),
        4 | 5 => sim.spawn(async move {
            if let Ok(handle) = pages.get_or_load_with(&Key::new(key), room).await {
                let write = Write(disk, key, key + stamp, false);
                handle.set(Value::new(key + stamp));
                write.acknowledge();
            }
        }),
        6 | 7 => sim.spawn(async move {
            let write = Write(disk, key, key + stamp, false);
            if let Ok(handle) = pages.insert(Key::new(key), Value::new(key + stamp), room).await {
                write.acknowledge();
                if keeps {
                    kept.borrow_mut().push(handle);
                }
            }
        }),
        8 => sim.spawn(async move {
            if let Ok(Some(value)) = pages.remove(&Key::new(key)).await {
                disk.check(key, &value);
            }
        }),
        9 => {
            let (kind, age) = (dice.below(3), dice.time(40));
            sim.spawn(async move {
                check_failed(match kind {
                    0 => pages.flush_key(&Key::new(key)).await,
                    1 => pages.flush_older_than(age).await,
                    _ => pages.flush().await,
                });
            })
        }
        10 => sim.spawn(async move {
            if let Err(WriteBackError::Pinned(keys)) = pages.invalidate().await {
                assert!(!keys.is_empty());
            }
        }),
        _ => {
            let (closes, other) = (dice.below(6) == 0, caches[dice.below(2) as usize].clone());
            sim.spawn(async move {
                if closes {
                    check_failed(pages.close().await);
                } else {
                    drop(pages.flush_then_depend_on(&other.cache).await);
                }
            })
        }
    }
}

/// Each key fails once.
fn check_failed(end: Result<(), FlushError<Key, Boom>>) {
    let Err(error) = end else { return };
    let keys: Vec<_> = error.failed().iter().map(|(key, _)| *key.0).collect();
    assert!(!keys.is_empty());
    for (nth, key) in keys.iter().enumerate() {
        assert!(!keys[..nth].contains(key), "{keys:?}");
    }
}

/// A call that does not wait.
fn act<R: Host>(pages: &Pages<R>, caches: &[Pages<R>; 2], dice: &Dice, stamp: u32, kept: &Handles<R>) {
    let (key, disk) = (dice.key(), pages.disk.clone());
    match dice.below(7) {
        0 => {
            let Some(handle) = pages.try_get(&Key::new(key)) else { return };
            disk.check(key, &handle.value());
            drop((handle.clone(), handle));
        }
        1 | 2 => {
            let Some(handle) = pages.try_get(&Key::new(key)) else { return };
            let write = Write(disk, key, key + stamp, false);
            handle.set(Value::new(key + stamp));
            write.acknowledge();
        }
        3 => {
            let Some(handle) = pages.try_get(&Key::new(key)) else { return };
            let write = Write(disk, key, key + stamp, false);
            let told = handle.update(|value| *value.0 = key + stamp).expect("no other call changes it");
            assert_eq!(*told.0, key + stamp);
            write.acknowledge();
        }
        4 => drop(pages.depend_on(&caches[dice.below(2) as usize].cache)),
        5 => {
            let handle = kept.borrow_mut().pop();
            drop(handle);
        }
        _ => drop((pages.next_flush(), pages.dirty(), pages.pinned(), pages.len(), pages.clone())),
    }
}
