//! Holds the layout of the house: which room may import which, and what only some rooms may touch.
//!
//! Reads the tokens of `src/**`, so comments and strings do not count; items under `#[cfg(test)]` are free.

use std::{fs, io, path::Path, str::FromStr};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every room of `src/`, and the rooms it may import. A new room is added here, with a line in docs/architecture.md.
const ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("exit", &["error"]),
    ("model", &["error"]),
    ("event", &["model"]),
    ("schema", &["error"]),
    ("config", &["error", "model"]),
    ("web", &["error"]),
    ("source", &["error", "model", "config", "web"]),
    ("notify", &["error", "model", "web"]),
    ("rules", &["error", "model", "config", "schema"]),
    ("cluster", &["error", "model", "event"]),
    ("sandbox", &["error", "schema", "rules"]),
    ("context", &["error", "model", "event", "config", "cluster"]),
    (
        "ops",
        &["error", "model", "event", "schema", "config", "source", "rules", "cluster", "sandbox", "notify", "context"],
    ),
    ("cli", &["error", "exit", "model", "event", "schema", "config", "source", "rules", "cluster", "context", "ops"]),
    (
        "app",
        &["error", "exit", "model", "event", "schema", "config", "source", "rules", "cluster", "context", "ops", "cli"],
    ),
];

/// Paths that only the rooms named with them may use: the clients, the argument parser, the terminal.
const RESERVED: &[(&str, &[&str])] = &[
    ("kube", &["cluster"]),
    ("bollard", &["docker"]),
    ("clap", &["cli", "app"]),
    ("clap_complete", &["cli", "app"]),
    ("println!", &["cli", "app"]),
    ("print!", &["cli", "app"]),
    ("eprintln!", &["cli", "app"]),
    ("eprint!", &["cli", "app"]),
    ("io::stdout", &["cli", "app"]),
    ("io::stderr", &["cli", "app"]),
];

/// Rooms that compute and do nothing else: no file, no process, no clock, no runtime, no environment.
const PURE: &[&str] = &["error", "exit", "model", "event", "schema", "rules"];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
];

#[test]
fn rooms_import_only_what_lies_below_them() -> io::Result<()> {
    let faults: Vec<String> = sources()?.iter().flat_map(Source::imports).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    Ok(())
}

#[test]
fn clients_terminal_and_clock_stay_in_their_rooms() -> io::Result<()> {
    let faults: Vec<String> = sources()?.iter().flat_map(Source::reserved).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    Ok(())
}

#[test]
fn every_room_is_in_the_table() -> io::Result<()> {
    let missing: Vec<String> = sources()?
        .iter()
        .filter(|source| allowed(&source.room).is_none())
        .map(|source| format!("{}: the room `{}` is not in ROOMS of tests/house.rs", source.file, source.room))
        .collect();
    assert!(missing.is_empty(), "\n{}\nadd it there with the rooms that it may import\n", missing.join("\n"));
    Ok(())
}

#[test]
fn the_reader_sees_nested_paths_and_skips_tests_and_strings() -> io::Result<()> {
    let text = r#"
        use crate::{error::Place, ops::{self, deploy as go}};
        /// crate::cli is only named here
        fn a() { let text = "crate::cli"; format!("{}", super::super::ops::x()); println!("x"); }
        #[cfg(test)]
        mod tests { use crate::app; }
        fn b() -> std::fs::File {}
    "#;
    let source = Source::read("src/rules/pod.rs".into(), text)?;
    let imports = source.imports();
    assert_eq!(imports.len(), 3, "{imports:?}");
    assert!(imports.iter().all(|fault| fault.contains("`rules` may not import `ops`")), "{imports:?}");
    let reserved = source.reserved().join("\n");
    assert!(reserved.contains("println!") && reserved.contains("std::fs"), "{reserved}");
    Ok(())
}

/// A file of the crate, with every path and macro that its code names.
struct Source {
    file: String,
    /// The first folder or file below `src/`.
    room: String,
    /// How many modules deep the file is: 1 for `src/error.rs` and `src/model/mod.rs`, 2 for `src/model/plan.rs`.
    depth: usize,
    paths: Vec<Vec<String>>,
}

impl Source {
    fn read(file: String, text: &str) -> io::Result<Self> {
        let stream =
            TokenStream::from_str(text).map_err(|error| io::Error::other(format!("{file} is not Rust: {error}")))?;
        let mut paths = Vec::new();
        collect(&stream, &mut paths);
        let modules: Vec<&str> =
            file.trim_end_matches(".rs").split('/').skip(1).filter(|part| *part != "mod").collect();
        Ok(Self { room: modules[0].to_string(), depth: modules.len(), file: file.clone(), paths })
    }

