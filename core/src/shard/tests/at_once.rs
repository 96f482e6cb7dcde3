//! The short ways do what the long ways do.

use super::*;
use crate::store::{Leavers, Room, policy::tests::shelf::Random};

/// What happens between the claim of a load and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    AnotherAsks,
    Insert,
    Remove,
    Expire,
    Clear,
    TimePasses,
    AnotherKey,
    AFailureIsKept,
    ManyLoads,
}

use Meanwhile::*;

/// A caller that goes the short way as far as it can; `None` where it has to go the long one.
fn lead(rig: &mut Rig, caller: &Caller) -> Option<Lead> {
    let (hash, now) = (hash(caller.key), at(rig.now));
    let place = rig.shard.values.find(hash, |k| *k == caller.key);
    let place_is_fresh = place.is_some_and(|place| rig.shard.is_fresh_at(place, now));
    let may = !place_is_fresh && rig.shard.may_lead_at_once(hash, place, now);
    may.then(|| rig.shard.lead_at_once(hash, &caller.key, place, now, &caller.waker))
}

/// Its load has answered in its first poll; returns the value that the caller is told.
fn answer_at_once(rig: &mut Rig, mut caller: Caller, lead: Lead, begun: u64, loaded: Loaded<u32>) -> Option<u32> {
    let (hash, mut left) = (hash(caller.key), Leavers::new());
    let end = At { now: at(rig.now), rules: &rig.rules };
    let led = (lead, hash, at(begun));
    let terms = end.rules.terms_at_once((loaded.ttl, loaded.weight), Judgement::default(), end.now);
    if terms.is_some_and(|terms| rig.shard.finish_at_once(led, &loaded.value, terms, end, &mut left)) {
        return Some(loaded.into_value());
    }
    assert_eq!(left.iter_mut().count(), 0, "nothing has happened");
    caller.waiting.sit(lead);
    rig.shard.unfold(lead, &mut caller.waiting.seat, at(rig.now), &mut rig.effects);
    answer(rig, caller, loaded)
}

/// The load of a caller that has its seat has answered in its first poll.
fn answer(rig: &mut Rig, mut caller: Caller, loaded: Loaded<u32>) -> Option<u32> {
    rig.effects = Effects::default();
    rig.effects.number = 1;
    caller.load = None;
    let news = News::new(loaded, Judgement::default());
    let step = rig.step(&mut caller, false, |shard, waiting, visit, effects| {
        let visit = Visit { wants_value: true, ..*visit };
        shard.finish(waiting, &mut Some(Ok(news)), visit.reached, &visit, effects)
    });
    assert_eq!(step, Step::Told);
    let value = rig.effects.value.take();
    value.or_else(|| caller.told.take().map(|told| told.expect("a value").value))
}

/// Does it, and returns a caller that waits since then.
fn meanwhile(rig: &mut Rig, what: Meanwhile, key: u32) -> Option<Caller> {
    match what {
        Nothing => {}
        AnotherAsks => match rig.arrive(key) {
            Found::Seated(caller) => {
                assert_eq!(caller.step, Step::Wait, "one load (P1)");
                return Some(caller);
            }
            _ => panic!("there is nothing to be served"),
        },
        Insert => _ = rig.insert(key, 70),
        Remove => _ = rig.remove(key),
        Expire => {
            rig.effects = Effects::default();
            rig.shard.expire(hash(key), at(rig.now), |k| *k == key, &mut rig.effects);
        }
        Clear => {
            rig.effects = Effects::default();
            let _cleared = rig.shard.clear(at(rig.now), &mut rig.effects);
        }
        TimePasses => rig.now += 7,
        AnotherKey if rig.contains(key + 20) => _ = rig.served(key + 20),
        AnotherKey => _ = rig.load(key + 20, 30),
        AFailureIsKept => rig.load_fails(key + 20, "down"),
        ManyLoads => {
            // When they have left, the flights that are there move to the front.
            let callers: Vec<_> = (100..140).map(|key| rig.seat(key)).collect();
            callers.into_iter().rev().for_each(|caller| _ = rig.leave(caller));
        }
    }
    None
}

