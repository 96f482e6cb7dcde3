//! No call holds a lock for longer than some hundreds of entries take, and calls that go over all meet each once.

use core::hash::{Hash, Hasher};
use std::collections::BTreeMap;

use larder::{Builder, Cache, Loaded, LookupOptions, ManualClock, RemovalCause, Tuned, policy::Lru};
use larder_tests::*;

on_every_runtime! {
    c113_what_is_there_all_the_time_is_shown_once
    c113_and_is_judged_once
    c113_many_at_once_and_some_that_are_left
}

/// A key or value that tells of all that is done with it.
#[derive(Debug)]
struct Told(u32);

impl Clone for Told {
    fn clone(&self) -> Self {
        handle();
        Self(self.0)
    }
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        handle();
        self.0 == other.0
    }
}

impl Eq for Told {}

impl Hash for Told {
    fn hash<H: Hasher>(&self, state: &mut H) {
        handle();
        self.0.hash(state);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        handle();
    }
}

type Large = Cache<Told, Told, Boom, Counted>;

/// So many entries in one shard, and the clock.
fn large(
    entries: u32,
    setup: impl FnOnce(Builder<Told, Told, Boom, Counted>) -> Builder<Told, Told, Boom, Counted>,
) -> (Large, ManualClock) {
    let clock = ManualClock::new();
    let builder = Cache::builder(Counted::new(clock.clone())).capacity(entries.into()).shards(1);
    let cache = setup(builder).build().expect("valid");
    fill(&cache, entries);
    (cache, clock)
}

fn fill(cache: &Large, entries: u32) {
    (0..entries).for_each(|key| _ = cache.insert(Told(key), Told(key)));
    assert_eq!(cache.len(), entries as usize);
}

/// How much is done with entries under one lock, at the most: a few times what a step goes over.
const FEW: u64 = 300;

#[track_caller]
fn assert_few(work: impl FnOnce()) {
    let most = most_handled(work);
    assert!(most < FEW, "{most} under one lock");
}

/// The same for what goes over so many entries; where it does nothing that can be seen, locks tell.
#[track_caller]
fn assert_steps(entries: u32, work: impl FnOnce()) {
    let mut locked = 0;
    assert_few(|| locked = locks(work));
    assert!(locked >= u64::from(entries) / FEW, "{locked} locks");
}

/// C113: a million entries, iterated, retained, swept and cleared. (D43, D49)
#[test]
fn c113_a_million_entries() {
    const MILLION: u32 = 1_000_000;
    let (cache, clock) = large(MILLION, |c| c.time_to_idle(ms(1000)));
    let all = MILLION as usize;
    assert_steps(MILLION, || assert_eq!(cache.iter().count(), all));
    let mut judged = 0;
    assert_steps(MILLION, || {
        cache.retain(|_, _| {
            handle();
            judged += 1;
            true
        });
    });
    assert_eq!(judged, all);
    clock.advance(ms(2000));
    assert_steps(MILLION, || assert_eq!(cache.sweep(), all));
    fill(&cache, MILLION);
    assert_few(|| {
        cache.clear();
        cache.insert(Told(1), Told(1));
    });
    assert_eq!(cache.stats().removed, u64::from(MILLION));
}

/// C113: the other calls that have to do with all entries. (D43, D46, D49)
#[test]
fn c113_the_other_calls() {
    let many = 50_000;
    let (cache, clock) = large(many, |c| c.time_to_idle(ms(1000)).listener(|_, _, _| handle()));
    assert_steps(many, || cache.retain(|key, _| key.0 % 4 != 0));
    assert_steps(many, || assert_eq!(cache.remove_if(|key| key.0 % 4 == 1), many as usize / 4));
    clock.advance(ms(500));
    // All but one are asked for: to find that one, they have to be put where they belong.
    (0..many).filter(|key| *key != 2).for_each(|key| _ = cache.get_if_present(&Told(key)));
    assert_steps(many / 2, || assert_eq!(cache.next_deadline().map(|due| due.as_nanos()), Some(1_000_000_000)));
    assert_steps(many / 2, || cache.set_capacity(10));
    assert_eq!(cache.len(), 10);
    cache.set_capacity(many.into());
    fill(&cache, many);
    clock.advance(ms(2000));
    assert_few(|| {
        cache.clear();
        cache.contains(&Told(1));
    });
    assert_eq!(cache.stats().expired_out, u64::from(many));
    fill(&cache, many);
    assert_few(|| {
        cache.contains(&Told(1));
        drop(cache);
    });
}

