//! How grave a line is, and what it says: JSON, logfmt, klog, log4j, Python, Node, PostgreSQL, and their like.

use memchr::memmem;

use super::fields::{Pair, json_pairs, logfmt_pairs};
use crate::model::LogLevel;

/// A level that stands further behind is part of the message.
const HEAD: usize = 160;

/// What a line says of itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'l> {
    pub level: Option<LogLevel>,
    /// The message of a structured line, with its escapes; else the line.
    pub message: &'l [u8],
    /// The error that a structured line has beside its message.
    pub error: Option<&'l [u8]>,
}

/// The level of a line; None where it names none.
pub fn level(line: &[u8]) -> Option<LogLevel> {
    if line.first() == Some(&b'{') { structured(line, json_pairs(line)).level } else { of_text(line) }
}

/// What a line says of itself.
pub fn facts(line: &[u8]) -> Facts<'_> {
    if line.first() == Some(&b'{') {
        return structured(line, json_pairs(line));
    }
    if has_level_field(line) {
        return structured(line, logfmt_pairs(line));
    }
    Facts { level: of_text(line), message: line, error: None }
}

fn structured<'l>(line: &'l [u8], pairs: impl Iterator<Item = Pair<'l>>) -> Facts<'l> {
    let mut facts = Facts { message: line, ..Facts::default() };
    for Pair { key, value, quoted } in pairs {
        match key {
            b"level" | b"lvl" | b"severity" | b"levelname" | b"log.level" | b"@level" | b"loglevel" | b"s"
            | b"severity_text" | b"severityText" | b"SeverityText" | b"Level" | b"LEVEL" => {
                let read = if quoted { of_word(value) } else { of_number(value).or_else(|| of_word(value)) };
                facts.level = facts.level.or(read);
            }
            b"msg" | b"message" | b"@message" | b"Message" | b"event" if quoted => facts.message = value,
            b"err" | b"error" | b"exception" | b"exc_info" => facts.error = Some(value),
            _ => {}
        }
    }
    facts
}

fn has_level_field(line: &[u8]) -> bool {
    [&b"level="[..], b"lvl=", b"severity="]
        .iter()
        .any(|key| memmem::find(line, key).is_some_and(|at| at == 0 || matches!(line[at - 1], b' ' | b'\t')))
}

/// pino and bunyan count 10, 20 … 60; syslog and GELF from 7 down to 0.
fn of_number(value: &[u8]) -> Option<LogLevel> {
    let number: u32 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some(match number {
        0..=2 | 60.. => LogLevel::Fatal,
        3 | 50..60 => LogLevel::Error,
        4 | 40..50 => LogLevel::Warn,
        5 | 6 | 30..40 => LogLevel::Info,
        7 | 20..30 => LogLevel::Debug,
        8..20 => LogLevel::Trace,
    })
}

fn of_word(word: &[u8]) -> Option<LogLevel> {
    const WORDS: &[(&[u8], LogLevel)] = &[
        (b"info", LogLevel::Info),
        (b"error", LogLevel::Error),
        (b"warn", LogLevel::Warn),
        (b"warning", LogLevel::Warn),
        (b"debug", LogLevel::Debug),
        (b"trace", LogLevel::Trace),
        (b"fatal", LogLevel::Fatal),
        (b"err", LogLevel::Error),
        (b"notice", LogLevel::Info),
        (b"information", LogLevel::Info),
        (b"verbose", LogLevel::Debug),
        (b"severe", LogLevel::Error),
        (b"critical", LogLevel::Fatal),
        (b"crit", LogLevel::Fatal),
        (b"panic", LogLevel::Fatal),
        (b"dpanic", LogLevel::Fatal),
        (b"alert", LogLevel::Fatal),
        (b"emerg", LogLevel::Fatal),
        (b"emergency", LogLevel::Fatal),
        (b"fine", LogLevel::Debug),
        (b"finer", LogLevel::Trace),
        (b"finest", LogLevel::Trace),
        (b"f", LogLevel::Fatal),
        (b"e", LogLevel::Error),
        (b"w", LogLevel::Warn),
        (b"i", LogLevel::Info),
        (b"d", LogLevel::Debug),
    ];
    // PostgreSQL and MongoDB number their levels of debugging.
    let bare = match word.split_last() {
        Some((b'1'..=b'5', rest)) => rest,
        _ => word,
    };
    WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(bare)).map(|(_, level)| *level)
}

/// The level of a line that has no structure.
fn of_text(line: &[u8]) -> Option<LogLevel> {
    if let Some(level) = of_klog(line) {
        return Some(level);
    }
    if has_level_field(line)
        && let Some(level) = structured(line, logfmt_pairs(line)).level
    {
        return Some(level);
    }
    let head = &line[..line.len().min(HEAD)];
    of_head(head).or_else(|| of_exception(head))
}

/// `E1121 10:00:39.580008       1 file.go:12] words`
fn of_klog(line: &[u8]) -> Option<LogLevel> {
    let digits =
        |range: std::ops::Range<usize>| line.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if !digits(1..5) || line.get(5) != Some(&b' ') || !digits(6..8) || line.get(8) != Some(&b':') {
        return None;
    }
    match line[0] {
        b'I' => Some(LogLevel::Info),
        b'W' => Some(LogLevel::Warn),
        b'E' => Some(LogLevel::Error),
        b'F' => Some(LogLevel::Fatal),
        _ => None,
    }
}

