//! Conflicts of an apply, in the words of the real server (`managedfields/internal/conflict.go`).

/// A field that someone else owns with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// Who, as messages name them: `"kubectl-client-side-apply" using apps/v1`.
    pub manager: String,
    /// `.spec.replicas`
    pub field: String,
}

/// Why an apply was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyFailure {
    /// 409, reason `Conflict`; each conflict is a cause `FieldManagerConflict`.
    Conflicts(Vec<FieldConflict>),
    /// 400, reason `BadRequest`.
    Refused(String),
    /// A bare 500 without a reason: the real server answers so where an object does not have the form of its type.
    Failed(String),
}

/// The message of all conflicts together.
pub fn conflicts_message(conflicts: &[FieldConflict]) -> String {
    if let [one] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", one.manager, one.field);
    }
    let mut lines = Vec::new();
    for same in conflicts.chunk_by(|a, b| a.manager == b.manager) {
        lines.extend(same.first().map(|first| format!("conflicts with {}:", first.manager)));
        lines.extend(same.iter().map(|conflict| format!("- {}", conflict.field)));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}