/// Loads a key both ways, with the same things happening meanwhile, and compares what both callers are told.
fn load_both_ways(rigs: &mut [Rig; 2], key: u32, what: Meanwhile, loaded: &Loaded<u32>) {
    let [long, short] = rigs;
    let begun = long.now;
    let Found::Seated(leader) = long.arrive(key) else { return assert!(serves(short, key)) };
    assert_eq!(leader.step, Step::Make);
    let joined = meanwhile(long, what, key);
    let told = answer(long, leader, loaded.clone());
    let heard = joined.map(|mut caller| long.outcome(&mut caller).value);

    let call = short.rules.call();
    let caller = Caller::new(key, call, Some(Start::Made), short.now);
    let Some(lead) = lead(short, &caller) else {
        let Found::Seated(leader) = short.come(caller) else { panic!("not served") };
        let joined = meanwhile(short, what, key);
        assert_eq!(answer(short, leader, loaded.clone()), told);
        assert_eq!(joined.map(|mut caller| short.outcome(&mut caller).value), heard);
        return;
    };
    assert_eq!(short.census().0, short.shard.flights.len());
    let joined = meanwhile(short, what, key);
    assert_eq!(answer_at_once(short, caller, lead, begun, loaded.clone()), told, "{what:?}");
    assert_eq!(joined.map(|mut caller| short.outcome(&mut caller).value), heard, "{what:?}");
}

fn serves(rig: &mut Rig, key: u32) -> bool {
    matches!(rig.arrive(key), Found::Served(_))
}

/// What both shards have to have in common. Expired values may be reclaimed at different times.
fn summary(rig: &Rig) -> impl PartialEq + core::fmt::Debug + use<> {
    let fresh = |key: &u32| rig.contains(*key);
    let keys: Vec<u32> = rig.keys().into_iter().filter(fresh).collect();
    let held: Vec<_> =
        keys.iter().map(|key| rig.peek(*key).map(|held| (held.value, held.time_left, held.age))).collect();
    let LookupCounts { hits, misses, expired, joined, stale, errors, abandoned, timeouts, load_time } =
        rig.shard.counts;
    // Whether an expired value was found depends on when it was reclaimed.
    let lookups = (hits, misses + expired, joined, stale, errors, abandoned, timeouts, load_time);
    let loads = alloc::format!("{:?}", rig.shard.flights.counts);
    (keys, held, lookups, loads, rig.census(), rig.shard.values.counts.stored)
}

fn pair(capacity: u64, rules: Rules) -> [Rig; 2] {
    [(); 2].map(|()| {
        let mut rig = Rig::with(capacity, rules);
        // Where nothing is served stale, an expired value does not stand in the way.
        rig.shard.links.ahead = None;
        rig
    })
}

/// P1, P8, D85: whatever happens while a load is polled for the first time.
#[test]
fn a_load_that_answers_at_once_ends_as_any_other() {
    let all = [Nothing, AnotherAsks, Insert, Remove, Expire, Clear, TimePasses, AnotherKey, AFailureIsKept, ManyLoads];
    let answers =
        [Loaded::new(5), Loaded::new(5).weight(9), Loaded::new(5).ttl(nanos(3)), Loaded::new(5).ttl(Ttl::NotStored)];
    for what in all {
        for loaded in &answers {
            for expired in [false, true] {
                let mut rigs = pair(100, Rules { backoff: BACKOFF, ..rules() });
                if expired {
                    rigs.iter_mut().for_each(|rig| _ = rig.insert(1, Loaded::new(4).ttl(nanos(2))));
                    rigs.iter_mut().for_each(|rig| rig.now += 5);
                }
                load_both_ways(&mut rigs, 1, what, loaded);
                let [long, short] = &rigs;
                assert_eq!(summary(long), summary(short), "{what:?} {loaded:?} {expired}");
                assert_eq!(short.census(), (0, 0, 0), "{what:?} {loaded:?} {expired}");
            }
        }
    }
}

