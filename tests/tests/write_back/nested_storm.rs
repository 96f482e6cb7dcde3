//! Random schedules of caches whose back ends use the caches behind them, and which depend on these.

use super::*;

on_every_runtime! {
    layers_of_caches
    layers_of_caches_where_much_fails
}

/// How many schedules there are of each kind on each runtime.
const SEEDS: u64 = 60;
const CACHES: usize = 4;

fn layers_of_caches<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed, 0));
}

/// P16.
fn layers_of_caches_where_much_fails<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed + 10_000, 20));
}

type Inside = Pin<Box<dyn Future<Output = ()>>>;
type Layers<R> = Rc<RefCell<Vec<Pages<R>>>>;

/// A call to one cache, which may not wait for pins.
async fn call<R: Host>(layers: Layers<R>, nth: usize, key: u32, kind: u64, stamp: u32) -> Result<(), String> {
    let Some(pages) = layers.borrow().get(nth).cloned() else { return Ok(()) };
    match kind {
        0..3 => match pages.get_or_load(&key).await {
            Ok(handle) if kind < 2 => handle.set(V::new(stamp)),
            Ok(_) => {}
            Err(error) => return Err(why(&error)),
        },
        3 => drop(pages.insert(key, V::new(stamp), Room::Wait).await.map_err(|error| why(&error))?),
        4 => drop(pages.remove(&key).await.map_err(|error| why(&error))?),
        5 => pages
            .flush_key(&key)
            .await
            .map_err(|error| error.failed().iter().map(|(_, e)| why(e)).collect::<String>())?,
        6 => drop(pages.invalidate().await.map_err(|error| why(&error))?),
        7 => {
            let behind = layers.borrow().get(nth + 1).cloned();
            if let Some(behind) = behind {
                pages.flush_then_depend_on(&behind).await.map_err(|error| error.to_string())?;
            }
        }
        _ => pages.flush().await.map_err(|error| error.failed().iter().map(|(_, e)| why(e)).collect::<String>())?,
    }
    Ok(())
}

fn storm<R: Host>(seed: u64, trouble: u64) {
    let mut sim = Sim::new();
    let random = Rc::new(RefCell::new(Random::new(seed)));
    let below = {
        let random = random.clone();
        move |bound: u64| random.borrow_mut().below(bound)
    };
    let first = Disk::new(&sim.time, "a");
    let layers: Layers<R> = Rc::default();
    let heard = Rc::new(RefCell::new(Vec::<String>::new()));
    let mut disks = vec![first.clone()];
    disks.extend(["b", "c", "d"].map(|name| first.beside(name)));
    for (nth, disk) in disks.iter().enumerate() {
        let capacity = 1 + below(3) as usize;
        let limit = 1 + below(3) as usize;
        layers
            .borrow_mut()
            .push(pages::<R>(&sim, disk, |p| p.capacity(capacity).flush_limit(limit).name(["a", "b", "c", "d"][nth])));
        let (b1, b2) = (below.clone(), below.clone());
        disk.loads_by(move |_, _| if b1(100) < trouble { after(b1(3) * b1(5)).fails(1) } else { after(b1(3) * b1(5)) });
        disk.flushes_by(
            move |_, _| if b2(100) < trouble { after(b2(3) * b2(5)).fails(2) } else { after(b2(3) * b2(5)) },
        );
        let (asks, below, heard) = (layers.clone(), below.clone(), heard.clone());
        disk.first(move |_, _| {
            if nth + 1 >= CACHES || below(2) == 0 {
                return None;
            }
            let to = nth + 1 + below((CACHES - nth - 1) as u64) as usize;
            let (asks, key, kind, heard) = (asks.clone(), below(6) as u32, below(9), heard.clone());
            let kind = if kind == 6 { 5 } else { kind };
            Some(Box::pin(async move {
                if let Err(error) = call(asks, to, key, kind, 7).await {
                    heard.borrow_mut().push(error);
                }
            }) as Inside)
        });
    }
    let mut callers = Vec::new();
    for stamp in 0..300 {
        let (nth, key) = (below(CACHES as u64) as usize, below(6) as u32);
        match below(20) {
            0..9 => {
                let (layers, heard, kind) = (layers.clone(), heard.clone(), below(10));
                callers.push(sim.spawn(async move {
                    if let Err(error) = call(layers, nth, key, kind, 1000 + stamp).await {
                        heard.borrow_mut().push(error);
                    }
                }));
            }
            9 | 10 => {
                let to = nth + 1 + below(3) as usize;
                if to < CACHES {
                    let (from, to) = (layers.borrow()[nth].clone(), layers.borrow()[to].clone());
                    if below(3) == 0 { from.always_depend_on(&to) } else { from.depend_on(&to) }.expect("no circle");
                }
            }
            11 if !callers.is_empty() => sim.drop(callers[below(callers.len() as u64) as usize]),
            12 if !callers.is_empty() && seed % 2 == 0 => sim.park(callers[below(callers.len() as u64) as usize]),
            13 if !callers.is_empty() => sim.poll(callers[below(callers.len() as u64) as usize]),
            _ => {
                let next = sim.time.ms() + below(6);
                sim.to(next);
            }
        }
        if below(3) == 0 {
            sim.run();
        }
    }
    callers.iter().for_each(|i| sim.unpark(*i));
    let late = sim.time.ms() + 20_000;
    sim.to(late);
    sim.assert_nobody_is_forgotten(callers.iter().copied());
    for i in &callers {
        assert!(sim.end(*i).is_some(), "seed {seed}: {i} hangs");
        assert!(!sim.saw(*i).contains("panic"), "seed {seed}: {}", sim.saw(*i));
    }
    for error in heard.borrow().iter() {
        assert!(!error.contains("Reentrant"), "seed {seed}: {error}");
        assert!(trouble > 0 || error.starts_with("Pinned"), "seed {seed}: {error}");
    }
    for disk in &disks {
        disk.nothing_first();
        disk.loads_by(|_, _| ready());
        disk.flushes_by(|_, _| ready());
    }
    let layers = layers.take();
    for pages in &layers {
        let flush = sim.flush(pages);
        assert_eq!(
            (sim.end(flush).map(ToString::to_string), pages.dirty(), pages.pinned()),
            (Some("done".into()), 0, 0),
            "seed {seed}"
        );
    }
}
