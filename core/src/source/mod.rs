//! What a user provides: where values come from, what they weigh, how long they live, and what is called for those that
//! leave; and whether that moves between threads.

mod backend;
mod closures;
mod erased;
mod failed;
mod load;
mod many;
mod revalidate;
mod threads;

pub use backend::{Backend, BoxIo, LocalBoxIo};
pub use closures::{
    Chance, Expiry, Keeper, Listener, LoadFn, LoadManyFn, LoadOf, LoadedFn, LoadedManyFn, Loader, ManyLoader,
    RevalidateFn, Revalidator, WallClock, Weigher,
};
pub(crate) use closures::{own_answers, plain_answers};
pub use erased::Threads;
pub(crate) use erased::{BatchOf, Files, Judgement, Source, Sources, TaskOf, Touched, Watch};
pub use failed::Failed;
pub(crate) use load::sealed;
pub use load::{BoxLoad, Key, Load, Loaded, LocalBoxLoad};
pub(crate) use many::Answers;
pub use many::LoadMany;
pub(crate) use revalidate::{Answered, Lack, kept};
pub use revalidate::{BoxRevalidate, LocalBoxRevalidate, Previous, Revalidate, Revalidated};
pub use threads::{Keeps, ManyThreads, OneThread, Stores, Takes};
