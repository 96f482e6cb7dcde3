//! Files packed with Zstandard, of any number of frames: what several threads have packed, or what was put together.

use std::io::{BufRead, Error, Read, Result, copy, sink};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// Reads all frames, one after the other, and passes over those that hold something else (RFC 8878, 3.1.2).
pub struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    /// A frame has begun, and not all of it was read.
    is_inside: bool,
}

impl<R: BufRead> Frames<R> {
    /// Reads the frames of this source.
    pub fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), is_inside: false }
    }

    /// Begins with the next frame; false if there is none.
    fn begin(&mut self) -> Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    copy(&mut self.source.by_ref().take(length.into()), &mut sink())?;
                }
                Err(error) => return Err(Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_inside {
                self.is_inside = self.begin()?;
                if !self.is_inside {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() < buffer.len() && !self.decoder.is_finished() {
                let missing = buffer.len() - self.decoder.can_collect();
                let strategy = BlockDecodingStrategy::UptoBytes(missing);
                self.decoder.decode_blocks(&mut self.source, strategy).map_err(Error::other)?;
            }
            match self.decoder.read(buffer)? {
                // An empty frame, or the end of one.
                0 => self.is_inside = false,
                read => return Ok(read),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::Frames;

    fn frame(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn unpacked(packed: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Frames::new(packed).read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn all_frames_are_read() {
        let large: Vec<u8> = (0..300_000_u32).map(|nth| (nth / 7) as u8).collect();
        let note = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'n', b'o', b'w'];
        let packed =
            [frame(b"one "), frame(b""), note.to_vec(), frame(&large), note.to_vec(), frame(b" three")].concat();
        assert_eq!(unpacked(&packed).expect("frames"), [b"one ", &*large, b" three"].concat());
        assert_eq!(unpacked(&[]).expect("none"), []);
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        let cut = &frame(b"a frame")[..9];
        for packed in [&b"text"[..], &[frame(b"one"), b"and more".to_vec()].concat(), cut] {
            assert!(unpacked(packed).is_err(), "{packed:?}");
        }
    }
}
