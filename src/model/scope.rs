//! What a command that looks at a running application is to look at.

use serde::{Deserialize, Serialize};

use crate::model::Target;

/// Which objects are meant. With neither words nor a selector: the application, or where there is none, every workload
/// of the namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopeRequest {
    /// Its namespace may be several, with commas between them.
    pub target: Target,
    pub all_namespaces: bool,
    /// A label selector.
    pub selector: Option<String>,
    /// `kind/name`, a name alone, or a regular expression between slashes.
    pub words: Vec<String>,
}
