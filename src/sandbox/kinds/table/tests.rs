use serde_json::json;

use super::*;
use crate::sandbox::catalogue;

fn resource(api_version: &str, kind: &str) -> Resource {
    catalogue::builtin().into_iter().find(|it| it.api_version() == api_version && it.kind == kind).unwrap()
}

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().unwrap()
}

#[test]
fn every_kind_has_as_many_cells_as_columns() {
    for resource in catalogue::builtin().into_iter().filter(|it| it.verbs.iter().any(|verb| verb == "list")) {
        let mut object = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}});
        crate::sandbox::kinds::default(&resource, &mut object);
        let cells = row(&resource, &object, now()).cells;
        // The age of an IPAddress has no column, on a real server too.
        let columns = columns(&resource).as_array().unwrap().len() + usize::from(resource.kind == "IPAddress");
        if resource.kind != "ComponentStatus" {
            assert_eq!(cells.len(), columns, "{} {cells:?}", resource.kind);
        }
    }
}

#[test]
fn a_pod_that_crashes_says_so_with_its_restarts() {
    let pod = json!({
        "metadata": {"name": "web", "creationTimestamp": "2026-01-01T23:50:00Z"},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "a", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"finishedAt": "2026-01-01T23:59:15Z"}}},
            {"name": "b", "ready": true, "state": {"running": {}}},
        ]},
    });
    let cells = row(&resource("v1", "Pod"), &pod, now()).cells;
    assert_eq!(cells[..5], [json!("web"), json!("1/2"), json!("CrashLoopBackOff"), json!("3 (45s ago)"), json!("10m")]);
}

#[test]
fn ages_have_at_most_two_units() {
    let cases = [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (3600, "60m"),
        (3 * 3600, "3h"),
        (5 * 3600 + 1800, "5h30m"),
        (30 * 3600, "30h"),
        (50 * 3600, "2d2h"),
        (10 * 86400, "10d"),
        (800 * 86400, "2y70d"),
    ];
    for (seconds, text) in cases {
        assert_eq!(words::span(seconds), text);
    }
}