/// The same, one after the other, in a shard that has room for all or for few.
#[test]
fn many_loads_that_answer_at_once_end_as_any_others() {
    let all = [Nothing, Nothing, Nothing, AnotherAsks, Insert, Remove, Expire, TimePasses, AnotherKey];
    let ways = [(100, Ttl::For(nanos(20)), 2), (3, Ttl::Forever, 2), (100, Ttl::Forever, 1), (3, Ttl::Forever, 1)];
    for (capacity, ttl, heaviest) in ways {
        let mut random = Random(7);
        let mut rigs = pair(capacity, Rules { ttl, ..rules() });
        for step in 0..20_000 {
            let (key, what) = (random.below(9) as u32, all[random.below(all.len() as u64) as usize]);
            let loaded = Loaded::new(step).weight(1 + random.below(heaviest));
            load_both_ways(&mut rigs, key, what, &loaded);
            if random.below(4) == 0 {
                let key = random.below(9) as u32;
                insert_both_ways(&mut rigs, key, &loaded);
            }
            if random.below(8) == 0 {
                remove_both_ways(&mut rigs, random.below(9) as u32);
            }
            let passes = random.below(4);
            rigs.iter_mut().for_each(|rig| rig.now += passes);
            let [long, short] = &rigs;
            assert_eq!(summary(long), summary(short), "{step}");
        }
    }
}

fn insert_both_ways([long, short]: &mut [Rig; 2], key: u32, loaded: &Loaded<u32>) {
    let generation = long.insert(key, loaded.clone());
    let stored = insert_at_once(short, key, loaded).unwrap_or_else(|| short.insert(key, loaded.clone()));
    assert_eq!(stored, generation);
    assert_eq!(short.shard.writes, long.shard.writes);
}

/// Inserts the short way; none if that has to go the long one.
fn insert_at_once(rig: &mut Rig, key: u32, loaded: &Loaded<u32>) -> Option<Option<u32>> {
    let (at, mut coming) = (At { now: at(rig.now), rules: &rig.rules }, Some((key, loaded.value)));
    let terms = at.rules.terms_at_once((loaded.ttl, loaded.weight), Judgement::default(), at.now)?;
    let stored = rig.shard.insert_at_once(hash(key), &mut coming, terms, at, &mut Leavers::new());
    coming.is_none().then_some(stored)
}

fn remove_both_ways([long, short]: &mut [Rig; 2], key: u32) {
    let removed = long.remove(key);
    let (now, mut left) = (at(short.now), Leavers::new());
    let was_fresh =
        short.shard.remove_at_once(hash(key), now, |k| *k == key, &mut left).expect("nothing else is there");
    assert_eq!(left.take_first().filter(|_| was_fresh), removed);
    assert_eq!(short.shard.writes, long.shard.writes);
}

/// P8: a load that is polled for the first time is voided by an insertion that goes the short way.
#[test]
fn an_insertion_gives_way_to_a_load_in_its_first_poll() {
    let mut rig = pair(100, rules()).into_iter().next().expect("two");
    let caller = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
    let lead = lead(&mut rig, &caller).expect("it may");
    let stored = insert_at_once(&mut rig, 1, &Loaded::new(8));
    assert_eq!(stored, None, "it goes the long way, which ends the wait with the inserted value");
    assert_eq!(rig.shard.remove_at_once(hash(1), at(rig.now), |k| *k == 1, &mut Leavers::new()), None);
    rig.insert(1, 8);
    assert_eq!(answer_at_once(&mut rig, caller, lead, 1000, Loaded::new(5)), Some(8));
    assert_eq!(rig.served(1).value, 8);
}

/// D66.
#[test]
fn a_load_that_asks_for_its_own_key_in_its_first_poll_is_refused() {
    let mut rig = pair(100, rules()).into_iter().next().expect("two");
    let caller = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
    let lead = lead(&mut rig, &caller).expect("it may");
    let mut inside = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
    (inside.waker, inside.count) = (caller.waker.clone(), Arc::clone(&caller.count));
    assert!(matches!(rig.come(inside), Found::Refused(LoadError::Reentrant)));
    assert_eq!(answer_at_once(&mut rig, caller, lead, 1000, Loaded::new(5)), Some(5));
    assert_eq!(rig.census(), (0, 0, 0));
}

