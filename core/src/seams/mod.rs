//! What the outside lends to the core: time, waking, exclusion, background work and loads.
//!
//! Each trait lists what its implementors must ensure. None of them asks for `Send`: whether a cache can be shared
//! between threads follows from the parts it is made of.

mod backend;
mod calls;
mod extras;
mod load;
mod many;
mod revalidate;
mod runtime;
mod sources;

pub use backend::{Backend, BoxIo, LocalBoxIo};
pub use calls::TakesCalls;
pub(crate) use extras::Extra;
pub use extras::{Chance, Expiring, Expiry, Listener, Listening, Refreshing, Weighed, Weigher, With};
pub use load::{HasLoader, Judgement, Key, Load, Loaded, Source};
pub(crate) use load::{Touched, sealed};
pub(crate) use many::{Answers, NoBatch, OwnAnswers, PlainAnswers};
pub use many::{LoadMany, LoadManyFn, LoadedManyFn, ManyLoader};
pub(crate) use revalidate::{Answered, Revalidation};
pub use revalidate::{BoxRevalidator, Previous, RevalidateFn, Revalidated};
pub use runtime::{Clock, Lock, Notify, Runtime, Spawn, Timer};
pub use sources::{BoxLoad, BoxLoader, LoadFn, LoadedFn, Loader, LocalBoxLoad, LocalPerCall, PerCall};
