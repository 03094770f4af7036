//! The columns that the API server gives each kind in a table, with their descriptions.

use std::{error::Error, process::Command};

use kubectl_evolve::schema;
use serde_json::{Map, Value};

/// Where `kubectl proxy` listens: kubectl itself leaves no choice of the form of an answer.
const PROXY: &str = "http://127.0.0.1:8001";

/// Asks for one row of each kind of the table; by `apps/v1 Deployment`.
pub fn of_kinds() -> Result<Value, Box<dyn Error>> {
    let mut found = Map::new();
    for kind in &schema::builtin().kinds {
        let root = if kind.api_version.contains('/') { "apis" } else { "api" };
        let url = format!("{PROXY}/{root}/{}/{}?limit=1", kind.api_version, kind.plural);
        let accept = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io";
        let output = Command::new("curl").args(["-sS", "-H", accept, &url]).output()?;
        let table: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if let Some(columns) = table.get("columnDefinitions").filter(|columns| columns.is_array()) {
            found.insert(format!("{} {}", kind.api_version, kind.kind), columns.clone());
        }
    }
    Ok(found.into())
}
