//! Names of keys.

use std::{hash::Hash, sync::Arc};

/// A key that has a name, and can be had back from it.
///
/// Names are what keys are called in the second tier, by every process of the fleet, so they must not change while
/// values live. Notices of writes bring names and not keys, so a key MUST come back from its own name, and two keys MUST
/// NOT have one name. A key that does not come back is loaded as if there were no second tier; see
/// [`TierStats::nameless`](crate::TierStats::nameless).
///
/// ```
/// use larder_redis::TierKey;
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Page { site: u32, path: String }
///
/// impl TierKey for Page {
///     fn name(&self) -> String {
///         format!("{}/{}", self.site, self.path)
///     }
///
///     fn from_name(name: &str) -> Option<Self> {
///         let (site, path) = name.split_once('/')?;
///         Some(Self { site: site.parse().ok()?, path: path.into() })
///     }
/// }
///
/// let page = Page { site: 7, path: "a/b".into() };
/// assert!(Page::from_name(&page.name()) == Some(page));
/// ```
pub trait TierKey: Clone + Eq + Hash + Send + Sync + 'static {
    /// Returns the name of this key.
    fn name(&self) -> String;

    /// Returns the key of this name, if it is one of this type.
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl TierKey for $number {
            fn name(&self) -> String {
                self.to_string()
            }

            fn from_name(name: &str) -> Option<Self> {
                name.parse().ok()
            }
        }
    )* };
}

numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! texts {
    ($($text:ty)*) => { $(
        impl TierKey for $text {
            fn name(&self) -> String {
                String::from(&**self)
            }

            fn from_name(name: &str) -> Option<Self> {
                Some(name.into())
            }
        }
    )* };
}

texts!(String Box<str> Arc<str>);
