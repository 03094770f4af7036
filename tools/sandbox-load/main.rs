//! Drives a sandbox for `benches/sandbox`: `serve FILE` starts one, writes its kubeconfig there, and runs until it is ended.

use std::{env, error::Error, fs, time::Instant};

use kubectl_evolve::sandbox::{Options, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", file] => {
            let sandbox = Sandbox::start(Options::default()).await?;
            let ready = began.elapsed();
            fs::write(file, sandbox.kubeconfig())?;
            println!("{} ready in {:.1} ms", sandbox.url(), ready.as_secs_f64() * 1e3);
            tokio::signal::ctrl_c().await?;
            sandbox.stop().await;
            Ok(())
        }
        _ => Err("usage: sandbox-load serve FILE".into()),
    }
}
