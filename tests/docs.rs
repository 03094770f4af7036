//! The examples in the pages work: every `console` block is run, in the folder `PAGE.in` beside its page.

use kubectl_evolve::{
    config::{self, LoadRequest},
    rules::manifests::{Context, Facts, RULES, Set, judge},
    source::Sources,
};

#[test]
fn the_examples_in_the_pages_work() {
    // What the user of this machine keeps is not in the pages.
    let state = tempfile::tempdir().unwrap();
    let cases = trycmd::TestCases::new();
    cases.case("docs/*.md").env("KUBECONFIG", "none").env("NO_COLOR", "1");
    cases.env("XDG_STATE_HOME", state.path().to_str().unwrap());
}

/// The whole of the configuration is shown once; it must pass the check.
#[test]
fn the_configuration_in_its_page_is_in_order() {
    let page = include_str!("../docs/config.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("evolve.yaml"), text).unwrap();
    let request = LoadRequest { start: folder.path(), file: None, profile: Some("production"), checks: &[] };
    let config = config::load(&request).unwrap().unwrap();
    assert_eq!(config.settings.manifests, ["manifests", "production"]);
}

/// Each check has its section, with its severity, and finds what its example shows.
#[test]
fn the_checks_in_their_page_find_their_examples() {
    let page = include_str!("../docs/check.md");
    for rule in RULES {
        let severity = serde_json::to_value(rule.severity).unwrap();
        let head = format!("\n### `{}` ({})\n", rule.code, severity.as_str().unwrap());
        let (_, rest) = page.split_once(&head).unwrap_or_else(|| panic!("docs/check.md has no {head:?}"));
        let section = rest.split("\n### ").next().unwrap();
        let Some((_, rest)) = section.split_once("```yaml\n") else { continue };
        let example = rest.split("```").next().unwrap();
        let manifests = Sources::parse("example.yaml", example).unwrap().manifests;
        let set = Set::new(&manifests, "default");
        let found = judge(Context { set: &set, facts: &Facts::default() }, &Default::default());
        let codes: Vec<&str> = found.iter().map(|found| found.code).collect();
        assert_eq!(codes, [rule.code], "{example}");
    }
    assert_eq!(page.matches("\n### `").count(), RULES.len());
}
