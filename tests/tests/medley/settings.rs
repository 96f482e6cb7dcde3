//! Random settings, and what the model has to know of them.

use std::rc::{Rc, Weak};

use larder::{Builder, OnTimeout, Ttl};
use larder_tests::*;

use super::{
    plain::{Ns, Options, Rules, end_of, ns, weight_of},
    world::World,
};

pub(crate) type Build<R> = Builder<u32, V, Boom, Spawning<R>>;
type Sets<R> = Vec<Box<dyn FnOnce(Build<R>) -> Build<R>>>;

/// Random rules for a cache.
pub(crate) fn rules(random: &mut Random, revalidates: bool, batches: bool) -> (Rules, u64) {
    let mut below = |bound| random.below(bound);
    let mut rules = Rules { revalidates, batches, ..Rules::NONE };
    let capacity = [0, 1, 3, 30, 1000, 1000, 1000, 1000][below(8) as usize];
    rules.has_room = capacity == 1000;
    rules.ttl = if below(3) > 0 { Ttl::For(ms(below(80))) } else { Ttl::Inherit };
    let mut t = |one_in: u64, most: u64| (below(one_in) == 0).then(|| below(most) * 1_000_000);
    rules.idle = t(3, 60);
    rules.lock_age = t(2, 50);
    rules.stale = t(2, 60);
    rules.stale_if_error = t(2, 90);
    rules.budget = t(4, 70);
    rules.error_ttl = t(2, 20).unwrap_or(0);
    (rules.factor, rules.cap) = (1.5, 60_000_000);
    let patience = t(2, 60);
    let within = t(2, 60);
    let then = [OnTimeout::Load, OnTimeout::Fail, OnTimeout::LoadAlone, OnTimeout::Stale][below(4) as usize];
    rules.patience =
        patience.filter(|_| then != OnTimeout::Stale || rules.stale.is_some()).map(|length| (length, then));
    rules.jitter = (rules.idle.is_none() && below(4) == 0).then_some(0.5);
    rules.early = (below(3) == 0).then_some(0.6);
    rules.over_age_alone = rules.lock_age.is_some() && below(5) == 0;
    rules.attempts = 1 + below(4) as usize;
    rules.surplus = batches && below(2) == 0;
    (rules.finishes, rules.weighs, rules.ends) = (below(2) == 0, below(3) == 0, below(4) == 0);
    let previous = if revalidates { Some(within.unwrap_or(Ns::MAX)) } else { None };
    rules.hold = rules.stale.max(rules.stale_if_error).max(previous);
    rules.delays_empty = true;
    (rules, capacity)
}

impl Rules {
    pub(crate) const NONE: Self = Self {
        ttl: Ttl::Inherit,
        idle: None,
        jitter: None,
        early: None,
        margin: None,
        inline: false,
        lock_age: None,
        over_age_alone: false,
        attempts: 4,
        budget: None,
        error_ttl: 0,
        factor: 1.0,
        cap: 0,
        patience: None,
        stale: None,
        stale_if_error: None,
        hold: None,
        surplus: false,
        batches: false,
        revalidates: false,
        finishes: false,
        has_room: true,
        weighs: false,
        ends: false,
        is_slot: false,
        delays_empty: false,
        slot_jitter: None,
        is_kept_fresh: false,
    };
}

/// Builds by these rules, in an order that depends on the seed. (D102)
pub(crate) fn settings<R: Host>(world: &Rc<World>, seed: u64, capacity: u64, mut c: Build<R>) -> Build<R> {
    let rules = world.plain.borrow().rules.clone();
    let length = Duration::from_nanos;
    let mut sets: Sets<R> = Vec::new();
    let mut set = |is: bool, set: Box<dyn FnOnce(Build<R>) -> Build<R>>| {
        if is {
            sets.push(set);
        }
    };
    let Rules { ttl, attempts, error_ttl, factor, cap, .. } = rules;
    let shards = 1 + seed as usize % 3;
    set(true, Box::new(move |c| c.capacity(capacity).hash_seed(seed).near_copies(seed as usize % 3 * 2)));
    set(
        true,
        // Such a number never changes, or there may be up to 64.
        Box::new(move |c| if seed % 2 == 0 { c.shards(shards) } else { c.processors(8) }),
    );
    set(ttl != Ttl::Inherit, Box::new(move |c| c.ttl(ttl)));
    set(true, Box::new(move |c| c.attempts(attempts as u32)));
    set(error_ttl > 0, Box::new(move |c| c.error_ttl(length(error_ttl)).error_backoff(factor, length(cap))));
    let mut time = |value: Option<Ns>, with: fn(Build<R>, Duration) -> Build<R>| {
        if let Some(value) = value {
            set(true, Box::new(move |c| with(c, length(value))));
        }
    };
    time(rules.idle, |c, t| c.time_to_idle(t));
    time(rules.lock_age, |c, t| c.lock_age(t));
    time(rules.stale, |c, t| c.stale_while_refresh(t));
    time(rules.stale_if_error, |c, t| c.stale_if_error(t));
    time(rules.budget, |c, t| c.load_budget(t));
    time(rules.hold.filter(|hold| rules.revalidates && *hold < Ns::MAX), |c, t| c.revalidate_within(t));
    if let Some((patience, then)) = rules.patience {
        set(true, Box::new(move |c| c.lock_timeout(length(patience), then)));
    }
    if let Some(share) = rules.jitter {
        set(true, Box::new(move |c| c.ttl_jitter(share, seed)));
    }
    if let Some(share) = rules.early {
        set(true, Box::new(move |c| c.refresh_early(share)));
    }
    set(rules.over_age_alone, Box::new(|c| c.over_age_alone()));
    set(rules.surplus, Box::new(|c| c.store_surplus()));
    set(rules.finishes, Box::new(|c| c.finish_abandoned()));
    set(rules.weighs, Box::new(|c| c.weigher(|_, value| weight_of(**value))));
    set(rules.ends, Box::new(|c| c.expire_after(|_, value| end_of(**value))));
    let listens: Weak<World> = Rc::downgrade(world);
    c = c.listener(move |key, value, cause| {
        let Some(world) = listens.upgrade() else { return };
        world.plain.borrow_mut().event(*key, **value, cause, world.now());
    });
    while !sets.is_empty() {
        let next = sets.swap_remove(world.below(sets.len() as u64) as usize);
        c = next(c);
    }
    c
}

/// Random options of one call.
pub(crate) fn options(world: &World) -> Options {
    let below = |bound| world.below(bound);
    let mut options = Options { ttl: world.ttl(), weight: world.weight(), ..Options::NONE };
    let t = ns(ms(below(30)));
    match below(12) {
        0 => options.patience = Some(Some((t, OnTimeout::Fail))),
        1 => (options.patience, options.stale) = (Some(Some((t, OnTimeout::Stale))), Some(20_000_000)),
        2 => options.patience = Some(Some((t, OnTimeout::LoadAlone))),
        3 => options.patience = Some(Some((t, OnTimeout::Load))),
        4 => options.patience = Some(None),
        5 => options.reload = true,
        6 => options.stale_if_error = Some(t),
        7 => options.stale = Some(t),
        8 => options = Options::NONE,
        _ => {}
    }
    options
}
