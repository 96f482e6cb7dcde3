//! What a user provides: where values come from, what they weigh, how long they live, and what is called for those that
//! leave; and whether that moves between threads.

mod backend;
mod closures;
mod each;
mod erased;
mod failed;
mod first;
mod load;
mod many;
mod revalidate;
mod threads;
mod told;

pub use backend::{Backend, BoxIo, LocalBoxIo};
pub use closures::{
    Chance, Expiry, Keeper, Listener, LoadFn, LoadManyFn, LoadOf, LoadedFn, LoadedManyFn, Loader, ManyLoader,
    RevalidateFn, Revalidator, WallClock, Weigher,
};
pub use each::{AnswerSink, LoadEachFn};
pub use erased::Threads;
pub(crate) use erased::{BatchOf, Delivery, Files, FirstOf, Judgement, Rest, Source, Sources, TaskOf, Touched, Watch};
pub use failed::Failed;
pub(crate) use first::First;
pub(crate) use load::sealed;
pub use load::{BoxLoad, Key, Load, Loaded, LocalBoxLoad};
pub use many::LoadMany;
pub(crate) use many::{own_answers, plain_answers};
pub(crate) use revalidate::{Answered, Asked, Lack, kept};
pub use revalidate::{BoxRevalidate, LocalBoxRevalidate, Previous, Revalidate, Revalidated};
pub use threads::{Keeps, ManyThreads, OneThread, Stores, Takes};
pub(crate) use told::{NewValue, Say};
