//! The sandbox against a real API server: the same requests to both, and every difference in status, headers that
//! matter, body and watch events that `known.yaml` does not list is a failure.
//!
//! ```sh
//! EVOLVE_TEST_FIDELITY=1 KUBECONFIG=… cargo test --test fidelity
//! ```
//!
//! Best against a server without controllers (`testbed up --api`); where there are controllers, what they write is left
//! out. `EVOLVE_FIDELITY_SEED` and `EVOLVE_FIDELITY_CASES` choose what is generated, `EVOLVE_FIDELITY_ONLY` one case of it
//! or the fixed requests with that in their name; with `EVOLVE_FIDELITY_ALL` what is listed counts as a failure too.

#[cfg(test)]
mod compare;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod known;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod normal;
#[cfg(test)]
mod request;
#[cfg(test)]
mod run;
#[cfg(test)]
mod server;
#[cfg(test)]
mod watch;

#[cfg(test)]
use run::{Bench, Report};

/// The seed of what is generated when none is given.
const SEED: u64 = 1;
/// How many sequences of requests are generated when no number is given; each has about ten.
const CASES: usize = 300;

fn number<T: std::str::FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_answers_fixed_requests_as_the_real_server_does() {
    let Some(bench) = Bench::find().await else { return };
    let only = std::env::var("EVOLVE_FIDELITY_ONLY").unwrap_or_default();
    let scenarios = request::fixed().into_iter().filter(|scenario| scenario.name.contains(&only)).collect();
    let report = bench.run("fixed", scenarios, true).await;
    bench.stop().await;
    finish(&report, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_answers_generated_requests_as_the_real_server_does() {
    let Some(bench) = Bench::find().await else { return };
    let seed = number("EVOLVE_FIDELITY_SEED", SEED);
    let cases = number("EVOLVE_FIDELITY_CASES", CASES);
    let only: Option<usize> = std::env::var("EVOLVE_FIDELITY_ONLY").ok().and_then(|text| text.parse().ok());
    let wanted = (0..cases).filter(|case| only.is_none_or(|only| only == *case));
    let scenarios = wanted.map(|case| generate::scenario(seed, case)).collect();
    let report = bench.run(&format!("seed-{seed}"), scenarios, false).await;
    bench.stop().await;
    finish(&report, &format!(" of seed {seed}"));
}

/// Fails, with the shortest account of it, where something differs that is not known.
fn finish(report: &Report, of: &str) {
    println!("{} requests{of}, {} differ as listed in docs/sandbox.md", report.requests, report.known);
    report.reasons.iter().for_each(|(reason, count)| println!("{count:>6} {reason}"));
    assert!(report.differences.is_empty(), "{report}");
}

#[test]
fn every_known_difference_is_in_the_documentation() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sandbox.md")).unwrap();
    for known in known::all() {
        assert!(text.contains(&known.why), "docs/sandbox.md does not say: {}", known.why);
    }
}
