//! Which container of a pod is a PostgreSQL.

use serde_json::Value;

use crate::rules::fields::{list, text};

/// The port of PostgreSQL.
const PORT: u16 = 5432;
/// Parts of the names of images that hold a PostgreSQL server, by the last step of the name.
const IMAGES: [&str; 6] = ["postgres", "postgresql", "postgis", "timescaledb", "pgvector", "spilo"];

/// A PostgreSQL server in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    pub container: String,
    pub image: String,
    pub port: u16,
}

/// The container of a pod that is a PostgreSQL server: by its image, else by its environment.
pub fn postgres(pod: &Value) -> Option<Postgres> {
    let containers = list(pod, "/spec/containers");
    let by_image = containers.iter().find(|container| is_image(text(container, "/image")));
    let by_variable = || {
        let names = |container: &&Value| {
            list(container, "/env").iter().any(|variable| matches!(text(variable, "/name"), "POSTGRES_DB" | "PGDATA"))
                && list(container, "/ports").iter().any(|port| port["containerPort"] == PORT)
        };
        containers.iter().find(names)
    };
    let container = by_image.or_else(by_variable)?;
    let ports = list(container, "/ports").iter();
    let variable = list(container, "/env").iter().find(|variable| text(variable, "/name") == "PGPORT");
    let port = variable
        .and_then(|variable| text(variable, "/value").parse().ok())
        .or_else(|| {
            let mut named =
                ports.clone().filter(|port| port["containerPort"] == PORT || text(port, "/name").contains("postgres"));
            named.next().and_then(|port| port["containerPort"].as_u64()).and_then(|port| u16::try_from(port).ok())
        })
        .unwrap_or(PORT);
    Some(Postgres { container: text(container, "/name").into(), image: text(container, "/image").into(), port })
}

/// Whether an image is a server's, and no exporter's or client's beside it.
fn is_image(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split(['@', ':']).next().unwrap_or(name);
    IMAGES.contains(&name) || name.starts_with("postgresql-") && !name.contains("exporter") && !name.contains("client")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn the_server_is_found_and_its_exporter_is_not() {
        let pod = yaml(
            "{spec: {containers: [{name: metrics, image: quay.io/prometheuscommunity/postgres-exporter:1},
              {name: server, image: 'registry.example:5000/library/postgres:16@sha256:aa', ports: [{name: postgresql, containerPort: 5433}]}]}}",
        );
        let found = postgres(&pod).unwrap();
        assert_eq!((found.container.as_str(), found.port), ("server", 5433));
        assert_eq!(postgres(&yaml("{spec: {containers: [{name: a, image: redis:7}]}}")), None);
        let own = yaml(
            "{spec: {containers: [{name: db, image: 'shop/db:1', env: [{name: POSTGRES_DB, value: shop}], ports: [{containerPort: 5432}]}]}}",
        );
        assert_eq!(postgres(&own).unwrap().container, "db");
    }
}
