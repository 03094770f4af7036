//! The template of a message: what stays the same from one to the next, with its variable parts masked.

/// A longer message is told by its begin.
const LONGEST: usize = 400;

/// Appends the template of a message. Numbers become `<n>`, identifiers and addresses `<id>`; blanks are one space.
pub fn template(message: &[u8], out: &mut Vec<u8>) {
    let message = &message[..message.len().min(LONGEST)];
    let mut at = 0;
    while let Some(letter) = message.get(at).copied() {
        if letter.is_ascii_alphanumeric() {
            let length = message[at..].iter().take_while(|letter| is_inner(**letter)).count();
            word(&message[at..at + length], out);
            at += length;
        } else {
            at += 1;
            match letter {
                b' ' | b'\t' | b'\n' | b'\r' if out.last() == Some(&b' ') => {}
                b' ' | b'\t' | b'\n' | b'\r' => out.push(b' '),
                _ => out.push(letter),
            }
        }
    }
}

/// Letters, digits, and what joins them within dates, addresses and identifiers.
fn is_inner(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.' | b':') || letter >= 0x80
}

fn word(word: &[u8], out: &mut Vec<u8>) {
    let body_end = word.iter().rposition(|letter| letter.is_ascii_alphanumeric() || *letter >= 0x80);
    let (body, tail) = word.split_at(body_end.map_or(0, |end| end + 1));
    if !body.iter().any(u8::is_ascii_digit) {
        out.extend_from_slice(word);
        return;
    }
    let hexadecimal = |letter: &u8| letter.is_ascii_hexdigit() || matches!(letter, b'-' | b':' | b'.');
    if body.len() >= 8 && body.iter().all(hexadecimal) && body.iter().any(u8::is_ascii_alphabetic) {
        out.extend_from_slice(b"<id>");
    } else if body[0].is_ascii_digit() {
        starts_with_digits(body, out);
    } else {
        mixed(body, out);
    }
    out.extend_from_slice(tail);
}

/// `12`, `1.5`, `10.0.0.1:5432`, `35ms`, `2026-11-21T10:00:39.5Z`, `10:00:39`
fn starts_with_digits(body: &[u8], out: &mut Vec<u8>) {
    let letters = |letter: &u8| letter.is_ascii_alphabetic() || *letter >= 0x80;
    let unit = body.iter().rposition(|letter| !letters(letter)).map_or(0, |last| last + 1);
    let number = &body[..unit];
    if number.iter().any(letters) {
        // A date has a T in it; anything else is an identifier.
        out.extend_from_slice(if number.contains(&b'-') && number.contains(&b'T') { b"<n>" } else { b"<id>" });
    } else {
        out.extend_from_slice(b"<n>");
        if body.len() - unit <= 3 && body[unit..] != *b"Z" {
            out.extend_from_slice(&body[unit..]);
        }
    }
}

/// `api-7d9c5-x2x9k`, `user42`, `com.shop.Api2.call`: each part with a digit is masked.
fn mixed(body: &[u8], out: &mut Vec<u8>) {
    let joins = |letter: &u8| matches!(letter, b'-' | b'_' | b'.' | b':');
    for (number, part) in body.split_inclusive(joins).enumerate() {
        let (name, join) = match part.split_last() {
            Some((last, name)) if joins(last) => (name, Some(*last)),
            _ => (part, None),
        };
        let digits = name.iter().position(u8::is_ascii_digit);
        match digits {
            None => out.extend_from_slice(name),
            Some(first) if number == 0 && name[first..].iter().all(u8::is_ascii_digit) => {
                out.extend_from_slice(&name[..first]);
                out.extend_from_slice(b"<n>");
            }
            Some(0) if name.iter().all(u8::is_ascii_digit) => out.extend_from_slice(b"<n>"),
            Some(_) => out.extend_from_slice(b"<id>"),
        }
        out.extend(join);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(message: &str) -> String {
        let mut out = Vec::new();
        template(message.as_bytes(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn variable_parts_are_masked_and_words_are_not() {
        let cases = [
            ("connect ECONNREFUSED 10.0.0.1:5432", "connect ECONNREFUSED <n>"),
            ("2026-11-21T10:00:39.58Z took 35ms, 12 of 40.", "<n> took <n>ms, <n> of <n>."),
            ("request 3f2b8c1e-9d4a-4a6e-8f00-1c2d3e4f5a6b failed", "request <id> failed"),
            ("pod api-7d9c5b6f4-x2x9k is gone", "pod api-<id>-<id> is gone"),
            ("user42: /api/v1/items/77?page=2", "user<n>: /api/v<n>/items/<n>?page=<n>"),
            ("0x7ffd1234 deadbeef01 facade", "<id> <id> facade"),
            ("too   many\tblanks", "too many blanks"),
        ];
        for (message, expected) in cases {
            assert_eq!(of(message), expected);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_bad(message in prop::collection::vec(any::<u8>(), 0..60)) {
            template(&message, &mut Vec::new());
        }

        #[test]
        fn numbers_make_no_difference(a in 0_u32..100_000, b in 0_u32..100_000) {
            prop_assert_eq!(of(&format!("order {a} of shop took {b} ms")), of(&format!("order {b} of shop took {a} ms")));
        }
    }
}