/// A word for a level in the head of a line: in capitals (`ERROR main:`), in brackets (`[error]`), or before a colon
/// (`warning: …`). PostgreSQL's `LOG:` is information.
fn of_head(head: &[u8]) -> Option<LogLevel> {
    let mut at = 0;
    while at < head.len() {
        if !head[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let word = &head[at..];
        let word = &word[..word.iter().position(|letter| !letter.is_ascii_alphanumeric()).unwrap_or(word.len())];
        let before = at.checked_sub(1).map(|before| head[before]);
        let after = head.get(at + word.len()).copied();
        at += word.len();
        let stands_alone = !matches!(before, Some(b'/' | b'-' | b'.' | b'_' | b'=' | b'"'))
            && !matches!(after, Some(b'/' | b'-' | b'.' | b'_' | b'=' | b'(' | b'"'));
        if !(3..=11).contains(&word.len()) || !stands_alone {
            continue;
        }
        let capital = word.iter().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
        let marked = (before == Some(b'[') && after == Some(b']'))
            || (before == Some(b'<') && after == Some(b'>'))
            || (after == Some(b':') && (before.is_none() || matches!(before, Some(b' ' | b']'))));
        if capital && word == b"LOG" && after == Some(b':') {
            return Some(LogLevel::Info);
        }
        if capital || marked {
            let level = of_word(word);
            if level.is_some() {
                return level;
            }
        }
    }
    None
}

/// What a runtime writes when nobody has caught an error.
fn of_exception(head: &[u8]) -> Option<LogLevel> {
    const STARTS: &[&[u8]] =
        &[b"Traceback (most recent call last)", b"Exception in thread", b"Uncaught ", b"Unhandled "];
    if head.starts_with(b"thread '") {
        return memmem::find(head, b" panicked at").map(|_| LogLevel::Fatal);
    }
    if STARTS.iter().any(|start| head.starts_with(start)) {
        return Some(LogLevel::Error);
    }
    // `TypeError: …`, `java.io.IOException: …`, `psycopg2.OperationalError: …`
    let name = head.split(|letter| matches!(letter, b':' | b' ')).next()?;
    let plain = name.iter().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_' | b'$'));
    let ends = name.ends_with(b"Error") || name.ends_with(b"Exception");
    let follows = head.get(name.len()).is_none_or(|letter| matches!(letter, b':' | b' '));
    (plain && ends && follows).then_some(LogLevel::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_names_its_level() {
        use LogLevel::{Debug, Error, Fatal, Info, Trace, Warn};
        let cases: &[(&str, Option<LogLevel>)] = &[
            (r#"{"level":"error","msg":"no"}"#, Some(Error)),
            (r#"{"time":"x","severity":"WARNING","message":"m"}"#, Some(Warn)),
            (r#"{"level":50,"time":1,"msg":"pino"}"#, Some(Error)),
            (r#"{"level":3,"short_message":"gelf"}"#, Some(Error)),
            (r#"{"t":{"$date":"x"},"s":"I","c":"NETWORK","msg":"mongo"}"#, Some(Info)),
            (r#"{"log.level":"fatal","@timestamp":"x"}"#, Some(Fatal)),
            (r#"{"msg":"error"}"#, None),
            (r#"time=2026-11-21T10:00:39Z level=warn msg="slow""#, Some(Warn)),
            ("ts=1 caller=main.go lvl=eror", None),
            ("E1121 10:00:39.580008       1 reflector.go:12] failed", Some(Error)),
            ("I1121 10:00:39.580008       1 reflector.go:12] ERROR in words", Some(Info)),
            ("2026-11-21 10:00:39,580 ERROR [main] com.shop.Api - refused", Some(Error)),
            ("10:00:39.580 [main] DEBUG com.shop.Api - asks", Some(Debug)),
            ("[2026-11-21T10:00:39,580][WARN ][o.e.c.r.a] disk", Some(Warn)),
            ("2026-11-21 10:00:39.580  TRACE 1 --- [main] c.s.Api : x", Some(Trace)),
            ("ERROR:root:boom", Some(Error)),
            ("2026-11-21 10:00:39,580 - shop - CRITICAL - gone", Some(Fatal)),
            ("[2026-11-21 10:00:39 +0000] [7] [INFO] Booting worker", Some(Info)),
            ("Traceback (most recent call last):", Some(Error)),
            ("TypeError: x is not a function", Some(Error)),
            ("java.lang.IllegalStateException: no", Some(Error)),
            ("Error: connect ECONNREFUSED 10.0.0.1:5432", Some(Error)),
            ("2026-11-21 10:00:39.580 UTC [12] ERROR:  relation \"users\" does not exist", Some(Error)),
            ("2026-11-21 10:00:39.580 UTC [1] LOG:  database system is ready", Some(Info)),
            ("2026-11-21 10:00:39.580 UTC [1] FATAL:  role \"x\" does not exist", Some(Fatal)),
            ("2026-11-21 10:00:39.580 UTC [1] DEBUG2:  x", Some(Debug)),
            ("2026/11/21 10:00:39 [error] 29#29: *1 open() failed", Some(Error)),
            ("npm ERR! code ELIFECYCLE", Some(Error)),
            ("thread 'main' panicked at src/main.rs:2:5:", Some(Fatal)),
            ("panic: runtime error: index out of range", Some(Fatal)),
            ("warning: deprecated", Some(Warn)),
            ("10.0.0.1 - - [21/Nov/2026:10:00:39] \"GET /error HTTP/1.1\" 200", None),
            ("listening on 8080", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(level(line.as_bytes()), *expected, "{line}");
        }
    }

    #[test]
    fn a_structured_line_has_a_message_and_an_error() {
        let json = facts(br#"{"level":"error","msg":"cannot save","err":"disk full"}"#);
        assert_eq!((json.message, json.error), (&b"cannot save"[..], Some(&b"disk full"[..])));
        assert_eq!(facts(b"level=info msg=\"all well\" n=3").message, b"all well");
        assert_eq!(facts(b"plain words").message, b"plain words");
    }
}
