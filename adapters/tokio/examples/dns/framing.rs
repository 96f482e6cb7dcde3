//! Messages on a byte stream: each one preceded by its length in two bytes (RFC 1035, 4.2.2).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads messages one after the other.
#[derive(Debug)]
pub(crate) struct Reader<S> {
    stream: S,
    /// What has come and was not returned yet.
    come: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, come: Vec::new() }
    }

    /// Reads one message.
    ///
    /// The end of the stream is an error of kind [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), between messages too.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the next call goes on.
    pub(crate) async fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some((length, rest)) = self.come.split_first_chunk::<2>() {
                let length = usize::from(u16::from_be_bytes(*length));
                if let Some(message) = rest.get(..length) {
                    let message = message.to_vec();
                    self.come.drain(..2 + length);
                    return Ok(message);
                }
            }
            if self.stream.read_buf(&mut self.come).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Writes one message.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::Error::other("a message of more than 65535 bytes"))?;
    // In one piece, so that length and message do not leave as two segments.
    let mut framed = Vec::with_capacity(2 + message.len());
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    stream.write_all(&framed).await
}