/// D30, D39: a kept failure is served, and an insertion ends it.
#[test]
fn no_kept_failure_is_passed_over() {
    let mut rigs = pair(100, Rules { backoff: BACKOFF, ..rules() });
    rigs.iter_mut().for_each(|rig| rig.load_fails(1, "down"));
    let caller = Caller::new(1, rigs[1].rules.call(), Some(Start::Made), rigs[1].now);
    assert!(lead(&mut rigs[1], &caller).is_none());
    insert_both_ways(&mut rigs, 1, &Loaded::new(5));
    assert!(rigs.iter().all(|rig| rig.shard.failures.len() == 0));
    assert!(rigs.iter_mut().all(|rig| rig.served(1).value == 5));
}

/// P12: a load that ends the long way after all reclaims as any other.
#[test]
fn an_answer_that_is_not_stored_at_once_reclaims_all_the_same() {
    let mut rig = pair(100, rules()).into_iter().next().expect("two");
    for key in [1, 2] {
        rig.insert(key, Loaded::new(4).ttl(nanos(2)));
    }
    rig.now += 5;
    let mut caller = Caller::new(7, rig.rules.call(), Some(Start::Made), rig.now);
    let lead = lead(&mut rig, &caller).expect("it may");
    rig.shard.unfold(lead, &mut caller.waiting.seat, at(rig.now), &mut rig.effects);
    assert_eq!((rig.keys(), rig.census()), (vec![], (1, 1, 1)));
}

/// D47: room that was gathered for a value that is refused is free again.
#[test]
fn a_value_that_is_refused_keeps_no_room() {
    let room = Arc::new(Room::new(100));
    for loads in [false, true] {
        let mut rig = pair(100, rules()).into_iter().next().expect("two");
        rig.shard.values.allowance = Allowance::of(&room, 100, 2);
        let loaded = Loaded::new(5).weight(200);
        if loads {
            let caller = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
            let lead = lead(&mut rig, &caller).expect("it may");
            assert_eq!(answer_at_once(&mut rig, caller, lead, 1000, loaded), Some(5));
        } else {
            assert_eq!(insert_at_once(&mut rig, 1, &loaded), Some(None));
        }
        assert_eq!(rig.shard.values.allowance.own, 0);
    }
    assert_eq!(room.take(u64::MAX), 100);
}

/// P1, P8, D85: a shard has one flight in its short form at a time; it counts, it is met by a walk over all keys, and a
/// caller whose flight has been unfolded is not taken for the one that leads now.
#[test]
fn one_leads_at_a_time() {
    let mut rig = pair(100, rules()).into_iter().next().expect("two");
    let mut callers = [1, 2].map(|key| Caller::new(key, rig.rules.call(), Some(Start::Made), rig.now));
    let first = lead(&mut rig, &callers[0]).expect("it may");
    assert_eq!(rig.census(), (1, 1, 1));
    assert!(lead(&mut rig, &callers[1]).is_none(), "it goes the long way");

    let mut walk = rig.shard.walk_keys();
    assert_eq!(rig.shard.next_keys(&mut walk, 10), [1]);
    assert_eq!(rig.census(), (1, 1, 1));
    let second = lead(&mut rig, &callers[1]).expect("the other has its place now");
    let (end, mut left) = (At { now: at(rig.now), rules: &rules() }, Leavers::new());
    let terms = (Instant::NEVER, 1);
    assert!(!rig.shard.finish_at_once((first, hash(1), end.now), &10, terms, end, &mut left));
    assert!(rig.shard.finish_at_once((second, hash(2), end.now), &20, terms, end, &mut left));
    assert_eq!((rig.keys(), rig.census()), (vec![2], (1, 1, 1)));
    callers[0].waiting.sit(first);
    rig.shard.unfold(first, &mut callers[0].waiting.seat, at(rig.now), &mut rig.effects);
    let [caller, _] = callers;
    assert_eq!(answer(&mut rig, caller, Loaded::new(10)), Some(10));
    assert_eq!(rig.census(), (0, 0, 0));
}
