//! Keys whose load is one of many: what keeps it, which callers drive it, and its answer for each of them (D62).

mod answering;
mod driving;
mod giving_up;
mod staying;

use super::*;

/// The places of a load's keys, by which it is delivered.
type Places = Vec<Seat<Bell>>;

/// A caller that begins this load for a key.
fn leads(rig: &mut Rig, key: u32, batch: &Together) -> Caller {
    leads_with(rig, key, rig.rules.call(), batch)
}

fn leads_with(rig: &mut Rig, key: u32, call: Call, batch: &Together) -> Caller {
    let mut caller = Caller::new(key, call, Some(Start::Batch), rig.now);
    (caller.is_by_loader, caller.batch) = (false, Some(batch.clone()));
    match rig.come(caller) {
        Found::Seated(caller) => {
            assert_eq!(caller.step, Step::Gathered, "its call drives the load");
            caller
        }
        _ => panic!("no seat"),
    }
}

fn place_of(caller: &Caller) -> Seat<Bell> {
    caller.waiting.seat.place_only()
}

/// One load of the keys 1 and 2, and the callers that began it.
fn pair(rules: Rules) -> (Rig, Together, [Caller; 2], Places) {
    let (mut rig, batch) = (Rig::new(rules), Together::new());
    let callers = [1, 2].map(|key| leads(&mut rig, key, &batch));
    let places = callers.iter().map(place_of).collect();
    (rig, batch, callers, places)
}

/// The same, and all have left but the caller of key 2.
fn left_alone(rules: Rules) -> (Rig, Together, Caller, Places) {
    let (mut rig, batch, [first, second], places) = pair(rules);
    assert!(!rig.leave(first), "its flight stays");
    (rig, batch, second, places)
}

impl Rig {
    /// Delivers the answer of a load of many keys for one of them.
    fn deliver(&mut self, place: &Seat<Bell>, news: Result<impl Into<Loaded<u32>>, &'static str>) {
        let news = news.map(|loaded| News::new(loaded.into(), Judgement::default())).map_err(failure);
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::default();
        let delivered = self.shard.deliver(place, (None, None), &mut Some(news), at, &mut self.effects);
        assert!(delivered != Delivered::NeedsRoom);
    }

    fn abandon(&mut self, place: &Seat<Bell>) {
        self.effects = Effects::default();
        self.shard.abandon(place, &mut self.effects);
    }

    /// How many loads of many keys no caller waits for since the last step.
    fn idle(&mut self) -> usize {
        self.effects.take_idle_batches().len()
    }

    /// How many callers wait in this flight.
    fn seats_at(&mut self, place: &Seat<Bell>) -> u32 {
        self.shard.flights.slot(place).flight.seats()
    }
}

const NONE: Result<u32, &str> = Err("down");

/// D63: a caller whose load of many keys takes too long begins another, which is one of many as well.
fn with_two_loads() -> (Rig, [Together; 2], [Caller; 2], Places) {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 3, ..rules() });
    let batches = [Together::new(), Together::new()];
    let first = leads(&mut rig, 1, &batches[0]);
    rig.now += 5;
    let second = leads(&mut rig, 1, &batches[1]);
    assert_eq!((first.own(), second.own(), rig.shard.flights.counts.takeovers), (1, 2, 1));
    let places = [&first, &second].map(place_of).into();
    (rig, batches, [first, second], places)
}
