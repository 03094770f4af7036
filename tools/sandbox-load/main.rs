//! Drives sandboxes and API servers for `benches/sandbox`.

mod apply;
mod pods;
mod watch;

use std::{env, error::Error, fs, time::Instant};

use kubectl_evolve::sandbox::{Options, Sandbox};

const USAGE: &str = "usage: sandbox-load ready | serve FILE | apply COUNT IN_FLIGHT | pods COUNT | watch COUNT
  ready   starts sandboxes, and prints the milliseconds until one answers
  serve   starts a sandbox without controllers, and writes its kubeconfig to FILE
  apply   applies ConfigMaps on the server of KUBECONFIG, and prints applies a second
  pods    stores pods of 5 KB in a sandbox, and prints MiB of memory
  watch   watches by so many clients, and prints the milliseconds until an event is with all of them";

fn bare() -> Options {
    Options { bare: true, ..Options::default() }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ready"] => {
            let began = Instant::now();
            let sandbox = Sandbox::start(Options::default()).await?;
            println!("{:.1}", began.elapsed().as_secs_f64() * 1e3);
            sandbox.stop().await?;
            Ok(())
        }
        ["serve", file] => {
            let sandbox = Sandbox::start(bare()).await?;
            fs::write(file, sandbox.kubeconfig())?;
            tokio::signal::ctrl_c().await?;
            sandbox.stop().await?;
            Ok(())
        }
        ["apply", count, in_flight] => apply::run(count.parse()?, in_flight.parse()?).await,
        ["pods", count] => pods::run(count.parse()?),
        ["watch", count] => watch::run(count.parse()?).await,
        _ => Err(USAGE.into()),
    }
}