/// C113: in a table that grows and shrinks, what is there is found at each step, at one lock a hit once it rests. (D49)
#[test]
fn c113_growing_and_shrinking() {
    let (cache, _) = large(0, |c| c.capacity(10_000).shards(1));
    for key in 0..10_000 {
        assert_few(|| assert!(cache.insert(Told(key), Told(key)).is_some()));
        for other in [0, key / 2, key] {
            assert_eq!(cache.get_if_present(&Told(other)).map(|found| found.0), Some(other), "{key}");
        }
    }
    // (Hits go on with what is being moved, so that in the end none of them has to look twice.)
    let locked = || locks(|| (0..10_000).for_each(|key| assert!(cache.get_if_present(&Told(key)).is_some())));
    locked();
    assert_eq!(locked(), 10_000);
    for key in (0..10_000).rev() {
        assert_few(|| assert!(cache.remove(&Told(key)).is_some()));
        for other in [0, key / 2, key] {
            assert_eq!(cache.get_if_present(&Told(other)).is_some(), other < key, "{key}");
        }
    }
}

/// C113: what leaves for a newcomer is far lighter than what is there on average. (D47, D49)
#[test]
fn c113_room_among_uneven_weights() {
    const HEAVY: u32 = 200_000;
    const WEIGHT: u64 = 19_900_000;
    const LEAVE: u64 = 12_700;
    let told = |key, weight| Loaded::new(Told(key)).weight(weight);
    for (is_loaded, grows) in [(false, false), (false, true), (true, false), (true, true)] {
        let builder = Cache::builder_with(Counted::new(ManualClock::new()), Tuned::<Lru>::new());
        let (builder, told_of) = (builder.capacity(WEIGHT + 100_000).shards(1), Rc::new(Cell::new(0)));
        let counts = told_of.clone();
        let hears =
            move |_: &Told, _: &Told, cause| counts.set(counts.get() + u64::from(cause == RemovalCause::Evicted));
        let builder = if is_loaded { builder.listener(hears) } else { builder };
        let cache = builder.build().expect("valid");
        (0..100_000).for_each(|key| _ = cache.insert(Told(key), Told(key)));
        cache.insert_with(Told(HEAVY), told(HEAVY, WEIGHT));
        let (key, weight) = if grows { (HEAVY, WEIGHT + LEAVE) } else { (HEAVY + 1, LEAVE) };
        assert_steps(LEAVE as u32, || {
            if is_loaded {
                let load = move || async move { Ok::<_, Boom>(told(key, weight)) };
                let options = LookupOptions::new().reload();
                assert!(wakers::now(cache.lookup(&Told(key)).options(options).by(load)).is_ok());
            } else {
                assert!(cache.insert_with(Told(key), told(key, weight)).is_some());
            }
        });
        assert!(cache.contains(&Told(key)) && cache.contains(&Told(HEAVY)));
        assert_eq!((cache.weight(), cache.stats().evicted), (WEIGHT + 100_000, LEAVE));
        assert_eq!(told_of.get(), if is_loaded { LEAVE } else { 0 });
    }
}

/// What comes, leaves, changes and grows while something goes over all entries.
struct Meanwhile<R: Host> {
    cache: Scripted<R>,
    random: Random,
    left: Rc<RefCell<Vec<u32>>>,
}

const KEYS: u32 = 1500;

