//! Lines for a terminal: colours pass, whatever else would move the cursor or speak to the terminal does not.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Escape sequences: CSI, OSC and their like, and the short ones.
const ESCAPES: &str = r"(?:\x1b\[|\u{9b})[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\u{90}\u{98}\u{9d}-\u{9f}])[^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]";
/// Colour and its like: the one kind that passes.
const COLOUR: &str = r"^\x1b\[[0-9;:]*m$";
const RESET: &str = "\x1b[0m";

struct Patterns {
    escapes: Option<Regex>,
    colour: Option<Regex>,
}

// A test holds that both compile.
static PATTERNS: LazyLock<Patterns> =
    LazyLock::new(|| Patterns { escapes: Regex::new(ESCAPES).ok(), colour: Regex::new(COLOUR).ok() });

/// A line without its end, made safe to show. With `color`, colours pass, and end with the line.
pub fn safe(line: &[u8], color: bool) -> Cow<'_, [u8]> {
    let plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    if line.iter().all(plain) {
        return Cow::Borrowed(line);
    }
    let text = String::from_utf8_lossy(line);
    if !text.chars().any(|letter| letter.is_control() && letter != '\t') {
        return match text {
            Cow::Borrowed(_) => Cow::Borrowed(line),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
    }
    let (mut clean, mut coloured, mut from) = (String::with_capacity(text.len()), false, 0);
    let add = |part: &str, clean: &mut String| {
        clean.extend(part.chars().filter(|letter| !letter.is_control() || *letter == '\t'));
    };
    for found in PATTERNS.escapes.iter().flat_map(|escapes| escapes.find_iter(&text)) {
        add(&text[from..found.start()], &mut clean);
        if color && PATTERNS.colour.as_ref().is_some_and(|colour| colour.is_match(found.as_str())) {
            clean.push_str(found.as_str());
            coloured = true;
        }
        from = found.end();
    }
    add(&text[from..], &mut clean);
    if coloured {
        clean.push_str(RESET);
    }
    Cow::Owned(clean.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_pass_and_other_sequences_do_not() {
        let shown = |line: &str, color| String::from_utf8(safe(line.as_bytes(), color).into_owned()).unwrap();
        assert_eq!(shown("a \x1b[1;31mred\x1b[0m b", true), "a \x1b[1;31mred\x1b[0m b\x1b[0m");
        assert_eq!(shown("a \x1b[1;31mred\x1b[0m b", false), "a red b");
        assert_eq!(shown("\x1b[2J\x1b[1;1Hx\x1b]0;title\x07y\x1b[?25lz", true), "xyz");
        assert_eq!(shown("50%\r100%\x08\x07\u{9b}2J\u{85}", true), "50%100%");
        assert_eq!(shown("grüß\tdich", true), "grüß\tdich");
        assert_eq!(safe(b"\xff\xfe", true).as_ref(), "\u{fffd}\u{fffd}".as_bytes());
        assert!(PATTERNS.escapes.is_some() && PATTERNS.colour.is_some());
    }

    proptest! {
        #[test]
        fn nothing_but_colours_reaches_the_terminal(line in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b'm')], 0..40)) {
            let shown = String::from_utf8(safe(&line, true).into_owned()).unwrap();
            let without = Regex::new(r"\x1b\[[0-9;:]*m").unwrap().replace_all(&shown, "").into_owned();
            prop_assert!(!without.chars().any(|letter| letter.is_control() && letter != '\t'), "{:?}", shown);
        }
    }
}
