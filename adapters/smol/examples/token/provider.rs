//! Asks the provider for a token.

use std::{error::Error, fmt, net::SocketAddr, sync::Arc, time::Duration};

use hyper::StatusCode;

use super::http::{Connection, Failure};

/// The provider of tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider(SocketAddr);

/// The token that the server checks.
pub(crate) type Token = Arc<str>;

/// Why there is no token.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum ProviderError {
    /// The connection failed or was closed.
    Connection(Failure),
    /// The answer cannot be read.
    Malformed,
    /// The provider answered with a server error.
    Status(StatusCode),
}

impl Provider {
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Asks for a token and its lifetime.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the connection.
    pub(crate) async fn token(self) -> Result<(Token, Duration), ProviderError> {
        let mut connection = Connection::open(self.0).await.map_err(ProviderError::Connection)?;
        let (status, body) = connection.get("/token", None).await.map_err(ProviderError::Connection)?;
        if status != StatusCode::OK {
            return Err(ProviderError::Status(status));
        }
        read(&String::from_utf8_lossy(&body)).ok_or(ProviderError::Malformed)
    }
}

/// Reads `access_token=...&expires_in=...`, the latter in seconds.
fn read(form: &str) -> Option<(Token, Duration)> {
    let field = |name| form.split('&').find_map(|field| field.split_once('=').filter(|(key, _)| *key == name));
    let ((_, token), (_, seconds)) = (field("access_token")?, field("expires_in")?);
    Some((token.into(), Duration::from_secs(seconds.parse().ok()?)))
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(_) => write!(f, "the provider cannot be reached"),
            Self::Malformed => write!(f, "the provider's answer cannot be read"),
            Self::Status(status) => write!(f, "the provider says {status}"),
        }
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connection(error) => Some(&**error),
            Self::Malformed | Self::Status(_) => None,
        }
    }
}
