//! Volumes that no claim of the report stands for.

use serde_json::Value;

use super::claim::{bytes, said, texts};
use crate::{
    model::{StorageItem, StorageState},
    rules::{
        fields::{list, text},
        redact::Redactor,
    },
};

/// A volume as the report shows it, whose claim is not there.
pub fn volume_item(volume: &Value) -> StorageItem {
    let claim = text(volume, "/spec/claimRef/name");
    let policy = text(volume, "/spec/persistentVolumeReclaimPolicy");
    let (state, reason) = match text(volume, "/status/phase") {
        "Failed" => (StorageState::Failed, Some(text(volume, "/status/message").to_owned())),
        "Released" if policy == "Retain" => (
            StorageState::Released,
            Some(format!("its claim {claim} was deleted; its data is kept (Retain) until the volume is deleted")),
        ),
        "Released" => (StorageState::Released, Some(format!("its claim {claim} was deleted; policy {policy}"))),
        "Bound" => (StorageState::Orphaned, Some(format!("its claim {claim} is not there"))),
        "Available" => (StorageState::Available, None),
        _ => (StorageState::Pending, None),
    };
    StorageItem {
        namespace: said(text(volume, "/spec/claimRef/namespace")),
        volume: said(text(volume, "/metadata/name")),
        state,
        reason: reason.map(|reason| Redactor::default().line(&reason)),
        capacity: bytes(text(volume, "/spec/capacity/storage")),
        class: said(text(volume, "/spec/storageClassName")),
        access: texts(list(volume, "/spec/accessModes")),
        mode: said(text(volume, "/spec/volumeMode")).unwrap_or_else(|| "Filesystem".into()),
        ..StorageItem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_released_volume_says_what_becomes_of_its_data() {
        let volume = |phase: &str, policy: &str| {
            let item = volume_item(&yaml(&format!(
                "{{metadata: {{name: pv-1}}, spec: {{capacity: {{storage: 1Gi}}, persistentVolumeReclaimPolicy: {policy},
                  claimRef: {{namespace: shop, name: data}}}}, status: {{phase: {phase}, message: torn}}}}"
            )));
            (item.state, item.reason.unwrap_or_default())
        };
        let (state, reason) = volume("Released", "Retain");
        assert_eq!(state, StorageState::Released);
        assert!(reason.contains("its claim data was deleted; its data is kept (Retain)"), "{reason}");
        assert_eq!(volume("Failed", "Delete"), (StorageState::Failed, "torn".into()));
        assert_eq!(volume("Bound", "Delete").0, StorageState::Orphaned);
    }
}
