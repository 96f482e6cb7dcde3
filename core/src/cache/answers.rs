//! What a load of many keys has answered, sorted by key.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::hash::BuildHasher;

use hashbrown::HashTable;

use super::{inner::Inner, means::Owned};
use crate::{
    Cause, Key, Runtime, Source,
    policy::Policy,
    seams::{Answered, Answers},
};

/// Returns what is to be said of each of `keys`, in their order.
///
/// A key that was not answered has failed; so has each, by the same error, if the load has failed as a whole. The first
/// answer counts. What nobody asked for is stored, if that is wanted.
pub(crate) fn sort<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    inner: &Inner<K, L, R, P, H>,
    keys: &[(u64, K)],
    result: Result<Answers<K, L::Value, L::Error>, L::Error>,
) -> Vec<Option<Owned<L::Value, L::Error>>> {
    let answers = match result {
        Ok(answers) => answers,
        Err(error) => {
            let error = Arc::new(error);
            return keys.iter().map(|_| Some(Err(Cause::Error(Arc::clone(&error))))).collect();
        }
    };
    let mut places = HashTable::with_capacity(keys.len());
    for (index, (hash, _)) in keys.iter().enumerate() {
        places.insert_unique(*hash, index, |index: &usize| keys[*index].0);
    }
    let mut sorted: Vec<_> = keys.iter().map(|_| None).collect();
    let mut surplus = Vec::new();
    for (key, answer) in answers {
        let hash = inner.hash(&key);
        match places.find(hash, |index| keys[*index].1 == key) {
            Some(index) if sorted[*index].is_none() => {
                sorted[*index] = Some(answer.map(Answered::New).map_err(|error| Cause::Error(Arc::new(error))));
            }
            Some(_) => {}
            None => surplus.extend(answer.ok().map(|loaded| (hash, key, loaded))),
        }
    }
    inner.store_surplus(surplus);
    sorted.into_iter().map(|answer| Some(answer.unwrap_or(Err(Cause::Missing)))).collect()
}

/// Keys with their hashes.
pub(crate) type Hashed<K> = Box<[(u64, K)]>;
