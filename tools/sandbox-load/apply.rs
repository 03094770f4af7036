//! Server-side applies, as many as a server takes.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use http::Request;
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::json;

const NAMESPACE: &str = "evolve-bench";

pub async fn run(count: usize, in_flight: usize) -> Result<(), Box<dyn Error>> {
    let client = Client::try_default().await?;
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    send(&client, &format!("/api/v1/namespaces/{NAMESPACE}"), space.to_string()).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (client, next) = (client.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<_, String>(());
                    }
                    let (path, body) = config_map(number);
                    send(&client, &path, body).await.map_err(|error| error.to_string())?;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    println!("{:.0}", count as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

fn config_map(number: usize) -> (String, String) {
    let name = format!("cm-{number:06}");
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "bench"}},
        "data": {"key": "a", "config.yaml": format!("server:\n  port: 8080\n  name: {name}\nlog:\n  level: info\n")},
    });
    (format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{name}"), object.to_string())
}

async fn send(client: &Client, path: &str, body: String) -> Result<(), Box<dyn Error>> {
    let request = Request::patch(format!("{path}?fieldManager=bench&force=true"))
        .header("content-type", "application/apply-patch+yaml")
        .body(Body::from(body.into_bytes()))?;
    let response = client.send(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    if status.is_success() { Ok(()) } else { Err(format!("{path}: {status}").into()) }
}
