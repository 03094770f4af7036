//! What many pods cost.

use std::{error::Error, fs};

use kubectl_evolve::sandbox::{
    At, Clock,
    api::{Api, Write},
};
use serde_json::{Value, json};

/// The size of each pod as it is stored, with its managed fields.
const BYTES: usize = 5_000;

pub fn run(count: usize) -> Result<(), Box<dyn Error>> {
    let api = Api::new(Clock::real());
    let write = Write::by("bench");
    let namespaces = api.resource("", "v1", "namespaces").ok_or("no namespaces")?;
    let at = At { resource: namespaces, namespace: None, name: String::new() };
    let refused = |problem: kubectl_evolve::sandbox::Problem| problem.message;
    api.create(&at, json!({"metadata": {"name": "default"}}), &write).map_err(refused)?;
    let pods = api.resource("", "v1", "pods").ok_or("no pods")?;
    let at = At { resource: pods, namespace: Some("default".into()), name: String::new() };
    let plain = api.create(&at, pod(0, 0), &write).map_err(refused)?;
    let filling = BYTES.saturating_sub(plain.to_string().len());
    for number in 1..count {
        api.create(&at, pod(number, filling), &write).map_err(refused)?;
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kibibytes: f64 = resident.trim().trim_end_matches(" kB").parse()?;
    println!("{:.0}", kibibytes / 1024.0);
    Ok(())
}

fn pod(number: usize, filling: usize) -> Value {
    let variables: Vec<Value> = (0..10).map(|at| json!({"name": format!("VARIABLE_{at}"), "value": "value"})).collect();
    json!({
        "metadata": {"name": format!("pod-{number:06}"), "labels": {"app": "web"},
            "annotations": {"note": "x".repeat(filling)}},
        "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1.2.3", "env": variables,
            "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}}]},
    })
}
