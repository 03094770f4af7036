//! Names and identities that the server gives.

use std::fmt::Write;

/// The letters of generated names: no vowels and nothing that looks like one, so that no words arise
/// (`k8s.io/apimachinery/pkg/util/rand`).
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A generated name: the base, cut to what a name may be long, and five letters.
pub(super) fn generated_name(base: &str) -> String {
    let mut end = base.len().min(58);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    let mut name = base[..end].to_owned();
    name.extend(suffix());
    name
}

fn suffix() -> impl Iterator<Item = char> {
    let mut random = [0_u8; 5];
    fill(&mut random);
    random.into_iter().map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
}

/// Five letters, as at the end of generated names.
pub(super) fn letters() -> String {
    suffix().collect()
}

/// A random UUID (RFC 9562, version 4).
pub(super) fn uid() -> String {
    let mut random = [0_u8; 16];
    fill(&mut random);
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in random.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Any number.
pub(super) fn number() -> u16 {
    let mut random = [0_u8; 2];
    fill(&mut random);
    u16::from_be_bytes(random)
}

fn fill(random: &mut [u8]) {
    // Without a source of randomness TLS would not have started either.
    let _ = getrandom::fill(random);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_fit_and_differ() {
        let long = "ü".repeat(40);
        assert!(generated_name(&long).len() <= 63);
        assert_ne!(generated_name("a-"), generated_name("a-"));
        assert_eq!(uid().len(), 36);
    }
}
