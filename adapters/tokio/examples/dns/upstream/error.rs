//! Why there is no answer.

use std::{error, fmt, io};

use hickory_proto::op::ResponseCode;

use super::super::response::explained;

/// Why there is no answer worth keeping.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum UpstreamError {
    /// When too many questions are under way already.
    Busy,
    /// When the upstream answered by this code; clients are told the same.
    Code(ResponseCode),
    /// When no upstream can be reached: often nobody listens there now.
    Io(io::Error),
    /// When this machine gave no socket.
    Own(io::Error),
}

impl UpstreamError {
    /// Returns what a client is told.
    pub(crate) fn code(&self) -> ResponseCode {
        match self {
            Self::Code(code) => *code,
            Self::Busy | Self::Io(_) | Self::Own(_) => ResponseCode::ServFail,
        }
    }

    /// Returns the code that explains it (RFC 8914).
    pub(crate) fn explained(&self) -> Option<u16> {
        match self {
            Self::Code(_) => None,
            Self::Io(_) => Some(explained::NETWORK),
            Self::Busy | Self::Own(_) => Some(explained::NOT_READY),
        }
    }

    /// Tells whether the failure is this machine's own, and says nothing of the question.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self, Self::Busy | Self::Own(_))
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too many questions are under way"),
            Self::Code(code) => write!(f, "the upstream answered: {code}"),
            Self::Io(_) => f.write_str("the upstream cannot be reached"),
            Self::Own(_) => f.write_str("there is no socket to ask through"),
        }
    }
}

impl error::Error for UpstreamError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) | Self::Own(error) => Some(error),
            Self::Busy | Self::Code(_) => None,
        }
    }
}
