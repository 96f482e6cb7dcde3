//! What keys are called on the server: a few of its keys for each of ours, all of them in one hash slot.

use std::fmt::Write as _;

use sha1_smol::Sha1;

/// How names become keys of the server.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) namespace: String,
    /// A hash stands in for the name. The name itself is kept beside the value and compared.
    pub(crate) hashed: bool,
}

/// What was done to a key, as its notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Its value is gone.
    Invalidated,
    /// Its value is stale.
    Expired,
    /// A lease has ended that somebody waited for.
    Ended,
}

impl Notice {
    const fn letter(self) -> char {
        match self {
            Self::Invalidated => 'i',
            Self::Expired => 'x',
            Self::Ended => 'w',
        }
    }
}

/// The server's keys for one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    /// The name of our key.
    pub(crate) name: String,
    /// What stands between the braces, by which the slot is chosen.
    tag: String,
}

impl Names {
    pub(crate) fn id(&self, name: String) -> Id {
        let tag = if self.hashed { digest(&name) } else { escape(&name) };
        Id { name, tag }
    }

    /// What is compared with the name that lies beside a value; empty if the name is part of the key.
    pub(crate) fn compared<'a>(&self, id: &'a Id) -> &'a str {
        if self.hashed { &id.name } else { "" }
    }

    pub(crate) fn value(&self, id: &Id) -> String {
        format!("{}:v:{{{}}}", self.namespace, id.tag)
    }

    pub(crate) fn lease(&self, id: &Id) -> String {
        format!("{}:l:{{{}}}", self.namespace, id.tag)
    }

    pub(crate) fn epoch(&self, id: &Id) -> String {
        format!("{}:e:{{{}}}", self.namespace, id.tag)
    }

    /// What is touched to say this. It is never there, so it may be as long as the name is.
    pub(crate) fn notice(&self, id: &Id, notice: Notice) -> String {
        let name = if self.hashed { &*id.name } else { "" };
        format!("{}{}:{{{}}}{name}", self.prefix(), notice.letter(), id.tag)
    }

    /// What all notices begin with, and nothing else.
    pub(crate) fn prefix(&self) -> String {
        format!("{}:n:", self.namespace)
    }

    /// Reads a notice: what was done, and to the key of which name.
    pub(crate) fn heard(&self, key: &[u8]) -> Option<(Notice, String)> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(&*self.prefix())?;
        let mut letters = rest.chars();
        let letter = letters.next()?;
        let notice =
            [Notice::Invalidated, Notice::Expired, Notice::Ended].into_iter().find(|n| n.letter() == letter)?;
        let (tag, name) = letters.as_str().strip_prefix(":{")?.split_once('}')?;
        Some((notice, if self.hashed { name.into() } else { unescape(tag)? }))
    }
}

/// The first 128 bits of a SHA-1, in hexadecimal digits: the same on every machine and in every version.
fn digest(name: &str) -> String {
    let mut digest = Sha1::from(name).digest().to_string();
    digest.truncate(32);
    digest
}

/// Takes out what would end the braces early, or is hard to read.
fn escape(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 1);
    // (With nothing between the braces the whole key would choose the slot.)
    if name.is_empty() {
        text.push('%');
    }
    for letter in name.chars() {
        match letter {
            '{' | '}' | '%' | '\0'..=' ' | '\u{7f}' => {
                let _ = write!(text, "%{:02x}", u32::from(letter));
            }
            _ => text.push(letter),
        }
    }
    text
}

fn unescape(text: &str) -> Option<String> {
    if text == "%" {
        return Some(String::new());
    }
    let mut name = String::with_capacity(text.len());
    let mut parts = text.split('%');
    name.push_str(parts.next()?);
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        name.push(char::from(u8::from_str_radix(code, 16).ok()?));
        name.push_str(rest);
    }
    Some(name)
}

#[cfg(test)]
mod tests;
