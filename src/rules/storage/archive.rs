//! Reads over a tar archive as it streams by: how many files it holds, and whether it is whole.
//!
//! Source: POSIX.1-2001, `pax`, "ustar Interchange Format".

const BLOCK: usize = 512;

/// What was seen of an archive so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TarScan {
    /// Files, and further names of files.
    pub files: u64,
    /// Bytes of files.
    pub bytes: u64,
    header: Vec<u8>,
    /// Bytes to skip until the next header.
    skip: u64,
    zeros: u8,
    broken: bool,
}

impl TarScan {
    /// Takes the next piece of the archive.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && !self.broken {
            if self.skip > 0 {
                let length = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
                self.skip -= length as u64;
                piece = &piece[length..];
                continue;
            }
            let length = (BLOCK - self.header.len()).min(piece.len());
            self.header.extend_from_slice(&piece[..length]);
            piece = &piece[length..];
            if self.header.len() == BLOCK {
                let header = std::mem::take(&mut self.header);
                self.read(&header);
            }
        }
    }

    /// Whether the archive ended as it has to: with two empty blocks, behind whole files.
    pub fn is_whole(&self) -> bool {
        !self.broken && self.zeros >= 2 && self.skip == 0
    }

    fn read(&mut self, header: &[u8]) {
        if header.iter().all(|byte| *byte == 0) {
            self.zeros = self.zeros.saturating_add(1);
            return;
        }
        let (Some(size), true) = (number(&header[124..136]), self.zeros == 0) else {
            self.broken = true;
            return;
        };
        match header[156] {
            b'0' | 0 | b'7' => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(size);
            }
            b'1' => self.files += 1,
            _ => {}
        }
        // Links have a size in some archives, and no content.
        let content = if matches!(header[156], b'1'..=b'6') { 0 } else { size };
        self.skip = content.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
    }
}

/// A number in octal digits, or as GNU tar writes large ones: in binary, with the first bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        return field[1..].iter().try_fold(0u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..4].copy_from_slice(b"file");
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = kind;
        block.extend_from_slice(content);
        block.resize(block.len().div_ceil(BLOCK) * BLOCK, 0);
        block
    }

    fn archive() -> Vec<u8> {
        let parts =
            [entry(b'5', b""), entry(b'0', &[7; 600]), entry(b'L', b"long name"), entry(b'0', b"x"), vec![0; 1024]];
        parts.concat()
    }

    proptest! {
        #[test]
        fn files_are_counted_in_whatever_pieces_they_come(size in 1usize..700) {
            let mut scan = TarScan::default();
            archive().chunks(size).for_each(|piece| scan.feed(piece));
            prop_assert_eq!((scan.files, scan.bytes, scan.is_whole()), (2, 601, true));
        }

        #[test]
        fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let mut scan = TarScan::default();
            scan.feed(&bytes);
            let _ = scan.is_whole();
        }
    }

    #[test]
    fn an_archive_that_is_cut_is_not_whole() {
        let archive = archive();
        for end in [0, 512, 900, archive.len() - 1024, archive.len() - 512] {
            let mut scan = TarScan::default();
            scan.feed(&archive[..end]);
            assert!(!scan.is_whole(), "{end}");
        }
    }
}
