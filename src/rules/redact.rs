//! Text from the cluster and its containers, made safe to show: no secrets, no control characters.

use std::{borrow::Cow, sync::LazyLock};

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::{Captures, Regex, Replacer};
use serde_json::Value;

/// What stands in the place of a secret.
pub const MASK: &str = "***";
/// Shorter values of secrets are not looked for in text: they would be found in innocent words.
const SHORTEST_VALUE: usize = 6;
/// Where a line is cut, in characters.
const LONGEST_LINE: usize = 2000;

/// Patterns of secrets, and what replaces them.
const PATTERNS: &[(&str, &str)] = &[
    // Private keys, also when a log's tail begins in the middle of one.
    (
        r"(?s)-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
        "-----BEGIN ${1}----- ***",
    ),
    (r"(?m)(?:^[A-Za-z0-9+/=]{20,}\s*\n)*^?[A-Za-z0-9+/=]*\s*-----END [A-Z0-9 ]*PRIVATE KEY-----", "***"),
    // JSON web tokens.
    (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?", "***"),
    // user:password@ and token@ in URLs; up to the last @, as a password may hold one.
    (r#"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'"]*):[^\s'"<>]*@"#, "${1}:***@"),
    (r#"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^\s/@'":]{20,}@"#, "${1}***@"),
    // HTTP.
    (r#"(?i)\b(authorization["']?\s*[:=]\s*["']?)(?:(?:basic|bearer|token|digest|negotiate)\s+)?[^\s"',]+"#, "${1}***"),
    (r"(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]{16,}", "${1} ***"),
    (r#"(?i)\b((?:set-)?cookie["']?\s*:\s*["']?)[^\r\n"']+"#, "${1}***"),
    (r#"(?i)([?&](?:x-amz-[a-z-]+|signature|sig|key-pair-id|awsaccesskeyid)=)[^\s&"']+"#, "${1}***"),
    // Keys that are known by their form.
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "***"),
    (
        r"\b(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abeprs]-|sk_live_|rk_live_|sk-|hf_|dckr_pat_)[A-Za-z0-9_-]{16,}",
        "***",
    ),
    (r"\bAIza[A-Za-z0-9_-]{35}", "***"),
    // Flags, and SQL.
    (r#"(?i)(\s--?[a-z-]*(?:password|passwd|token|secret|api-key)\s+)[^\s"'-][^\s"']*"#, "${1}***"),
    (r"(?i)\b(password|identified by)\s+'[^']*'", "${1} '***'"),
];

/// `password=…`, `"apiKey": "…"`, `db_secret: …`.
const ASSIGNMENT: &str = r#"(?i)([a-z0-9_.-]*(?:passw(?:or)?d|pwd|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key)[a-z0-9_.-]*)(\\?["']?(?:=|:\s*|\s=\s))("(?:[^"\\]|\\.)*"|\\"[^"\\]*\\"|'[^']*'|[^\s,;&"'}\])]+)"#;
/// Ends of names that speak of a secret and hold none.
const HARMLESS: [&str; 10] = ["name", "ref", "seconds", "file", "path", "type", "policy", "length", "count", "ttl"];

/// Escape sequences of terminals: CSI, OSC, and the short ones.
const ESCAPES: &str = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]";

struct Compiled {
    patterns: Vec<(Regex, &'static str)>,
    assignment: Option<Regex>,
    escapes: Option<Regex>,
}

// A test holds that every pattern compiles.
static COMPILED: LazyLock<Compiled> = LazyLock::new(|| Compiled {
    patterns: PATTERNS.iter().filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, *with))).collect(),
    assignment: Regex::new(ASSIGNMENT).ok(),
    escapes: Regex::new(ESCAPES).ok(),
});

/// Makes text safe to show. Knows the forms of secrets, and those values that it was told.
#[derive(Default, Clone)]
pub struct Redactor {
    values: Vec<String>,
}

impl Redactor {
    /// A redactor that also masks these values, and their base64, wherever they appear.
    pub fn with_values<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let long = values.into_iter().filter(|value| value.len() >= SHORTEST_VALUE);
        let mut values: Vec<String> =
            long.flat_map(|value| [value.to_owned(), BASE64_STANDARD.encode(value)]).collect();
        sort(&mut values);
        Self { values }
    }

    /// A redactor that masks the values of these Secrets, and those that stand inside them: the password in a settings
    /// file that is a Secret's value.
    pub fn of_secrets<'s>(secrets: impl IntoIterator<Item = &'s Value>) -> Self {
        let mut values = Vec::new();
        for secret in secrets {
            let of =
                |field: &str| secret[field].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
            let decoded = of("data").filter_map(|value| String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok());
            for value in decoded.chain(of("stringData").map(str::to_owned)) {
                values.extend(assigned(&value));
                values.push(value.trim().to_owned());
                values.push(value);
            }
        }
        Self::with_values(values.iter().map(String::as_str))
    }

    /// Masks no value that is a word of this text, whose words are no secrets: a user that is called as the database.
    pub fn spare(&mut self, public: &str) {
        self.values.retain(|value| !has_word(public, value));
    }

    /// Masks what the other masks too.
    pub fn learn(&mut self, other: Self) {
        self.values.extend(other.values);
        sort(&mut self.values);
    }

    /// The text without secrets and control characters; lines are kept.
    pub fn text(&self, text: &str) -> String {
        let mut text: Cow<str> = Cow::Owned(without_controls(text));
        for value in &self.values {
            if text.contains(value) {
                text = Cow::Owned(text.replace(value, MASK));
            }
        }
        for (pattern, with) in &COMPILED.patterns {
            text = replace(pattern, text, *with);
        }
        if let Some(assignment) = &COMPILED.assignment {
            text = replace(assignment, text, mask_assignment);
        }
        text.into_owned()
    }

    /// The text as one line.
    pub fn line(&self, text: &str) -> String {
        let words: Vec<String> = self.lines(text);
        words.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The lines of the text, each cut to a length that can be read.
    pub fn lines(&self, text: &str) -> Vec<String> {
        self.text(text).lines().map(|line| cut(line.trim_end())).collect()
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} values)", self.values.len())
    }
}

