//! Loads of many keys at once.

use alloc::vec::Vec;
use core::future::Future;

use super::{
    Answered, Failed, Lack, Threads,
    erased::{Answers, Delivery, Rest},
    load::Loaded,
};

/// Loads the values of many keys at once.
///
/// Usually a closure, see [`Builder::load_many_fn`](crate::Builder::load_many_fn); a custom type is for loaders with a
/// state or wrappers of their own. The future is shared by all callers that wait for any of the keys, and what is said
/// of a [`Load`](crate::Load)'s future holds for it, too.
///
/// Answers are matched by key, in any order. If a key is answered twice, the first answer counts. A key that is not
/// answered has failed: [`Cause::Missing`](crate::Cause::Missing).
///
/// ```
/// use std::{future::{Ready, ready}, io};
/// use futures_lite::future::block_on;
/// use larder::{Cache, LoadMany, Loaded, ManualClock, parts::Std};
///
/// struct Roots;
///
/// impl LoadMany<i32> for Roots {
///     type Value = f64;
///     type Error = io::Error;
///     type Answers = Vec<(i32, io::Result<Loaded<f64>>)>;
///     type Future = Ready<io::Result<Self::Answers>>;
///
///     fn load_many(&self, squares: Vec<i32>) -> Self::Future {
///         let root = |square: i32| match square {
///             0.. => Ok(Loaded::new(f64::from(square).sqrt())),
///             _ => Err(io::Error::other("not a square")),
///         };
///         ready(Ok(squares.into_iter().map(|square| (square, root(square))).collect()))
///     }
/// }
///
/// let cache = Cache::builder(Std::new(ManualClock::new())).many_loader(Roots).build()?;
/// let roots = block_on(cache.get_many(&[4, -1, 9]));
/// assert_eq!(roots[0].as_ref().ok(), Some(&2.0));
/// assert!(roots[1].is_err());
/// assert_eq!(roots[2].as_ref().ok(), Some(&3.0));
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub trait LoadMany<K> {
    /// What is cached.
    type Value: Clone;

    /// The error of a failed load, for one key or for all of them.
    type Error;

    /// The result for each key.
    type Answers: IntoIterator<Item = (K, Result<Loaded<Self::Value>, Self::Error>)>;

    /// The load of many keys; its own error is the error of each of them.
    type Future: Future<Output = Result<Self::Answers, Self::Error>>;

    /// Begins the load of `keys`, each of which is there once.
    ///
    /// There are at most [`max_batch`](crate::Builder::max_batch) of them.
    fn load_many(&self, keys: Vec<K>) -> Self::Future;
}

impl<K, V, E, T: Threads> Delivery<K, V, E, T> {
    /// All answers at once, or the failure of all.
    fn whole(result: Result<Answers<K, V, E>, E>) -> Self {
        match result {
            Ok(answers) => Self { answers, rest: Rest::End(Ok(())) },
            Err(error) => Self { answers: Vec::new(), rest: Rest::End(Err(error)) },
        }
    }

    /// Finds the answer to the only key that was asked for.
    pub(super) fn of_one(self, key: &K) -> Result<Answered<V, E>, E>
    where
        K: Eq,
    {
        match (self.answers.into_iter().find(|(other, _)| other == key), self.rest) {
            (Some((_, answer)), _) => answer.map_or_else(Answered::failed, |loaded| Ok(Answered::new(loaded))),
            (None, Rest::End(Err(error))) => Err(error),
            (None, _) => Ok(Answered::Nothing(Lack::Answer)),
        }
    }
}

/// Turns plain values into the engine's terms.
pub(crate) fn plain_answers<K, V, E, T: Threads, I>(result: Result<I, E>, (): ()) -> Delivery<K, V, E, T>
where
    I: IntoIterator<Item = (K, V)>,
{
    let own = |(key, value)| (key, Ok(Loaded::new(value)));
    Delivery::whole(result.map(|answers| answers.into_iter().map(own).collect()))
}

/// Turns values with lifetimes, and errors, into the engine's terms.
pub(crate) fn own_answers<K, V, E, T: Threads, I>(result: Result<I, E>, (): ()) -> Delivery<K, V, E, T>
where
    I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
{
    let own = |(key, answer): (K, Result<_, E>)| (key, answer.map_err(Failed::new));
    Delivery::whole(result.map(|answers| answers.into_iter().map(own).collect()))
}
