//! The user's loaders, their types erased.

use std::sync::Arc;

use larder::{Loaded, Revalidated};

use crate::{TierError, host::BoxFuture};

/// Loads the value of one key; gets what there is now, as far as that is known.
pub(crate) type One<K, V, E> =
    Box<dyn Fn(K, Option<V>) -> BoxFuture<Result<Revalidated<V>, TierError<E>>> + Send + Sync>;

/// Loads the values of many keys.
pub(crate) type Many<K, V, E> = Arc<dyn Fn(Vec<K>) -> BoxFuture<Result<Answers<K, V, E>, E>> + Send + Sync>;

/// What a load of many keys returns for each.
pub(crate) type Answers<K, V, E> = Vec<(K, Result<Loaded<V>, E>)>;

/// Makes one of the other.
pub(crate) fn one_of<K, V, E>(many: Many<K, V, E>) -> One<K, V, E>
where
    K: Clone + Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    Box::new(move |key, _| {
        let answers = many(vec![key.clone()]);
        Box::pin(async move {
            let answers = answers.await.map_err(|error| TierError::Load(Arc::new(error)))?;
            match answers.into_iter().find(|(other, _)| *other == key) {
                Some((_, Ok(loaded))) => Ok(Revalidated::New(loaded)),
                Some((_, Err(error))) => Err(TierError::Load(Arc::new(error))),
                None => Err(TierError::Missing),
            }
        })
    })
}
