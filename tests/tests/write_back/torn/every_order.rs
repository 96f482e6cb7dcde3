//! Every order of a few steps.
use super::*;

on_every_runtime! {
    c81_an_eviction_and_a_flush
    c81_a_flush_that_is_dropped
    c81_a_write_during_a_flush
    c81_an_insertion_during_a_load
    c81_two_evictions
}

/// Which choice is made where there are several; all are, one after the other.
struct Ways {
    path: Vec<(usize, usize)>,
    step: usize,
}

impl Ways {
    fn choose(&mut self, of: usize) -> usize {
        if self.step == self.path.len() {
            self.path.push((0, of));
        }
        self.step += 1;
        self.path[self.step - 1].0
    }

    /// Runs `play` once for each series of choices; returns how many there were.
    fn try_all(mut play: impl FnMut(&mut Self)) -> usize {
        let (mut ways, mut runs) = (Self { path: Vec::new(), step: 0 }, 0);
        loop {
            ways.step = 0;
            play(&mut ways);
            runs += 1;
            while ways.path.last().is_some_and(|(way, of)| *way + 1 == *of) {
                ways.path.pop();
            }
            match ways.path.last_mut() {
                Some((way, _)) => *way += 1,
                None => return runs,
            }
        }
    }
}

/// An actor that takes one step in each poll, until it is done.
type Actor = Pin<Box<dyn Future<Output = ()>>>;

/// Makes the actors that work on these caches.
type Cast<R> = fn(&Rc<Platter>, &[Sheets<R>]) -> Vec<Actor>;

/// How many steps are taken in all orders; after that, the actors take turns.
const FREE: usize = 10;

/// Plays all orders of the steps of these actors; with `may_drop`, the first may be dropped at each of them. The power
/// may be cut between any two steps, as the disk judges each write by itself.
fn every_order<R: Host>(capacity: usize, may_drop: bool, cast: Cast<R>) -> usize {
    Ways::try_all(|ways| {
        let mut sim = Sim::new();
        let platter = Platter::new(&sim.time, 1);
        platter.steady();
        let caches = caches::<R>(&sim, &platter, capacity);
        let mut actors: Vec<_> = cast(&platter, &caches).into_iter().map(Some).collect();
        let mut rounds = 0;
        while actors.iter().any(Option::is_some) {
            let alive: Vec<_> = (0..actors.len()).filter(|nth| actors[*nth].is_some()).collect();
            let drops = usize::from(may_drop && actors[0].is_some());
            let way = if rounds < FREE { ways.choose(alive.len() + drops) } else { rounds % alive.len() };
            rounds += 1;
            assert!(rounds < 200, "they wait for each other");
            match alive.get(way).copied() {
                Some(nth) => {
                    let is_over = actors[nth].as_mut().is_some_and(|actor| wakers::poll_once(actor).is_ready());
                    if is_over {
                        actors[nth] = None;
                    }
                }
                None => actors[0] = None,
            }
            assert!(caches.iter().all(|pages| pages.len() <= capacity));
        }
        assert_nothing_is_lost(&platter, &caches);
        assert_all_ends_well(&mut sim, &platter, caches, capacity);
    })
}

/// Loads and changes an entry before the play begins.
fn write<R: Host>(platter: &Platter, caches: &[Sheets<R>], nth: usize, key: u32, value: u32) {
    let mut load = Box::pin(caches[nth].get_or_load(&key));
    let handle = loop {
        if let Poll::Ready(handle) = wakers::poll_once(&mut load) {
            break handle.expect("there is no trouble");
        }
    };
    platter.acknowledge(nth, key, value);
    handle.set(Rc::new(value));
}

fn actor(play: impl Future<Output = ()> + 'static) -> Actor {
    Box::pin(play)
}

