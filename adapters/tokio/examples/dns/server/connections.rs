//! Which connections are kept when there are too many. Pure: a book, which is told what happens.

use std::{collections::HashMap, net::IpAddr};

/// All open connections, by number, and when each was last of use.
#[derive(Debug)]
pub(crate) struct Connections {
    open: HashMap<u64, Connection>,
    /// Numbers of connections, and at the same time a clock of all that happens.
    now: u64,
    limits: Limits,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) all: usize,
    /// Of one client.
    pub(crate) each: usize,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    client: IpAddr,
    used: u64,
    /// Questions that are not answered yet.
    open: u32,
}

/// What becomes of a new connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// When it is kept, under this number; the one that has been idle for longest may have to go.
    Kept { number: u64, instead_of: Option<u64> },
    /// When all others are busy.
    Refused,
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { open: HashMap::new(), now: 0, limits }
    }

    /// Takes a new connection: of one client's or of all, the longest idle one goes when there are too many.
    pub(crate) fn admit(&mut self, client: IpAddr) -> Admission {
        let of_client = self.open.values().filter(|connection| connection.client == client).count();
        let instead_of = if of_client >= self.limits.each {
            Some(self.idlest(|connection| connection.client == client))
        } else if self.open.len() >= self.limits.all {
            Some(self.idlest(|_| true))
        } else {
            None
        };
        if instead_of == Some(None) {
            return Admission::Refused;
        }
        let instead_of = instead_of.flatten();
        if let Some(number) = instead_of {
            self.open.remove(&number);
        }
        self.now += 1;
        self.open.insert(self.now, Connection { client, used: self.now, open: 0 });
        Admission::Kept { number: self.now, instead_of }
    }

    fn idlest(&self, may_go: impl Fn(&Connection) -> bool) -> Option<u64> {
        let idle = self.open.iter().filter(|(_, connection)| connection.open == 0 && may_go(connection));
        idle.min_by_key(|(_, connection)| connection.used).map(|(number, _)| *number)
    }

    /// Notes that a question has come.
    pub(crate) fn asked(&mut self, number: u64) {
        self.touch(number, 1);
    }

    /// Notes that a question has been answered.
    pub(crate) fn answered(&mut self, number: u64) {
        self.touch(number, -1);
    }

    fn touch(&mut self, number: u64, change: i32) {
        self.now += 1;
        if let Some(connection) = self.open.get_mut(&number) {
            connection.used = self.now;
            connection.open = connection.open.saturating_add_signed(change);
        }
    }

    /// Notes that a connection has ended.
    pub(crate) fn ended(&mut self, number: u64) {
        self.open.remove(&number);
    }
}
