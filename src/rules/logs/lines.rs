//! Bytes that end anywhere become whole lines; a line that is too long to be held passes in pieces.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memrchr};

/// A longer line is not held back until it is whole.
const LONGEST: usize = 256 * 1024;

/// Whole lines, or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub bytes: Bytes,
    /// Whether it begins where a line begins; else it goes on with the line of the chunk before.
    pub begins: bool,
    /// Whether its last line ends with it.
    pub ends: bool,
}

/// Cuts a stream at its lines, mostly without copying.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The begin of a line whose end has not come.
    held: BytesMut,
    /// Whether a piece of the present line was given out.
    open: bool,
}

impl Splitter {
    /// Takes what has come, and gives out what is whole.
    pub fn take(&mut self, mut bytes: Bytes, mut give: impl FnMut(Chunk)) {
        if self.open || !self.held.is_empty() {
            let Some(end) = memchr(b'\n', &bytes) else { return self.hold(bytes, give) };
            let rest = bytes.split_off(end + 1);
            let begins = !std::mem::take(&mut self.open);
            self.held.extend_from_slice(&bytes);
            give(Chunk { bytes: self.held.split().freeze(), begins, ends: true });
            bytes = rest;
        }
        if let Some(end) = memrchr(b'\n', &bytes) {
            let rest = bytes.split_off(end + 1);
            give(Chunk { bytes, begins: true, ends: true });
            bytes = rest;
        }
        if !bytes.is_empty() {
            self.hold(bytes, give);
        }
    }

    /// What was held back when the stream has ended; it has no end of line.
    pub fn finish(&mut self) -> Option<Chunk> {
        let begins = !std::mem::take(&mut self.open);
        let bytes = self.held.split().freeze();
        (!bytes.is_empty()).then_some(Chunk { bytes, begins, ends: false })
    }

    /// Forgets the begin of a line, because it will come again, and says whether a piece of it was given out.
    pub fn forget(&mut self) -> bool {
        self.held.clear();
        std::mem::take(&mut self.open)
    }

    /// Whether a line was begun and not ended by what was given out.
    pub fn is_open(&self) -> bool {
        self.open
    }

    fn hold(&mut self, bytes: Bytes, mut give: impl FnMut(Chunk)) {
        self.held.extend_from_slice(&bytes);
        if self.held.len() > LONGEST || self.open {
            let begins = !self.open;
            self.open = true;
            give(Chunk { bytes: self.held.split().freeze(), begins, ends: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(stream: &[u8], cuts: &[usize]) -> Vec<Chunk> {
        let (mut splitter, mut chunks, mut rest) = (Splitter::default(), Vec::new(), stream);
        for cut in cuts {
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            splitter.take(Bytes::copy_from_slice(piece), |chunk| chunks.push(chunk));
            rest = behind;
        }
        splitter.take(Bytes::copy_from_slice(rest), |chunk| chunks.push(chunk));
        chunks.extend(splitter.finish());
        chunks
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_no_line_is_torn(
            stream in "([a-c]{0,5}\n){0,20}[a-c]{0,5}",
            cuts in prop::collection::vec(0_usize..9, 0..30),
        ) {
            let chunks = cut(stream.as_bytes(), &cuts);
            let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
            prop_assert_eq!(bytes, stream.as_bytes());
            prop_assert!(chunks.iter().all(|chunk| chunk.begins && chunk.ends == chunk.bytes.ends_with(b"\n")));
        }
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let line = [vec![b'x'; 3 * LONGEST], b"\nnext\n".to_vec()].concat();
        let chunks = cut(&line, &[LONGEST / 2; 6]);
        assert!(chunks.iter().all(|chunk| chunk.bytes.len() <= 2 * LONGEST));
        assert_eq!(
            chunks.iter().map(|chunk| chunk.begins).collect::<Vec<_>>(),
            [true, false, false, false, false, true]
        );
        assert!(!chunks[0].ends && chunks[4].ends && chunks[5].ends);
        assert_eq!(chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect::<Vec<u8>>(), line);
    }
}
