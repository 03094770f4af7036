//! The configuration as its users meet it: a text goes in, settings or problems come out.

use std::{path::Path, time::Duration};

use super::*;
use crate::model::{ConfigProblem, OnFailure, SettingOrigin};

/// The problems of a text, one on a line.
fn problems(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    let request = LoadRequest { start: folder.path(), file: None, profile: None, checks: &[] };
    let line = |problem: &ConfigProblem| {
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {}{hint}", problem.place, problem.message)
    };
    examine(&request).unwrap().unwrap().problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn loaded(text: &str, profile: Option<&str>) -> crate::error::Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    load(&LoadRequest { start: folder.path(), file: None, profile, checks: &[] }).map(Option::unwrap)
}

const FULL: &str = r#"
apiVersion: evolve/v1
name: todo
namespace: todo
images:
  api:
    context: back
    dockerfile: Dockerfile
    target: run
    args: {PYTHON: "3.13"}
    secrets: [{id: ca, env: CA}, {id: pip, file: pip.conf}]
    budget: 300MB
    platform: linux/amd64
    tags: [latest]
manifests: [manifests, https://example.com/extra.yaml]
kustomize: [overlay]
substitute: {env: [HOME], envFile: [.env]}
secrets:
  - name: postgres
    type: Opaque
    keys:
      password: {generate: password, length: 24}
      id: {generate: uuid}
      user: {env: POSTGRES_USER, optional: true}
      tls.crt: {file: tls.crt}
deploy:
  wait: true
  timeout: 1h30m
  grace: 90s
  restartBudget: 2
  onFailure: rollback
  prune: false
  historyLimit: 3
  forceConflicts: false
  conflicts: [{kind: Deployment, field: spec.replicas, take: theirs}]
  createNamespace: true
checks: {latest-image: off, missing-probe: error}
profiles:
  dev:
    manifests: [manifests/dev]
    deploy: {timeout: 30s, onFailure: null}
  staging:
defaultProfile: dev
"#;

#[test]
fn every_key_is_read() {
    let config = loaded(FULL, Some("staging")).unwrap();
    let settings = &config.settings;
    assert_eq!(settings.manifests, ["manifests", "https://example.com/extra.yaml"]);
    assert_eq!(settings.deploy.timeout, Duration::from_secs(5400));
    assert_eq!(settings.deploy.on_failure, Some(OnFailure::Rollback));
    assert_eq!(settings.checks["latest-image"], Level::Off);
    assert_eq!(settings.images["api"].budget, Some(Size(300_000_000)));
    let keys = &settings.secrets[0].keys;
    assert_eq!(keys["password"].source, SecretSource::Generate { kind: Generator::Password, length: 24 });
    assert_eq!(keys["user"], SecretKey { source: SecretSource::Env("POSTGRES_USER".into()), optional: true });
    assert_eq!(keys["tls.crt"].source, SecretSource::File("tls.crt".into()));
    assert!(settings.substitute.as_ref().unwrap().env.allows("HOME"));
}

#[test]
fn a_profile_merges_maps_and_replaces_the_rest() {
    let config = loaded(FULL, None).unwrap();
    assert_eq!(config.profile.as_deref(), Some("dev"));
    assert_eq!(config.settings.manifests, ["manifests/dev"]);
    assert_eq!(config.settings.deploy.timeout, Duration::from_secs(30));
    assert_eq!(config.settings.deploy.grace, Duration::from_secs(90), "kept from the base");
    assert_eq!(config.settings.deploy.on_failure, None, "null takes it back to the default");
    assert!(matches!(&config.origins["deploy.timeout"], SettingOrigin::Profile { profile, .. } if profile == "dev"));
    assert!(matches!(&config.origins["deploy.grace"], SettingOrigin::File { place } if place.line == 29));
    assert!(!config.origins.contains_key("deploy.onFailure"));
    assert!(config.origins.contains_key("secrets[0].keys.\"tls.crt\".file"));
}

#[test]
fn a_name_is_enough() {
    let config = loaded("name: todo", None).unwrap();
    assert_eq!(config.settings, Settings { name: "todo".into(), ..Settings::default() });
    assert_eq!(problems("name: todo\ndeploy:\nprofiles:\nimages: {}\n"), "");
}

#[test]
fn a_typo_names_its_place_and_the_nearest_key() {
    let text = "name: todo\nnamspace: a\nprofiles:\n  dev:\n    deploy:\n      time-out: 5m\n    zzz: 1\n";
    snapbox::assert_data_eq!(
        problems(text),
        snapbox::str![[r#"
evolve.yaml:2:1: unknown key "namspace"; did you mean "namespace"?
evolve.yaml:6:7: unknown key "time-out" in profiles.dev.deploy; did you mean "timeout"?
evolve.yaml:7:5: unknown key "zzz" in profiles.dev (the keys here are namespace, images, manifests, kustomize, substitute, secrets, deploy, scale, checks and watch)
"#]]
    );
}

#[test]
fn a_wrong_value_names_what_was_expected() {
    let text = r#"
name: To Do
namespace: 12
images: {api: {args: {PORT: 80}, budget: big, platform: linux, secrets: [{id: a, env: A, file: b}]}}
manifests: manifests
substitute: {env: yes}
secrets:
  - name: a
    keys: {PASSWORD: hunter2, two: {env: A, file: b}, none: {length: 12}, odd: {generate: pasword}}
  - keys: {x: {env: "hunter 2"}}
  - {name: a, keys: {}}
deploy: {wait: "true", timeout: 5, grace: soon, restartBudget: -1, historyLimit: 0, onFailure: rolback}
checks: {latest-image: warn}
defaultProfile: dev
"#;
    snapbox::assert_data_eq!(
        problems(text),
        snapbox::str![[r#"
evolve.yaml:2:7: name: expected at most 40 lower-case letters, digits and '-', with a letter or digit at both ends, got "To Do"
evolve.yaml:3:12: namespace: expected at most 63 lower-case letters, digits and '-', with a letter or digit at both ends, got a number (put the value in quotes)
evolve.yaml:4:29: images.api.args.PORT: expected a string, got a number (put the value in quotes)
evolve.yaml:4:42: images.api.budget: expected a size such as 300MB or 1.5GiB, got "big"
evolve.yaml:4:57: images.api.platform: expected a platform such as linux/amd64, got "linux"
evolve.yaml:4:74: images.api.secrets[0]: expected only one of env and file
evolve.yaml:5:12: manifests: expected a list, got a string
evolve.yaml:6:19: substitute.env: expected true or false or a list, got a string
evolve.yaml:9:22: secrets[0].keys.PASSWORD: expected a map, got a string (write {env: VARIABLE}, {file: PATH} or {generate: password}; secret values do not belong in this file)
evolve.yaml:9:36: secrets[0].keys.two: expected one of env, file and generate, got env and file
evolve.yaml:9:61: secrets[0].keys.none: expected one of env, file and generate, got none
evolve.yaml:9:61: secrets[0].keys.none: "length" goes only with "generate"
evolve.yaml:9:91: secrets[0].keys.odd.generate: expected password, hex or uuid, got "pasword"; did you mean "password"?
evolve.yaml:10:5: secrets[1]: the key "name" is missing
evolve.yaml:10:21: secrets[1].keys.x.env: expected the name of an environment variable, got something else
evolve.yaml:11:12: secrets[2]: a Secret with the name "a" is in the list already
evolve.yaml:12:16: deploy.wait: expected true or false, got a string
evolve.yaml:12:33: deploy.timeout: expected a duration such as 90s, 5m or 1h30m, got a number
evolve.yaml:12:43: deploy.grace: expected a duration such as 90s, 5m or 1h30m, got "soon"
evolve.yaml:12:64: deploy.restartBudget: expected a number from 0 to 1000, got -1
evolve.yaml:12:82: deploy.historyLimit: expected a number from 1 to 1000, got 0
evolve.yaml:12:96: deploy.onFailure: expected keep or rollback, got "rolback"; did you mean "rollback"?
evolve.yaml:13:24: checks.latest-image: expected off, info, warning or error, got "warn"
evolve.yaml:14:17: defaultProfile: there is no profile "dev" (the file has no profiles)
"#]]
    );
}

#[test]
fn a_secret_value_is_in_no_message() {
    let text = "name: a\nsecrets:\n- {name: s, keys: {P: hunter2, Q: {env: hunter2!}, R: {file: [hunter2]}}}\n";
    assert!(!problems(text).contains("hunter2"));
}

#[test]
fn what_is_no_yaml_has_a_place() {
    snapbox::assert_data_eq!(
        problems("name: [a\nb: c\n"),
        snapbox::str!["evolve.yaml:2:2: illegal placement of ':' indicator"]
    );
    snapbox::assert_data_eq!(
        problems("name: a\nname: b\nnamspace: c\n"),
        snapbox::str![[r#"
evolve.yaml:2:1: the key "name" is there twice
evolve.yaml:3:1: unknown key "namspace"; did you mean "namespace"?
"#]]
    );
    snapbox::assert_data_eq!(problems("[a]"), snapbox::str!["evolve.yaml:1:1: expected a map, got a list"]);
    snapbox::assert_data_eq!(problems(""), snapbox::str![[r#"evolve.yaml:1:1: the key "name" is missing"#]]);
    snapbox::assert_data_eq!(
        problems("name: a\n---\nname: b\n"),
        snapbox::str!["evolve.yaml:3:1: only single YAML document expected but multiple found"]
    );
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "name: a\ndeploy: &d {timeout: 7s}\nprofiles: {b: {deploy: {<<: *d, grace: 3s}}, c: {deploy: *d}}\n";
    let config = loaded(text, Some("b")).unwrap();
    assert_eq!(config.settings.deploy.timeout, Duration::from_secs(7));
    assert_eq!(config.settings.deploy.grace, Duration::from_secs(3));
}

#[test]
fn the_first_problem_is_the_error_of_a_load() {
    let error = loaded("nam: a\n", None).unwrap_err();
    let expected = "evolve.yaml:1:1: unknown key \"nam\"; did you mean \"name\"? (and 1 more)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.hints(), ["`kubectl evolve config check` lists every problem"]);
}

#[test]
fn an_unknown_profile_is_an_error_that_names_those_there_are() {
    let error = loaded("name: a\nprofiles: {dev: {}, staging: {}}", Some("stagin")).unwrap_err();
    assert_eq!(error.message(), "there is no profile \"stagin\"; did you mean \"staging\"?");
    assert_eq!(error.hints(), ["the profiles are dev, staging"]);
    let empty = tempfile::tempdir().unwrap();
    let request = LoadRequest { start: empty.path(), file: None, profile: Some("dev"), checks: &[] };
    assert!(load(&request).is_err());
    assert_eq!(load(&LoadRequest { profile: None, ..request }).unwrap(), None);
    assert!(load(&LoadRequest { file: Some(Path::new("none.yaml")), ..request }).is_err());
}

#[test]
fn an_unknown_check_is_a_typo() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "name: a\nchecks: {latest-image: off}\nprofiles: {b: {checks: {latest-imgae: error, latest-image: null}}}";
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    let checks = [("latest-image", "An image without a fixed tag."), ("unknown-field", "A field that is not there.")];
    let request = LoadRequest { start: folder.path(), file: None, profile: None, checks: &checks };
    let problems = examine(&request).unwrap().unwrap().problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].message,
        "unknown key \"latest-imgae\" in profiles.b.checks; did you mean \"latest-image\"?"
    );
}

#[test]
fn paths_are_seen_from_where_the_file_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("manifests");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(folder.path().join(FILE_NAME), "name: a\nmanifests: [manifests, /etc/b.yaml]").unwrap();
    let config = load(&LoadRequest { start: &inner, file: None, profile: None, checks: &[] }).unwrap().unwrap();
    assert_eq!(config.folder, Path::new(".."));
    assert_eq!(config.settings.manifests, ["../manifests", "/etc/b.yaml"]);
}

mod invariants {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::config::profile::merge;

    /// Values that are right at some places and wrong at most.
    fn value() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            (0..9u32).prop_map(Json::from),
            Just(json!(1.5)),
            prop::sample::select(vec![
                "", "a", "5m", "0s", "1h90000m", "300MB", "1.5GiB", "keep", "off", "UP", "a.b", "../x"
            ])
            .prop_map(Json::from),
            "\\PC{0,6}".prop_map(Json::from),
            Just(json!([])),
            Just(json!(["a", "a"])),
            Just(json!({})),
            Just(json!({"env": "A"})),
            Just(json!({"generate": "hex", "length": 9})),
        ]
    }

    /// The pointer of every place in a document.
    fn pointers(value: &Json, at: String, found: &mut Vec<String>) {
        found.push(at.clone());
        match value {
            Json::Object(map) => map.iter().for_each(|(key, value)| pointers(value, format!("{at}/{key}"), found)),
            Json::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| pointers(item, format!("{at}/{index}"), found));
            }
            _ => {}
        }
    }

    fn full() -> Json {
        serde_saphyr::from_str_with_options(FULL, serde_saphyr::options! { strict_booleans: true }).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn what_passes_the_check_can_be_loaded(
            changes in prop::collection::vec((any::<prop::sample::Index>(), value()), 1..3)
        ) {
            let mut document = full();
            for (index, value) in changes {
                let mut places = Vec::new();
                pointers(&document, String::new(), &mut places);
                *document.pointer_mut(&places[index.index(places.len())]).unwrap() = value;
            }
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(FILE_NAME), document.to_string()).unwrap();
            let examined = examine(&LoadRequest { start: folder.path(), file: None, profile: None, checks: &[] }).unwrap().unwrap();
            if examined.problems.is_empty() {
                for profile in examined.profiles.iter().map(|name| Some(name.as_str())).chain([None]) {
                    let config = examined.resolve(profile);
                    prop_assert!(config.is_ok(), "{document}: {:?}", config.err());
                }
            }
        }

        #[test]
        fn any_text_is_a_configuration_or_a_problem(text in "([a-z]{1,4}: ?|- |\\[|\\{|&a|\\*a|<<|\"|'|#|\\||\n|  |\\PC){0,30}") {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
            let examined = examine(&LoadRequest { start: folder.path(), file: None, profile: None, checks: &[] }).unwrap().unwrap();
            prop_assert_eq!(examined.problems.is_empty(), examined.resolve(None).is_ok());
        }

        #[test]
        fn a_merge_keeps_what_is_not_overridden(base in tree(), over in tree()) {
            let merged = merge(node(&base), node(&over)).to_json();
            prop_assert_eq!(&merge(node(&base), node(&base)).to_json(), &base, "with itself it changes nothing");
            prop_assert_eq!(merge(node(&merged), node(&over)).to_json(), merged.clone(), "twice is once");
            for (path, value) in leaves(&over) {
                prop_assert!(leaves(&merged).contains(&(path, value)));
            }
            for key in base.as_object().unwrap().keys().filter(|key| over.get(key).is_none()) {
                prop_assert_eq!(&merged[key], &base[key]);
            }
        }
    }

    fn node(value: &Json) -> crate::config::document::Node {
        crate::config::document::read("", &value.to_string(), &mut Vec::new()).unwrap()
    }

    /// Maps of maps and numbers with few keys, so that two of them meet.
    fn tree() -> impl Strategy<Value = Json> {
        let map = |inner: BoxedStrategy<Json>| {
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| Json::Object(map.into_iter().collect()))
        };
        let leaf = prop_oneof![any::<u8>().prop_map(Json::from), Just(json!([1, 2]))].boxed();
        let inner = leaf.prop_recursive(3, 20, 4, move |inner| map(inner.boxed()));
        map(inner.boxed())
    }

    #[test]
    fn every_pattern_of_the_schema_has_its_words() {
        let mut places = Vec::new();
        let schema = schema(&[]);
        pointers(&schema, String::new(), &mut places);
        let patterns: Vec<&str> = places
            .iter()
            .filter(|place| place.ends_with("/pattern"))
            .filter_map(|place| schema.pointer(place)?.as_str())
            .collect();
        assert!(patterns.len() > 5);
        assert!(patterns.iter().all(|pattern| crate::config::formats::expected(pattern).is_some()));
    }
}
