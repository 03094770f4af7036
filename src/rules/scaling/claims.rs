//! The claims of a StatefulSet whose pods go.

use serde_json::Value;

use crate::rules::fields::{list, number, text};

/// What becomes of the claims of pods that are no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claims {
    /// They stay, with their data, and are used again when the pods come back.
    Kept(Vec<String>),
    /// The StatefulSet deletes them (`persistentVolumeClaimRetentionPolicy.whenScaled: Delete`).
    Deleted(Vec<String>),
}

/// The claims of a StatefulSet that no pod uses after scaling down; None where there are none.
pub fn left_behind(workload: &Value, from: u32, to: u32) -> Option<Claims> {
    let first = number(workload, "/spec/ordinals/start").unwrap_or(0);
    let templates = list(workload, "/spec/volumeClaimTemplates");
    let set = text(workload, "/metadata/name");
    if workload["kind"] != "StatefulSet" || templates.is_empty() || to >= from {
        return None;
    }
    let names = (to..from).flat_map(|index| {
        let claim =
            move |template: &Value| format!("{}-{set}-{}", text(template, "/metadata/name"), first + i64::from(index));
        templates.iter().map(claim)
    });
    let names = names.collect();
    Some(match text(workload, "/spec/persistentVolumeClaimRetentionPolicy/whenScaled") {
        "Delete" => Claims::Deleted(names),
        _ => Claims::Kept(names),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn the_claims_of_the_last_pods_are_left() {
        let mut set = yaml(
            "{kind: StatefulSet, metadata: {name: db}, spec: {ordinals: {start: 1}, volumeClaimTemplates: [{metadata: {name: data}}]}}",
        );
        assert_eq!(left_behind(&set, 3, 1), Some(Claims::Kept(vec!["data-db-2".into(), "data-db-3".into()])));
        assert_eq!(left_behind(&set, 1, 3), None);
        set["spec"]["persistentVolumeClaimRetentionPolicy"] = yaml("{whenScaled: Delete}");
        assert_eq!(left_behind(&set, 2, 1), Some(Claims::Deleted(vec!["data-db-2".into()])));
        assert_eq!(left_behind(&yaml("{kind: Deployment}"), 2, 1), None);
    }
}
