//! Loads of many keys: all answers at once, or some at a time.

use std::{collections::BTreeMap, rc::Rc};

use larder::{Loaded, Ttl};
use larder_tests::*;

use super::{
    plain::{Kind, Said, Why},
    world::{ALL_KEYS, Loading, World, playing},
};

pub(crate) type Answers = Vec<(u32, Result<Loaded<V>, Boom>)>;

/// What a load answers at once, and what that means to the model.
#[derive(Default)]
struct Told {
    answers: Answers,
    said: BTreeMap<u32, Said>,
    surplus: Vec<(u32, (u32, Ttl, Option<u64>))>,
}

impl World {
    /// A load of many keys, with answers that are missing, double or not asked for.
    pub(crate) fn load_many(self: &Rc<Self>, keys: &[u32], kind: Kind) -> Loading<Answers> {
        let running = self.begin(keys, kind);
        let keys = keys.to_vec();
        let told = Rc::clone(&running);
        playing(running, async move {
            let (running, world) = (&told, Rc::clone(&told.world));
            if running.wait(keys[0]).await == 0 {
                return Err(running.fails());
            }
            let mut told = keys.clone();
            if world.below(3) == 0 {
                told.push(world.below(u64::from(ALL_KEYS)) as u32);
            }
            let Told { answers, said, surplus } = world.answers(told, &keys);
            running.ends(|key| said.get(&key).copied().unwrap_or(Said::Failed(Why::Missing)));
            running.brings(surplus);
            Ok(answers)
        })
    }

    /// A load of many keys that answers some of them at a time.
    pub(crate) fn load_each<F>(self: &Rc<Self>, keys: Vec<u32>, send: F) -> Loading<()>
    where
        F: Fn(u32, Result<Loaded<V>, Boom>) + 'static,
    {
        let running = self.begin(&keys, Kind::Loader);
        let told = Rc::clone(&running);
        playing(running, async move {
            let (running, world) = (&told, Rc::clone(&told.world));
            let mut left = keys.clone();
            loop {
                match running.wait(keys[0]).await {
                    0 => return Err(running.fails()),
                    1 => break,
                    _ => {}
                }
                let mut told: Vec<_> = left.iter().copied().filter(|_| world.below(2) == 0).collect();
                if world.below(3) == 0 {
                    // Of which some are answered again.
                    told.push(world.below(u64::from(ALL_KEYS)) as u32);
                }
                let Told { answers, mut said, surplus } = world.answers(told, &keys);
                said.retain(|key, _| left.contains(key));
                left.retain(|key| !said.contains_key(key));
                answers.into_iter().for_each(|(key, answer)| send(key, answer));
                running.answers(|key| said.get(&key).copied());
                running.brings(surplus);
                if world.below(6) == 0 {
                    // It ends in the poll in which it has answered.
                    break;
                }
                futures_lite::future::yield_now().await;
            }
            running.ends(|_| Said::Failed(Why::Missing));
            Ok(())
        })
    }

    /// Makes up an answer for some of these keys, of which a load was asked for `asked`.
    fn answers(&self, keys: Vec<u32>, asked: &[u32]) -> Told {
        let mut told = Told::default();
        for key in keys {
            let answer = match self.below(20) {
                0 | 1 => continue,
                2 | 3 => {
                    let boom = self.number();
                    told.said.entry(key).or_insert(Said::Failed(Why::Boom(boom)));
                    Err(Boom(boom))
                }
                _ => {
                    let (loaded, new) = self.loaded();
                    if asked.contains(&key) {
                        let (id, ttl, weight) = new;
                        told.said.entry(key).or_insert(Said::New { id, ttl, weight });
                    } else {
                        told.surplus.push((key, new));
                    }
                    Ok(loaded)
                }
            };
            told.answers.push((key, answer));
        }
        told
    }
}
