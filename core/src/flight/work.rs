//! What a flight says about its loads: what to do with one, and what happened to it.

/// What a caller is to do with the load of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Make it, and poll it.
    Make(u32),
    /// Take it, and poll it.
    Poll(u32),
    /// Poll the one it has lent.
    Lent(u32),
    /// Drive the load of many keys that it is a part of.
    Batch(u32),
}

/// What happens to a load that was polled and is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CheckedIn {
    /// It is still needed.
    pub(crate) is_wanted: bool,
    /// It has to be polled again at once: it knows a waker that does not reach all waiting callers.
    pub(crate) again: bool,
    /// It was woken while it was polled: all waiting callers have to look.
    pub(crate) wakes_all: bool,
}

/// Which callers a failed load ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    /// It came too late to matter.
    Late,
    /// It was the last in flight.
    Last,
    /// Only the caller that began it and still waits; others are in flight.
    Beginner,
    /// None: the caller that began it has left.
    Nobody,
}

/// What a caller leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It was the last: the flight ends.
    Last,
    /// Others still wait.
    Others,
    /// Others still wait, and the load that it had lent is gone: there is room for another, or the next caller polled
    /// leads.
    Lent,
}