/// Whether a word stands in a text, between signs that are neither letters nor digits.
fn has_word(text: &str, word: &str) -> bool {
    let is_bare = |found: (usize, &str)| {
        let (before, after) = (text.get(..found.0), text.get(found.0 + word.len()..));
        !before.is_some_and(|before| before.ends_with(char::is_alphanumeric))
            && !after.is_some_and(|after| after.starts_with(char::is_alphanumeric))
    };
    text.match_indices(word).any(is_bare)
}

/// The longest first, so that a part of a value does not hide the rest of it.
fn sort(values: &mut Vec<String>) {
    values.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    values.dedup();
}

/// The values in a text whose names speak of a secret.
fn assigned(text: &str) -> Vec<String> {
    let Some(assignment) = &COMPILED.assignment else { return Vec::new() };
    let value = |found: Captures| {
        let value = found.get(3)?.as_str().trim_matches(|letter| matches!(letter, '"' | '\'' | '\\'));
        (!is_harmless(found.get(1)?.as_str())).then(|| value.to_owned())
    };
    assignment.captures_iter(text).filter_map(value).collect()
}

/// Whether a name that speaks of a secret holds none.
fn is_harmless(name: &str) -> bool {
    let plain = name.to_ascii_lowercase();
    HARMLESS.iter().any(|end| plain.ends_with(end))
}

fn replace<'t>(pattern: &Regex, text: Cow<'t, str>, with: impl Replacer) -> Cow<'t, str> {
    match pattern.replace_all(&text, with) {
        Cow::Borrowed(_) => text,
        Cow::Owned(changed) => Cow::Owned(changed),
    }
}

fn mask_assignment(found: &Captures) -> String {
    let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
    let (name, sign, value) = (part(1), part(2), part(3));
    if is_harmless(name) || value == MASK {
        return part(0).to_owned();
    }
    let quote = if value.starts_with("\\\"") {
        "\\\""
    } else {
        value.get(..1).filter(|q| matches!(*q, "\"" | "'")).unwrap_or("")
    };
    format!("{name}{sign}{quote}{MASK}{quote}")
}

/// Without what a terminal would act on. A carriage return ends a line, as a progress bar means it.
fn without_controls(text: &str) -> String {
    let text = match &COMPILED.escapes {
        Some(escapes) => escapes.replace_all(text, ""),
        None => Cow::Borrowed(text),
    };
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(|character| match character {
            '\n' => Some('\n'),
            '\r' => Some('\n'),
            '\t' => Some(' '),
            character if character.is_control() || turns_direction(character) => None,
            character => Some(character),
        })
        .collect()
}