impl<R: Host> Meanwhile<R> {
    fn new(sim: &Sim, seed: u64, shards: usize) -> Self {
        let left = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&left);
        // (What is replaced is there all the time.)
        let hears = move |key: &u32, _: &V, cause: RemovalCause| {
            if cause != RemovalCause::Replaced {
                heard.borrow_mut().push(*key);
            }
        };
        let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(2000).shards(shards).listener(hears));
        (0..KEYS).for_each(|key| _ = cache.insert(key, V::new(key)));
        Self { cache, random: Random::new(seed), left }
    }

    fn go_on(&mut self) {
        let key = self.random.below(u64::from(KEYS)) as u32;
        match self.random.below(8) {
            0 | 1 => _ = self.cache.remove(&key),
            2 => _ = self.cache.insert(key + KEYS, V::new(0)),
            3 => _ = self.cache.get_if_present(&key),
            4 => {
                let weight = 1 + self.random.below(8);
                self.cache.insert_with(key, Loaded::new(V::new(1)).weight(weight));
            }
            _ => _ = self.cache.insert(key, V::new(1)),
        }
    }

    /// What was there all the time was met once.
    #[track_caller]
    fn check(&self, met: impl IntoIterator<Item = u32>) {
        let mut times = BTreeMap::new();
        met.into_iter().for_each(|key| *times.entry(key).or_insert(0) += 1);
        let stayed = (0..KEYS).filter(|key| !self.left.borrow().contains(key));
        assert!(stayed.clone().count() > 100);
        stayed.for_each(|key| assert_eq!(times.get(&key), Some(&1), "{key}"));
    }
}

/// C113: an iterator shows once what is there all the time, whatever moves, and nothing that is there no more. (D48)
fn c113_what_is_there_all_the_time_is_shown_once<R: Host>() {
    for (seed, shards) in [(1, 1), (2, 1), (3, 1), (4, 3)] {
        let sim = Sim::new();
        let mut meanwhile = Meanwhile::<R>::new(&sim, seed, shards);
        let cache = meanwhile.cache.clone();
        let shown = cache.iter().map(|(key, _)| {
            meanwhile.go_on();
            key
        });
        let shown: Vec<_> = shown.collect();
        meanwhile.check(shown);
        assert_clean(&cache.stats());
    }
}

/// C113: `retain` judges it once, and what it refuses is gone. (D41)
fn c113_and_is_judged_once<R: Host>() {
    for (seed, shards) in [(1, 1), (2, 1), (3, 1), (4, 3)] {
        let sim = Sim::new();
        let mut meanwhile = Meanwhile::<R>::new(&sim, seed, shards);
        let cache = meanwhile.cache.clone();
        let mut judged = Vec::new();
        cache.retain(|key, _| {
            judged.push(*key);
            meanwhile.go_on();
            key % 3 != 0
        });
        let stays = (0..KEYS).filter(|key| key % 3 == 0 && !meanwhile.left.borrow().contains(key));
        // (Replaced while it was judged.)
        assert!(stays.clone().all(|key| cache.contains(&key)));
        meanwhile.check(judged);
        assert_clean(&cache.stats());
    }
}

/// C113: several go over the entries at once, some are dropped before the end, and all is cleared at last. (D43)
fn c113_many_at_once_and_some_that_are_left<R: Host>() {
    let sim = Sim::new();
    let mut meanwhile = Meanwhile::<R>::new(&sim, 5, 1);
    let cache = meanwhile.cache.clone();
    let mut shown = Vec::new();
    let mut others: Vec<_> = (0..3).map(|_| cache.iter()).collect();
    for (key, _) in cache.iter() {
        shown.push(key);
        meanwhile.go_on();
        let index = shown.len() % 4;
        if let Some(other) = others.get_mut(index) {
            other.next();
        }
        if shown.len() == 400 {
            drop(others.remove(0));
        }
    }
    meanwhile.check(shown);
    let mut last = cache.iter();
    assert!(last.next().is_some());
    cache.clear();
    (0..100).for_each(|key| _ = cache.insert(key, V::new(key)));
    // (Copies that were made before are fresh as far as is known where nothing expires.)
    assert!(last.count() < 64);
    assert_eq!(cache.iter().count(), 100);
    assert_clean(&cache.stats());
}
