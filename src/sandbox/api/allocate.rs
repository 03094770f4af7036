//! What a cluster has once only: the addresses of Services, and the ports of all nodes.

use std::{collections::HashSet, net::Ipv4Addr};

use serde_json::Value;

use super::{core::Api, identity, requests::ListQuery};
use crate::sandbox::{
    kinds::{self, Allocator},
    resource::Resource,
};

/// Addresses of Services are in 10.96.0.0/16; the first is the API server's own.
const NETWORK: [u8; 2] = [10, 96];
const FIRST_PORT: u16 = 30_000;
const PORTS: u16 = 2_768;

/// What is in use when a Service is made.
#[derive(Default)]
struct Used {
    addresses: HashSet<String>,
    ports: HashSet<u16>,
}

impl Api {
    /// Gives a Service the addresses and ports that it lacks.
    pub(super) fn allocate(&self, resource: &Resource, object: &mut Value) {
        if resource.group.is_empty() && resource.plural == "services" {
            kinds::allocate(resource, object, &mut self.used());
        }
    }

    fn used(&self) -> Used {
        let mut used = Used::default();
        let Some(services) = self.resource("", "v1", "services") else { return used };
        for service in self.list(&services, None, &ListQuery::default()).unwrap_or_default().objects() {
            let spec = &service["spec"];
            used.addresses.extend(spec["clusterIP"].as_str().map(Into::into));
            let ports = spec["ports"].as_array().into_iter().flatten().filter_map(|port| port["nodePort"].as_u64());
            used.ports
                .extend(ports.chain(spec["healthCheckNodePort"].as_u64()).filter_map(|port| u16::try_from(port).ok()));
        }
        used
    }
}

impl Allocator for Used {
    fn cluster_ip(&mut self) -> Option<String> {
        let start = identity::number();
        let free = (0..=u16::MAX).map(|step| start.wrapping_add(step)).find_map(|number| {
            let [high, low] = number.to_be_bytes();
            let address = Ipv4Addr::new(NETWORK[0], NETWORK[1], high, low).to_string();
            // The first is kept for the API server, the second for name service, and the ends are no addresses.
            (number > 10 && number < u16::MAX && !self.addresses.contains(&address)).then_some(address)
        })?;
        self.addresses.insert(free.clone());
        Some(free)
    }

    fn node_port(&mut self) -> Option<u16> {
        let start = identity::number();
        let free = (0..PORTS)
            .map(|step| FIRST_PORT + start.wrapping_add(step) % PORTS)
            .find(|port| !self.ports.contains(port))?;
        self.ports.insert(free);
        Some(free)
    }
}