/// C71, C81.
fn c81_an_eviction_and_a_flush<R: Host>() {
    let orders = every_order::<R>(1, false, |platter, caches| {
        write(platter, caches, 0, 1, 11);
        write(platter, caches, 1, 1, 21);
        caches[0].depend_on(&caches[1]).expect("no circle");
        platter.edge(0, 1, false, true);
        let (loads, flushes) = (caches[0].clone(), caches[0].clone());
        vec![
            actor(async move { drop(loads.get_or_load(&2).await.expect("there is room")) }),
            actor(async move { flushes.flush().await.expect("no trouble") }),
        ]
    });
    assert!(orders > 50, "{orders}");
}

/// C74, C81: the first is dropped at any step, and the other goes on.
fn c81_a_flush_that_is_dropped<R: Host>() {
    let orders = every_order::<R>(1, true, |platter, caches| {
        write(platter, caches, 0, 1, 11);
        write(platter, caches, 1, 1, 21);
        caches[0].always_depend_on(&caches[1]).expect("no circle");
        platter.edge(0, 1, true, true);
        let (flushes, others) = (caches[0].clone(), caches[0].clone());
        vec![
            actor(async move { flushes.flush().await.expect("no trouble") }),
            actor(async move { others.flush().await.expect("no trouble") }),
        ]
    });
    assert!(orders > 50, "{orders}");
}

/// C79, D81: a pair of writes that belong together, in the middle of a flush.
fn c81_a_write_during_a_flush<R: Host>() {
    let orders = every_order::<R>(1, false, |platter, caches| {
        write(platter, caches, 0, 1, 11);
        write(platter, caches, 1, 1, 21);
        caches[0].always_depend_on(&caches[1]).expect("no circle");
        platter.edge(0, 1, true, true);
        let (platter, flushes, first, second) =
            (platter.clone(), caches[0].clone(), caches[0].clone(), caches[1].clone());
        vec![
            actor(async move { flushes.flush().await.expect("no trouble") }),
            actor(async move {
                for value in [30, 40] {
                    let handle = second.get_or_load(&1).await.expect("no trouble");
                    platter.acknowledge(1, 1, value);
                    handle.set(Rc::new(value));
                    turn().await;
                    let handle = first.get_or_load(&1).await.expect("no trouble");
                    platter.acknowledge(0, 1, value + 1);
                    handle.set(Rc::new(value + 1));
                    turn().await;
                }
                first.flush().await.expect("no trouble");
            }),
        ]
    });
    assert!(orders > 50, "{orders}");
}

/// P8: a load, an insertion of its key, and an eviction of it.
fn c81_an_insertion_during_a_load<R: Host>() {
    let orders = every_order::<R>(2, true, |platter, caches| {
        let (platter, loads, inserts) = (platter.clone(), caches[0].clone(), caches[0].clone());
        let reads = platter.clone();
        vec![
            actor(async move {
                let handle = loads.get_or_load(&1).await.expect("no trouble");
                assert_eq!(*handle.value(), reads.latest(0, 1));
            }),
            actor(async move {
                if inserts.insert(1, Rc::new(11), Room::Wait).await.is_ok() {
                    platter.acknowledge(0, 1, 11);
                    turn().await;
                    drop(inserts.remove(&1).await);
                }
            }),
        ]
    });
    assert!(orders > 30, "{orders}");
}

/// D76 to D78.
fn c81_two_evictions<R: Host>() {
    let orders = every_order::<R>(1, true, |platter, caches| {
        write(platter, caches, 0, 1, 11);
        let loads = [2, 3].map(|key| {
            let (pages, platter) = (caches[0].clone(), platter.clone());
            actor(async move {
                let handle = pages.get_or_load(&key).await.expect("there will be room");
                platter.acknowledge(0, key, key * 10);
                handle.set(Rc::new(key * 10));
                turn().await;
            })
        });
        loads.into()
    });
    assert!(orders > 50, "{orders}");
}

/// Lets other actors take a step.
async fn turn() {
    let mut is_second = false;
    core::future::poll_fn(|_| if core::mem::replace(&mut is_second, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}
