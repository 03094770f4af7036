//! Colours by pod, and matches shown.

use regex::bytes::Regex;

use crate::model::LogSource;

/// Colours that can be told apart on light and dark grounds.
const COLOURS: [&str; 10] = ["36", "32", "33", "35", "34", "96", "92", "93", "95", "94"];
const RESET: &str = "\x1b[0m";
const MATCH: &[u8] = b"\x1b[1;31m";
/// Ends bold and the colour, and leaves the rest of what the line itself has set.
const AFTER: &[u8] = b"\x1b[22;39m";
/// A terminal that is narrower shows the pods' names shortened.
const NARROW: usize = 80;
const SHORT: usize = 12;

/// What stands before each line of a source.
pub(super) fn prefix(source: &LogSource, namespaces: bool, color: bool, width: Option<usize>) -> Vec<u8> {
    let pod = match width {
        Some(width) if width < NARROW => shortened(&source.pod),
        _ => source.pod.clone(),
    };
    let namespace = if namespaces { format!("{}/", source.namespace) } else { String::new() };
    let container = if source.container.is_empty() { String::new() } else { format!(" {}", source.container) };
    match color {
        false => format!("{namespace}{pod}{container} ").into_bytes(),
        true => {
            let colour = colour(&source.pod);
            format!("\x1b[{colour}m{namespace}{pod}\x1b[2m{container}{RESET} ").into_bytes()
        }
    }
}

/// The end of a pod's name tells it from its siblings.
fn shortened(name: &str) -> String {
    let letters = name.chars().count();
    if letters <= SHORT {
        return name.to_owned();
    }
    let end: String = name.chars().skip(letters - SHORT + 1).collect();
    format!("…{end}")
}

/// A pod keeps its colour from run to run (FNV-1a).
fn colour(name: &str) -> &'static str {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let place = usize::try_from((hash >> 32) % COLOURS.len() as u64).unwrap_or(0);
    COLOURS.get(place).copied().unwrap_or("36")
}

/// Appends a line with its matches in colour.
pub(super) fn highlight(line: &[u8], patterns: &[Regex], out: &mut Vec<u8>) {
    let mut found: Vec<(usize, usize)> = patterns
        .iter()
        .flat_map(|pattern| pattern.find_iter(line).map(|found| (found.start(), found.end())))
        .filter(|(start, end)| start < end)
        .collect();
    found.sort_unstable();
    let mut from = 0;
    for (start, end) in found {
        let start = start.max(from);
        if start >= end {
            continue;
        }
        out.extend_from_slice(&line[from..start]);
        out.extend_from_slice(MATCH);
        out.extend_from_slice(&line[start..end]);
        out.extend_from_slice(AFTER);
        from = end;
    }
    out.extend_from_slice(&line[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_names_the_pod_and_the_container() {
        let source = LogSource {
            namespace: "shop".into(),
            pod: "api-7d9c5b6f4-x2x9k".into(),
            container: "main".into(),
            ..LogSource::default()
        };
        let text = |namespaces, color, width| String::from_utf8(prefix(&source, namespaces, color, width)).unwrap();
        assert_eq!(text(false, false, None), "api-7d9c5b6f4-x2x9k main ");
        assert_eq!(text(true, false, Some(200)), "shop/api-7d9c5b6f4-x2x9k main ");
        assert_eq!(text(false, false, Some(40)), "…5b6f4-x2x9k main ");
        assert!(text(false, true, None).starts_with("\x1b["));
    }

    #[test]
    fn overlapping_matches_are_shown_once() {
        let patterns = [Regex::new("ab").unwrap(), Regex::new("bc").unwrap(), Regex::new("").unwrap()];
        let mut out = Vec::new();
        highlight(b"xabcx", &patterns, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "x\x1b[1;31mab\x1b[22;39m\x1b[1;31mc\x1b[22;39mx");
    }
}
