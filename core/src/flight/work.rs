//! What a flight says of its loads: what to do with one, and what has become of it.

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

/// What becomes of a load that was polled and is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CheckedIn {
    /// It is needed still.
    pub(crate) is_wanted: bool,
    /// It is to be polled again at once: it knows a waker that does not reach everybody.
    pub(crate) again: bool,
    /// It was woken while it was polled: all who wait are to look.
    pub(crate) wakes_all: bool,
}

/// Whom a failed load ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    /// It came too late to matter.
    Late,
    /// It was the last in flight.
    Last,
    /// Only the caller who began it, who still waits; others are in flight.
    Beginner,
    /// Nobody: the one who began it has left.
    Nobody,
}

/// What a caller leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It was the last: the flight ends.
    Last,
    /// Others wait on.
    Others,
    /// Others wait on, and the load that it had lent has gone with it: there is room for another, or who is polled leads.
    Lent,
}
