//! The forms of names, labels and other texts, with the words in which the API server explains them.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation/validation.go`.

const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const NAME_WORDS: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_WORDS: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

type Faults = Vec<String>;

fn example(words: &str, form: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}'")).collect();
    format!("{words} (e.g. {}, regex used for validation is '{form}')", examples.join(",  or "))
}

fn no_more_than(count: usize) -> String {
    format!("must be no more than {count} characters")
}

/// Whether it begins and ends with a letter or digit, and has only those and `inner` between.
fn is_framed(text: &str, upper: bool, inner: &[u8]) -> bool {
    let outer = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || (upper && byte.is_ascii_uppercase());
    let bytes = text.as_bytes();
    bytes.first().is_some_and(outer)
        && bytes.last().is_some_and(outer)
        && bytes.iter().all(|byte| outer(byte) || inner.contains(byte))
}

fn is_label(text: &str) -> bool {
    is_framed(text, false, b"-")
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// A DNS label: `web-1`.
pub(in crate::sandbox::kinds) fn dns_label(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 63 {
        faults.push(no_more_than(63));
    }
    if !is_label(text) {
        faults.push(if is_subdomain(text) {
            "must not contain dots".into()
        } else {
            let words = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
            example(words, LABEL, &["my-name", "123-abc"])
        });
    }
    faults
}

/// A DNS name: `web.example.com`.
pub(super) fn dns_subdomain(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 253 {
        faults.push(no_more_than(253));
    }
    if !is_subdomain(text) {
        faults.push(example(SUBDOMAIN_WORDS, &subdomain_form(), &["example.com"]));
    }
    faults
}

fn subdomain_form() -> String {
    format!("{LABEL}(\\.{LABEL})*")
}

/// A label of the older kind, which begins with a letter: the names of Services.
pub(super) fn dns_1035_label(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 63 {
        faults.push(no_more_than(63));
    }
    if !is_label(text) || text.starts_with(|c: char| c.is_ascii_digit()) {
        let words = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
        faults.push(example(words, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    faults
}

/// A key of a label or annotation: a name, behind a DNS name and a slash or not.
pub(super) fn qualified_name(text: &str) -> Faults {
    let mut faults = Faults::new();
    let name = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                faults.push("prefix part must be non-empty".into());
            } else {
                faults.extend(dns_subdomain(prefix).into_iter().map(|fault| format!("prefix part {fault}")));
            }
            *name
        }
        _ => {
            let words = example(&format!("a qualified name {NAME_WORDS}"), NAME, &["MyName", "my.name", "123-abc"]);
            return vec![format!("{words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        faults.push(format!("name part {}", no_more_than(63)));
    }
    if !is_framed(name, true, b"-_.") {
        faults.push(example(&format!("name part {NAME_WORDS}"), NAME, &["MyName", "my.name", "123-abc"]));
    }
    faults
}

/// A value of a label.
pub(super) fn label_value(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 63 {
        faults.push(no_more_than(63));
    }
    if !text.is_empty() && !is_framed(text, true, b"-_.") {
        let words = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
        faults.push(example(words, &format!("({NAME})?"), &["MyValue", "my_value", "12345"]));
    }
    faults
}

/// The name of a port: `http-api`.
pub(super) fn port_name(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 15 {
        faults.push(no_more_than(15));
    }
    if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".into());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        faults.push("must contain at least one letter (a-z)".into());
    }
    if text.contains("--") {
        faults.push("must not contain consecutive hyphens".into());
    }
    if text.starts_with('-') || text.ends_with('-') {
        faults.push("must not begin or end with a hyphen".into());
    }
    faults
}

/// A port: 1 to 65535.
pub(super) fn port(number: i64) -> Faults {
    if (1..=65535).contains(&number) { Faults::new() } else { vec!["must be between 1 and 65535, inclusive".into()] }
}

/// A percentage: `25%`.
pub(super) fn percent(text: &str) -> Faults {
    let digits = text.strip_suffix('%').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Faults::new();
    }
    vec![example(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// The name of an environment variable.
pub(super) fn variable_name(text: &str) -> Faults {
    if text.is_empty() {
        return vec!["environment variable name must be non-empty".into()];
    }
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        return Faults::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".into()]
}

/// A key of a ConfigMap or Secret.
pub(super) fn config_key(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 253 {
        faults.push(no_more_than(253));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || !text.bytes().all(fits) {
        let words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        faults.push(example(words, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    match text {
        "." => faults.push("must not be '.'".into()),
        ".." => faults.push("must not be '..'".into()),
        text if text.starts_with("..") => faults.push("must not start with '..'".into()),
        _ => {}
    }
    faults
}

/// The name of an HTTP header.
pub(super) fn header_name(text: &str) -> Faults {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Faults::new();
    }
    vec![example(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// An IP address.
pub(super) fn address(text: &str) -> Faults {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Faults::new();
    }
    vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".into()]
}

/// What stands in a path of a URL as it is: the names of roles.
pub(super) fn path_segment(text: &str) -> Faults {
    match text {
        "." | ".." => vec![format!("may not be '{text}'")],
        text => ["/", "%"]
            .into_iter()
            .filter(|illegal| text.contains(illegal))
            .map(|illegal| format!("may not contain '{illegal}'"))
            .collect(),
    }
}

/// A network: `10.0.0.0/8`.
pub(super) fn network(text: &str) -> Faults {
    let fits = text.split_once('/').is_some_and(|(address, bits)| {
        let most = match address.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(_)) => 32,
            Ok(std::net::IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    });
    if fits { Faults::new() } else { vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".into()] }
}
/// A DNS name whose first label is `*`.
pub(super) fn dns_wildcard(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > 253 {
        faults.push(no_more_than(253));
    }
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        let words = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
        faults.push(example(words, &format!("\\*\\.{}", subdomain_form()), &["*.example.com"]));
    }
    faults
}
