//! Random calls, answers and writes, compared with a plain model of a slot.

use larder::{LookupOptions, Ttl};
use larder_tests::*;

use crate::{held, plain};

on_every_runtime! {
    a_slot_does_what_the_plain_model_does
}

/// Every caller gets what the model predicts, at that time, and everything visible is the same.
fn a_slot_does_what_the_plain_model_does<R: Host>() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let rules = plain::Rules {
            stale_limit: (seed % 3 == 1).then_some(4000),
            margin: (seed % 4 > 1).then_some(2000),
            inline: seed % 4 == 3,
            delays_empty: seed % 5 == 0,
        };
        run_beside::<R>(rules, &mut random, seed);
    }
}

fn run_beside<R: Host>(rules: plain::Rules, random: &mut Random, seed: u64) {
    let mut sim = Sim::new();
    let ends: Vec<plain::End> = (0..400).map(|n| plain::End::random(n, random)).collect();
    let gates: Vec<Gate> = (0..400).map(|_| Gate::default()).collect();
    let scripts: Vec<Script> = ends.iter().zip(&gates).map(|(end, gate)| end.script(gate)).collect();
    let loads = sim.loads_by(move |_, call| scripts[call].clone());
    let slot = sim.slot::<R>(&loads, |mut s| {
        s = rules.stale_limit.map(ms).into_iter().fold(s, SlotSetup::stale_limit);
        s = rules.margin.map(ms).into_iter().fold(s, SlotSetup::refresh_ahead);
        s = if rules.inline { s.refresh_inline() } else { s };
        if rules.delays_empty { s.retry_when_empty() } else { s }
    });
    let mut model = plain::Slot::new(rules, ends);
    let mut generations = vec![None];
    let (mut callers, mut waiting) = (0, Vec::new());
    for step in 0..150 {
        let context = format!("seed {seed}, step {step}");
        match random.below(16) {
            0..3 => model.to(sim.time.ms() + [1, 500, 1000, 7000][random.below(4) as usize]),
            3..6 => model.ask(sim.fetch(&slot), plain::Kind::Plain, None),
            6 => {
                let limit = random.below(3) * 1000;
                let fussy = LookupOptions::new().stale_while_refresh(ms(limit));
                model.ask(sim.fetch_with(&slot, fussy), plain::Kind::Plain, Some(limit));
            }
            7 => model.ask(sim.force(&slot), plain::Kind::Forced, None),
            8..10 => {
                let i = sim.fetch_stale(&slot);
                model.ask(i, plain::Kind::Ticket, None);
                assert_eq!(sim.saw(i), model.saw(i), "{context}");
                if sim.saw(i).ends_with("+ticket") {
                    model.hold(sim.refresh(i));
                }
            }
            10..13 => {
                if let Some(call) = model.some_fetch(random) {
                    gates[call].open();
                    sim.run();
                    model.answer(call);
                }
            }
            13 => {
                let ttl =
                    [Ttl::Forever, Ttl::For(ms(3000)), Ttl::ExpiresAtOnce, Ttl::NotStored][random.below(4) as usize];
                crate::set(&slot, 1000 + step, ttl);
                sim.run();
                model.set(1000 + step, ttl);
            }
            14 => match random.below(3) {
                0 => {
                    slot.invalidate();
                    model.invalidate();
                }
                1 => assert_eq!(slot.expire(), model.expire(), "{context}"),
                _ => {
                    let guess = generations[random.below(generations.len() as u64) as usize];
                    let is_it = guess.is_some() && guess == slot.peek().and_then(|found| found.generation());
                    guess.into_iter().for_each(|guess| assert_eq!(slot.invalidate_if(guess), is_it, "{context}"));
                    if is_it {
                        model.invalidate();
                    }
                }
            },
            _ => {
                if let Some(i) = model.some_waiter(random) {
                    sim.drop(i);
                    sim.run();
                    model.leave(i);
                }
            }
        }
        sim.to(model.now());
        generations.push(slot.peek().and_then(|found| found.generation()));
        waiting.extend(callers..sim.callers());
        callers = sim.callers();
        for i in &waiting {
            if !matches!(sim.end(*i), Some(Saw::Dropped)) {
                assert_eq!(sim.saw(*i), model.saw(*i), "{context}, caller {i}");
            }
        }
        waiting.retain(|i| sim.end(*i).is_none());
        assert_eq!(held(&slot), model.held(), "{context}");
        assert_eq!(slot.failures(), model.failures(), "{context}");
        assert_eq!(slot.refresh_at().as_nanos() / 1_000_000, model.refresh_at(), "{context}");
        assert_eq!(loads.live(), model.fetches(), "{context}");
        assert_sums(&slot.stats());
    }
}