    /// The rooms that the file imports and may not.
    fn imports(&self) -> Vec<String> {
        let Some(allowed) = allowed(&self.room) else { return Vec::new() };
        let faults = self.paths.iter().filter_map(|path| {
            let room = self.room_of(path)?;
            (room != self.room && !allowed.contains(&room)).then(|| {
                let path = path.join("::");
                format!(
                    "{}: `{}` may not import `{room}` (`{path}`); see ROOMS in tests/house.rs",
                    self.file, self.room
                )
            })
        });
        faults.collect()
    }

    /// The room that a path begins in, when it is a path from the crate's root.
    fn room_of<'p>(&self, path: &'p [String]) -> Option<&'p str> {
        let supers = path.iter().take_while(|step| *step == "super").count();
        let from_root = if path[0] == "crate" { 1 } else { supers };
        let reaches_root = path[0] == "crate" || (supers > 0 && supers >= self.depth);
        path.get(from_root).filter(|_| reaches_root).map(String::as_str)
    }

    /// What the file uses and is reserved for other rooms.
    fn reserved(&self) -> Vec<String> {
        let paths: Vec<String> = self.paths.iter().map(|path| path.join("::")).collect();
        let names = |path: &str, prefix: &str| {
            let whole = format!("{path}::");
            // A crate is named by the first step of a longer path; `kube` alone may be a variable.
            let inner = prefix.contains("::") && whole.contains(&format!("::{prefix}::"));
            let exact = path == prefix && (prefix.contains("::") || prefix.ends_with('!'));
            exact || inner || path.starts_with(&format!("{prefix}::"))
        };
        let mut faults = Vec::new();
        for path in &paths {
            for (prefix, rooms) in RESERVED {
                if names(path, prefix) && !rooms.contains(&self.room.as_str()) {
                    faults.push(format!("{}: `{path}` belongs in {}", self.file, rooms.join(", ")));
                }
            }
            if PURE.contains(&self.room.as_str()) && IMPURE.iter().any(|prefix| names(path, prefix)) {
                faults.push(format!("{}: `{path}` in `{}`, which only computes", self.file, self.room));
            }
        }
        faults
    }
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

/// The files of the crate but its two roots, which only declare and start.
fn sources() -> io::Result<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    list(root, "src", &mut files)?;
    files.retain(|file| !matches!(file.as_str(), "src/lib.rs" | "src/main.rs"));
    files.into_iter().map(|file| Source::read(file.clone(), &fs::read_to_string(root.join(file))?)).collect()
}

/// The Rust files in a folder and below, by their path from `root` with slashes on every system.
fn list(root: &Path, folder: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(root, &name, files)?;
        } else if name.ends_with(".rs") {
            files.push(name);
        }
    }
    Ok(())
}

/// Every path and macro name in the tokens, `use` trees expanded, items under `#[cfg(test)]` left out.
fn collect(stream: &TokenStream, paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(punct) if punct.as_char() == '#' && is_test(tokens.get(at + 1)) => {
                at += tokens[at..].iter().position(ends_item).unwrap_or(tokens.len());
            }
            TokenTree::Ident(_) => at = path(&tokens, at, &[], paths) - 1,
            TokenTree::Group(group) => collect(&group.stream(), paths),
            _ => {}
        }
        at += 1;
    }
}

/// Reads the path that begins at `at` behind `prefix`, and returns where it ends.
fn path(tokens: &[TokenTree], mut at: usize, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut steps = prefix.to_vec();
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        steps.push(name.to_string());
        at += 1;
        if is_punct(tokens.get(at), '!') && !is_punct(tokens.get(at + 1), '=') {
            paths.push(vec![format!("{name}!")]);
        }
        if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
            paths.push(steps);
            return at;
        }
        at += 2;
    }
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for branch in inner.split(|token| is_punct(Some(token), ',')).filter(|branch| !branch.is_empty()) {
                path(branch, 0, &steps, paths);
            }
            at + 1
        }
        _ => {
            paths.push(steps);
            at
        }
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_test(attribute: Option<&TokenTree>) -> bool {
    attribute.is_some_and(|group| group.to_string().replace(' ', "") == "[cfg(test)]")
}

/// An item ends with its body or its semicolon.
fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    }
}
