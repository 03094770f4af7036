//! The examples in the pages work: every `console` block is run, in the folder `PAGE.in` beside its page.

use kubectl_evolve::config::{self, LoadRequest};

#[test]
fn the_examples_in_the_pages_work() {
    trycmd::TestCases::new().case("docs/*.md").env("KUBECONFIG", "none").env("NO_COLOR", "1");
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

/// Each rule is in its page, with its severity and what it says.
#[test]
fn the_rules_are_in_their_page() {
    let page = include_str!("../docs/check.md");
    for rule in kubectl_evolve::rules::manifests::RULES {
        let severity = format!("{:?}", rule.severity).to_lowercase();
        let row = format!("| `{}` | {severity} | {}. {} |", rule.code, rule.summary, rule.help);
        assert!(page.contains(&row), "docs/check.md lacks\n{row}");
    }
}
