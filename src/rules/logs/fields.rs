//! The fields of a structured line, read in place: the members of a JSON object, and logfmt's `key=value`.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// A field as it stands in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'l> {
    pub key: &'l [u8],
    /// Without quotes; escapes are left in it.
    pub value: &'l [u8],
    /// Whether it was a string with quotes.
    pub quoted: bool,
}

/// The members of the JSON object that the line is, up to where it is no JSON any more. Nothing below the first level
/// is read.
pub fn json_pairs(line: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = line.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    std::iter::from_fn(move || {
        let (key, after) = string(rest.trim_ascii_start())?;
        let after = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let (value, quoted, after) = match string(after) {
            Some((value, after)) => (value, true, after),
            None => {
                let end = value_end(after)?;
                (after[..end].trim_ascii_end(), false, &after[end..])
            }
        };
        let after = after.trim_ascii_start();
        rest = after.strip_prefix(b",").unwrap_or_default();
        Some(Pair { key, value, quoted })
    })
}

/// A string at the beginning, without its quotes, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = text.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', &body[at..])?;
        if body[found] == b'"' {
            return Some((&body[..found], &body[found + 1..]));
        }
        at = found + 2;
        if at > body.len() {
            return None;
        }
    }
}

/// Where a number, word, list or object ends.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(letter) = text.get(at) {
        match letter {
            b'"' => {
                let (_, after) = string(&text[at..])?;
                at = text.len() - after.len();
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The fields of a line of logfmt: `time=… level=error msg="no way" n=3`. Words without `=` are passed over.
pub fn logfmt_pairs(line: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            let equals = memchr(b'=', rest)?;
            let key = &rest[..equals];
            let key = &key[memchr::memrchr2(b' ', b'\t', key).map_or(0, |space| space + 1)..];
            let after = &rest[equals + 1..];
            let (value, quoted, after) = match string(after) {
                Some((value, after)) => (value, true, after),
                None => {
                    let end = memchr2(b' ', b'\t', after).unwrap_or(after.len());
                    (&after[..end], false, &after[end..])
                }
            };
            rest = after;
            let plain = |letter: &u8| letter.is_ascii_alphanumeric() || b"_.-@".contains(letter);
            if !key.is_empty() && key.iter().all(plain) {
                return Some(Pair { key, value, quoted });
            }
        }
    })
}

/// The text of a string with escapes, as far as it can be told.
pub fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let quoted = [b"\"", value, b"\""].concat();
    match serde_json::from_slice::<String>(&quoted) {
        Ok(text) => Cow::Owned(text.into_bytes()),
        Err(_) => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs<'l>(pairs: impl Iterator<Item = Pair<'l>>) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        pairs.map(|pair| (text(pair.key), text(pair.value))).collect()
    }

    #[test]
    fn the_members_of_an_object_are_read_in_place() {
        let line = br#" {"level":"error", "n": 12 ,"in":{"level":"info","a":["}"]},"msg":"say \"no\"","ok":true} "#;
        let expected = [
            ("level", "error"),
            ("n", "12"),
            ("in", r#"{"level":"info","a":["}"]}"#),
            ("msg", r#"say \"no\""#),
            ("ok", "true"),
        ];
        assert_eq!(pairs(json_pairs(line)), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(pairs(json_pairs(br#"{"level":"error","msg":"cut of"#)).len(), 1);
        assert_eq!(unescape(br#"say \"no\"\n"#).as_ref(), b"say \"no\"\n");
    }

    #[test]
    fn logfmt_is_read_between_other_words() {
        let line = br#"started time=10:00 level=warn msg="not = \"so\"" path=/a?b=c"#;
        let expected = [("time", "10:00"), ("level", "warn"), ("msg", r#"not = \"so\""#), ("path", "/a?b=c")];
        assert_eq!(pairs(logfmt_pairs(line)), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    proptest! {
        #[test]
        fn what_json_writes_is_read(object in prop::collection::btree_map("[a-z\"\\\\ {}]{0,5}", "[a-z\"\\\\,{}\\[\n]{0,6}", 0..6)) {
            let line = serde_json::to_vec(&object).unwrap();
            let read: Vec<(Vec<u8>, Vec<u8>)> =
                json_pairs(&line).map(|pair| (unescape(pair.key).into_owned(), unescape(pair.value).into_owned())).collect();
            let wanted: Vec<(Vec<u8>, Vec<u8>)> =
                object.into_iter().map(|(key, value)| (key.into_bytes(), value.into_bytes())).collect();
            prop_assert_eq!(read, wanted);
        }

        #[test]
        fn no_bytes_are_too_bad(line in prop::collection::vec(any::<u8>(), 0..60)) {
            json_pairs(&line).for_each(drop);
            logfmt_pairs(&line).for_each(drop);
        }
    }
}