/// Marks that change the order in which text is shown.
fn turns_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redact(text: &str) -> String {
        Redactor::default().text(text)
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(COMPILED.patterns.len(), PATTERNS.len());
        assert!(COMPILED.assignment.is_some() && COMPILED.escapes.is_some());
    }

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        for (text, expected) in [
            (
                "connect postgresql://todo:Wq7-tulip-91@postgres:5432/todo failed",
                "connect postgresql://todo:***@postgres:5432/todo failed",
            ),
            ("redis://:p@ss/word@cache:6379", "redis://:***@cache:6379"),
            ("clone https://ghx0123456789abcdefghij@github.com/a/b", "clone https://***@github.com/a/b"),
            ("FATAL password=hunter2", "FATAL password=***"),
            (r#"{"user":"a","apiKey": "k-1 2","n":1}"#, r#"{"user":"a","apiKey": "***","n":1}"#),
            (r#"msg="{\"password\":\"x y\"}""#, r#"msg="{\"password\":\"***\"}""#),
            ("POSTGRES_PASSWORD: s3cret, LOG=info", "POSTGRES_PASSWORD: ***, LOG=info"),
            ("Authorization: Bearer abc.def", "Authorization: ***"),
            ("sent bearer 0123456789abcdef0", "sent bearer ***"),
            ("token eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJ_x ok", "token *** ok"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("mysql -u root --password hunter2 -e x", "mysql -u root --password *** -e x"),
            ("ALTER USER a PASSWORD 'hunter2'", "ALTER USER a PASSWORD '***'"),
            ("GET https://s3/x?X-Amz-Signature=abc&b=1", "GET https://s3/x?X-Amz-Signature=***&b=1"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn keys_are_masked_also_when_cut() {
        let whole = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\nb";
        assert_eq!(redact(whole), "a\n-----BEGIN RSA PRIVATE KEY----- ***\nb");
        let begun = "-----BEGIN PRIVATE KEY-----\nMIIEow";
        assert_eq!(redact(begun), "-----BEGIN PRIVATE KEY----- ***");
        let ended = "MIIEowIBAAKCAQEAabcdefgh\nMIIEowIBAAKCAQEAabcdefgh\n-----END PRIVATE KEY-----\nb";
        assert_eq!(redact(ended), "***\nb");
    }

    #[test]
    fn the_clusters_own_words_are_not_secrets() {
        for text in [
            "couldn't find key password in Secret shop/db",
            "MountVolume.SetUp failed for volume \"secret\" : secret \"db\" not found",
            "FATAL: password authentication failed for user \"todo\"",
            "secretName: db-credentials",
            "serviceaccount token not found",
            "basic authentication required",
            "Head \"http://localhost:5999/v2/x/y/manifests/none\": dial tcp 127.0.0.1:5999: connect: connection refused",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn known_values_are_masked_wherever_they_are() {
        let redactor = Redactor::with_values(["tulip-91", "ab"]);
        assert_eq!(redactor.text("got tulip-91 and dHVsaXAtOTE=, able"), "got *** and ***, able");
        assert_eq!(format!("{redactor:?}"), "Redactor(2 values)");
    }

    #[test]
    fn the_values_of_secrets_are_masked_with_those_inside_them() {
        let secrets = [
            serde_json::json!({"data": {"key": BASE64_STANDARD.encode("tulip-91\n")}, "stringData": {"other": "rose-442"}}),
            serde_json::json!({"stringData": {"settings": "level: warning\ndb_password: \"lily 77\"\nuser: postgres\n"}}),
        ];
        let mut redactor = Redactor::with_values(["daisy-1"]);
        redactor.learn(Redactor::of_secrets(&secrets));
        assert_eq!(
            redactor.text("daisy-1 tulip-91 rose-442 lily 77, warning of postgres"),
            "*** *** *** ***, warning of postgres"
        );
    }

    #[test]
    fn words_that_are_public_are_spared() {
        let mut redactor = Redactor::with_values(["orders", "postgres-1", "meadow"]);
        redactor.spare("deployment/orders-api postgres meadows");
        assert_eq!(redactor.text("orders-api postgres-1 meadow"), "orders-api *** ***");
    }

    #[test]
    fn a_terminal_is_not_steered() {
        let text = "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\u{8}!\r\n50%\r100%\u{202e}\tend\u{9b}2J";
        assert_eq!(redact(text), "red!\n50%\n100% end");
        assert_eq!(Redactor::default().line("a\n\n b\r\n"), "a b");
        assert_eq!(Redactor::default().lines(&"x".repeat(3000)).first().map(String::len), Some(2000 + " …".len()));
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(text in "\\PC{0,200}") {
            let once = redact(&text);
            prop_assert!(!once.chars().any(|character| character.is_control() && character != '\n'));
        }

        #[test]
        fn a_password_in_a_url_never_comes_through(user in "[a-z]{0,8}", password in "[A-Za-z0-9!#$%^&*()_+=/?.,-]{6,20}zq9", host in "[a-z]{1,8}") {
            let text = redact(&format!("x postgres://{user}:{password}@{host}/db y"));
            prop_assert!(!text.contains(&password), "{}", text);
        }
    }
}
