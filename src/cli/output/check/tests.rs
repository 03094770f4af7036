//! One report in every format.

use snapbox::{assert_data_eq, str};

use super::*;
use crate::{
    cli::output::Style,
    error::Place,
    model::{CheckReport, Finding, ObjectRef, Severity},
    rules::manifests::RULES,
};

fn report() -> CheckReport {
    let object = ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: "api".into(),
    };
    let finding = |severity, code: &str, field: &str, line, message: &str| Finding {
        code: code.into(),
        severity,
        object: Some(object.clone()),
        field: field.into(),
        place: Place { file: "k8s/my app, 50%.yaml".into(), line, column: 3 },
        message: message.into(),
        hint: None,
    };
    let mut unknown = finding(Severity::Error, "unknown-field", "spec.replica", 6, "unknown field \"replica\" <here>");
    unknown.hint = Some("did you mean replicas?".into());
    let image = "spec.template.spec.containers[0].image";
    let latest = finding(Severity::Warning, "latest-image", image, 14, "image \"api\" has no tag & more\nlines");
    CheckReport { objects: 3, findings: vec![unknown, latest], skipped: vec!["no cluster was asked".into()] }
}

fn drawn(draw: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    draw(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn for_people() {
    let style = Style::default();
    assert_data_eq!(
        drawn(|out| draw_check(out, &style, &report())),
        str![[r#"
k8s/my app, 50%.yaml:6:3: error: deployment.apps/api: spec.replica: unknown field "replica" <here> [unknown-field]
  hint: did you mean replicas?
k8s/my app, 50%.yaml:14:3: warning: deployment.apps/api: spec.template.spec.containers[0].image: image "api" has no tag & more�lines [latest-image]
skipped: no cluster was asked
3 objects: 1 error, 1 warning

"#]]
    );
    let empty = CheckReport { objects: 1, ..CheckReport::default() };
    assert_data_eq!(
        drawn(|out| draw_check(out, &style, &empty)),
        str![[r#"
1 object: in order

"#]]
    );
}

#[test]
fn for_github() {
    assert_data_eq!(
        drawn(|out| draw_github(out, &report())),
        str![[r#"
::error file=k8s/my app%2C 50%25.yaml,line=6,col=3,title=unknown-field::deployment.apps/api: spec.replica: unknown field "replica" <here>%0Ahint: did you mean replicas?
::warning file=k8s/my app%2C 50%25.yaml,line=14,col=3,title=latest-image::deployment.apps/api: spec.template.spec.containers[0].image: image "api" has no tag & more�lines
::notice title=skipped::no cluster was asked
3 objects: 1 error, 1 warning

"#]]
    );
}

#[test]
fn for_junit() {
    assert_data_eq!(
        drawn(|out| draw_junit(out, &report())),
        str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="kubectl-evolve" tests="20" failures="1" errors="0" skipped="0">
  <testsuite name="check" tests="20" failures="1" errors="0" skipped="0">
    <testcase classname="check" name="unknown-kind"/>
    <testcase classname="check" name="removed-api"/>
    <testcase classname="check" name="deprecated-api"/>
    <testcase classname="check" name="unknown-field">
      <failure type="unknown-field" message="A field that the object's type does not have: 1 error">k8s/my app, 50%.yaml:6:3: deployment.apps/api: spec.replica: unknown field &quot;replica&quot; &lt;here&gt; (hint: did you mean replicas?)</failure>
    </testcase>
    <testcase classname="check" name="missing-field"/>
    <testcase classname="check" name="wrong-type"/>
    <testcase classname="check" name="wrong-value"/>
    <testcase classname="check" name="out-of-range"/>
    <testcase classname="check" name="one-of"/>
    <testcase classname="check" name="bad-name"/>
    <testcase classname="check" name="duplicate-item"/>
    <testcase classname="check" name="duplicate-object"/>
    <testcase classname="check" name="object-too-large"/>
    <testcase classname="check" name="selector-mismatch"/>
    <testcase classname="check" name="service-selects-nothing"/>
    <testcase classname="check" name="port-missing"/>
    <testcase classname="check" name="volume-missing"/>
    <testcase classname="check" name="reference-missing"/>
    <testcase classname="check" name="latest-image">
      <system-out>k8s/my app, 50%.yaml:14:3: deployment.apps/api: spec.template.spec.containers[0].image: image &quot;api&quot; has no tag &amp; more�lines</system-out>
    </testcase>
    <testcase classname="check" name="secret-in-plain-text"/>
    <system-out>no cluster was asked</system-out>
  </testsuite>
</testsuites>

"#]]
    );
}

#[test]
fn for_sarif() {
    let text = drawn(|out| draw_sarif(out, &report()));
    let mut log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].take();
    assert_eq!(rules.as_array().unwrap().len(), RULES.len());
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    log["runs"][0]["tool"]["driver"]["semanticVersion"].take();
    assert_data_eq!(
        serde_json::to_string_pretty(&log).unwrap(),
        str![[r#"
{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {
          "name": "kubectl-evolve",
          "semanticVersion": null,
          "rules": null
        }
      },
      "invocations": [
        {
          "executionSuccessful": true,
          "toolExecutionNotifications": [
            {
              "level": "note",
              "message": {
                "text": "no cluster was asked"
              }
            }
          ]
        }
      ],
      "columnKind": "unicodeCodePoints",
      "results": [
        {
          "ruleId": "unknown-field",
          "level": "error",
          "message": {
            "text": "unknown field /"replica/" <here> (did you mean replicas?)"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "k8s/my%20app%2C%2050%25.yaml"
                },
                "region": {
                  "startLine": 6,
                  "startColumn": 3
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "deployment.apps/api spec.replica"
                }
              ]
            }
          ],
          "ruleIndex": 3
        },
        {
          "ruleId": "latest-image",
          "level": "warning",
          "message": {
            "text": "image /"api/" has no tag & more/nlines"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "k8s/my%20app%2C%2050%25.yaml"
                },
                "region": {
                  "startLine": 14,
                  "startColumn": 3
                }
              },
              "logicalLocations": [
                {
                  "fullyQualifiedName": "deployment.apps/api spec.template.spec.containers[0].image"
                }
              ]
            }
          ],
          "ruleIndex": 18
        }
      ]
    }
  ]
}
"#]]
    );
}
