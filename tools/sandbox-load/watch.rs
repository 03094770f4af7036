//! How long an event takes to many watchers.

use std::{error::Error, time::Instant};

use http::Request;
use http_body_util::BodyExt;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use kubectl_evolve::sandbox::{At, Sandbox, api::Write};
use serde_json::json;
use tokio::sync::mpsc;

const EVENTS: usize = 11;

pub async fn run(count: usize) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(super::bare()).await?;
    let kubeconfig = Kubeconfig::from_yaml(sandbox.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let revision = sandbox.api().store().revision();
    let (seen, mut all) = mpsc::unbounded_channel();
    for _ in 0..count {
        let path = format!("/api/v1/namespaces/default/configmaps?watch=1&resourceVersion={revision}");
        let response = client.send(Request::get(path).body(Body::empty())?).await?;
        let mut body = response.into_body();
        let seen = seen.clone();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                let data = frame.into_data().unwrap_or_default();
                let events = data.iter().filter(|byte| **byte == b'\n').count();
                for _ in 0..events {
                    let _ = seen.send(());
                }
            }
        });
    }
    let resource = sandbox.api().resource("", "v1", "configmaps").ok_or("no configmaps")?;
    let at = At { resource, namespace: Some("default".into()), name: String::new() };
    let mut taken = Vec::with_capacity(EVENTS);
    for number in 0..EVENTS {
        let began = Instant::now();
        let object = json!({"metadata": {"name": format!("event-{number}")}, "data": {"x": "x".repeat(1000)}});
        sandbox.api().create(&at, object, &Write::by("bench")).map_err(|problem| problem.message)?;
        for _ in 0..count {
            all.recv().await;
        }
        taken.push(began.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    println!("{:.1}", taken[EVENTS / 2]);
    Ok(())
}
