//! Random schedules in virtual time.
use super::*;

on_every_runtime! {
    c81_the_torn_disk
    c81_the_torn_disk_with_much_trouble
    c81_the_torn_disk_with_hardly_any_room
}

const STEPS: u32 = 80;

/// C81. (P16, P17)
fn c81_the_torn_disk<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed, 5, 3));
}

/// C81: most calls fail or panic. (P5, P16, P17)
fn c81_the_torn_disk_with_much_trouble<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed + 10_000, 60, 2));
}

/// C81. (P12, P16, P17)
fn c81_the_torn_disk_with_hardly_any_room<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed + 20_000, 10, 1));
}

/// How many schedules there are of each kind on each runtime.
const SEEDS: u64 = 400;

fn storm<R: Host>(seed: u64, trouble: u64, capacity: usize) {
    let mut sim = Sim::new();
    let platter = Platter::new(&sim.time, seed);
    let caches = caches::<R>(&sim, &platter, capacity);
    platter.trouble(trouble);
    let mut random = Random::new(seed ^ 0x5eed);
    let (mut callers, mut stamp) = (Vec::new(), 0);
    for _ in 0..STEPS {
        let (nth, key) = (random.below(CACHES as u64) as usize, random.below(KEYS.into()) as u32);
        stamp += 1;
        match random.below(20) {
            0..8 => callers.push(act(&mut sim, &platter, &caches, (nth, key, stamp), random.below(9))),
            8 | 9 => depend(&platter, &caches, &sim, &callers, nth, &mut random),
            10 | 11 => {
                if let Some(caller) = pick(&callers, &mut random) {
                    sim.drop(caller);
                }
            }
            12 => {
                if let Some(caller) = pick(&callers, &mut random) {
                    sim.park(caller);
                }
            }
            13 => {
                if let Some(caller) = pick(&callers, &mut random) {
                    sim.poll(caller);
                }
            }
            _ => {
                let next = sim.time.ms() + random.below(6);
                sim.to(next);
            }
        }
        if random.below(4) == 0 {
            sim.run();
        }
        if random.below(4) == 0 {
            assert_nothing_is_lost(&platter, &caches);
        }
        assert!(caches.iter().all(|pages| pages.len() <= capacity && pages.pinned() <= capacity), "seed {seed}");
    }
    // A parked caller may hold a place for ever; all others come to an end.
    let parked: Vec<_> = callers.iter().copied().filter(|i| sim.end(*i).is_none()).collect();
    parked.iter().for_each(|i| sim.unpark(*i));
    let late = sim.time.ms() + 10_000;
    sim.to(late);
    sim.assert_nobody_is_forgotten(callers.iter().copied());
    assert!(callers.iter().all(|i| sim.end(*i).is_some()), "seed {seed}: a caller hangs");
    let bad = callers.iter().map(|i| sim.saw(*i)).find(|saw| saw.contains("panic:"));
    assert_eq!(bad, None, "seed {seed}");
    assert_nothing_is_lost(&platter, &caches);
    assert_all_ends_well(&mut sim, &platter, caches, capacity);
    drop(sim);
    assert_eq!(platter.lost(), 0, "seed {seed}");
}

fn pick(callers: &[usize], random: &mut Random) -> Option<usize> {
    (!callers.is_empty()).then(|| callers[random.below(callers.len() as u64) as usize])
}

/// One call, by a caller of its own.
fn act<R: Host>(
    sim: &mut Sim,
    platter: &Rc<Platter>,
    caches: &[Sheets<R>],
    (nth, key, stamp): (usize, u32, u32),
    kind: u64,
) -> usize {
    let (pages, platter) = (caches[nth].clone(), platter.clone());
    let room = match stamp % 3 {
        0 => Room::Wait,
        1 => Room::Try,
        _ => Room::Within(ms(7)),
    };
    match kind {
        0 => sim.spawn(async move {
            if let Ok(handle) = pages.get_or_load_with(&key, room).await {
                assert_eq!(*handle.value(), platter.latest(nth, key), "what is read");
            }
        }),
        1..4 => sim.spawn(async move {
            if let Ok(handle) = pages.get_or_load(&key).await {
                platter.acknowledge(nth, key, stamp);
                handle.set(Rc::new(stamp));
                // Kept for a while, so that other callers find it pinned.
                if stamp % 2 == 0 {
                    platter_sleep(&pages, 5).await;
                }
            }
        }),
        4 => sim.spawn(async move {
            if let Ok(handle) = pages.insert(key, Rc::new(stamp), room).await {
                platter.acknowledge(nth, key, stamp);
                drop(handle);
            }
        }),
        5 => sim.spawn(async move { drop(pages.remove(&key).await) }),
        6 => sim.spawn(async move { drop(pages.flush_key(&key).await) }),
        _ => sim.spawn(async move { drop(pages.flush().await) }),
    }
}

async fn platter_sleep<R: Host>(pages: &Sheets<R>, t: u64) {
    let runtime = pages.runtime();
    runtime.sleep_until(runtime.now().saturating_add(ms(t))).await;
}

/// One dependency, unless it would close a circle.
fn depend<R: Host>(
    platter: &Platter,
    caches: &[Sheets<R>],
    sim: &Sim,
    callers: &[usize],
    from: usize,
    random: &mut Random,
) {
    let (to, always) = (random.below(CACHES as u64) as usize, random.below(6) == 0);
    let added = if always { caches[from].always_depend_on(&caches[to]) } else { caches[from].depend_on(&caches[to]) };
    if added.is_ok() {
        let is_quiet = callers.iter().all(|i| sim.end(*i).is_some());
        platter.edge(from, to, always, is_quiet);
    } else {
        assert!(always || caches[to].dirty() > 0, "nothing is dirty there, so there is no circle");
    }
}
