//! What a load that has failed may bring along.

use super::load::Loaded;

/// Why a load has failed, and what may be served instead.
///
/// The error of a [`Revalidate`](crate::Revalidate), and of one key in a load of many
/// ([`AnswerSink::fail`](crate::AnswerSink::fail)). A loader that has an old value at hand, for example from a tier
/// behind this cache, leaves the choice to the callers: the value is held as a stale one, unless a better one is held, so
/// each caller gets it within its limit for [stale values on an error](crate::Builder::stale_if_error), and the error
/// beyond. As an error alone does, `?` makes one of the loader's own error.
///
/// ```
/// use core::time::Duration;
/// use larder::{Failed, Loaded};
///
/// let error = std::io::Error::other("no route");
/// let failed: Failed<&str, _> = Failed::new(error).instead(Loaded::new("192.0.2.1").stale(Duration::from_secs(30)));
/// assert_eq!(failed.error().to_string(), "no route");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed<V, E> {
    error: E,
    instead: Option<Loaded<V>>,
}

impl<V, E> Failed<V, E> {
    /// Wraps an error; there is nothing to be served instead.
    ///
    /// ```
    /// # use larder::Failed;
    /// assert_eq!(Failed::<u32, _>::new("no route"), Failed::from("no route"));
    /// ```
    pub const fn new(error: E) -> Self {
        Self { error, instead: None }
    }

    /// Brings a value that may be served instead.
    ///
    /// It is [stale](Loaded::stale) since when it says, or since now. What is held with a later end stays.
    ///
    /// ```
    /// # use larder::{Failed, Loaded};
    /// assert_eq!(Failed::new("no route").instead(7).into_parts(), ("no route", Some(Loaded::new(7))));
    /// ```
    #[must_use]
    pub fn instead(mut self, value: impl Into<Loaded<V>>) -> Self {
        self.instead = Some(value.into());
        self
    }

    /// Returns the error.
    ///
    /// ```
    /// # use larder::Failed;
    /// assert_eq!(*Failed::<u32, _>::new("no route").error(), "no route");
    /// ```
    pub const fn error(&self) -> &E {
        &self.error
    }

    /// Returns the error, and what may be served instead.
    ///
    /// ```
    /// # use larder::Failed;
    /// assert_eq!(Failed::<u32, _>::new("no route").into_parts(), ("no route", None));
    /// ```
    pub fn into_parts(self) -> (E, Option<Loaded<V>>) {
        (self.error, self.instead)
    }
}

impl<V, E> From<E> for Failed<V, E> {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
