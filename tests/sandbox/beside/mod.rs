//! What controllers and kubelets do, in a sandbox and on the real cluster at the same time: the same manifests, and then
//! the same statuses, conditions and events. With `EVOLVE_TEST_BESIDE=1` and a KUBECONFIG only, on a machine that is
//! not busy with other things.

mod cases;
mod lines;
mod run;

use std::{collections::BTreeSet, env};

use futures::{StreamExt, stream};
use kubectl_evolve::sandbox::{Options, Sandbox};

use self::{cases::Case, run::Side};

/// How many cases run at the same time, each in a namespace of its own.
const SIDE_BY_SIDE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn controllers_and_pods_do_what_those_of_a_real_cluster_do() {
    if env::var("EVOLVE_TEST_BESIDE").as_deref() != Ok("1") {
        println!("skipped: this test needs a cluster; set EVOLVE_TEST_BESIDE=1 and KUBECONFIG");
        return;
    }
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let kubeconfig = env::var("KUBECONFIG").expect("EVOLVE_TEST_BESIDE=1 needs KUBECONFIG");
    let real = Side::of(&std::fs::read_to_string(kubeconfig).unwrap()).await;
    let simulated = Side::of(sandbox.kubeconfig()).await;
    let chosen = env::var("EVOLVE_BESIDE").unwrap_or_default();
    let cases = cases::all().into_iter().filter(|case| case.name.contains(&chosen));
    let compare = async |case: Case| {
        let (real, simulated) = tokio::join!(real.play(&case), simulated.play(&case));
        let missing = real.union(&simulated).filter(|line| line.starts_with("never came"));
        let missing = missing.map(|line| format!("{}: {line}", case.name));
        missing.chain(differences(&case, &real, &simulated)).collect::<Vec<String>>()
    };
    let faults: Vec<String> =
        stream::iter(cases).map(compare).buffer_unordered(SIDE_BY_SIDE).map(stream::iter).flatten().collect().await;
    assert!(faults.is_empty(), "{} lines differ; - is of the real cluster\n{}", faults.len(), faults.join("\n"));
}

/// The lines of one side that the other has not, but for those that are known.
fn differences(case: &Case, real: &BTreeSet<String>, simulated: &BTreeSet<String>) -> Vec<String> {
    let only = |sign: char, one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
        let lines = one.difference(other).map(|line| format!("{}: {sign} {line}", case.name));
        lines.filter(|line| !cases::is_known(line)).collect()
    };
    [only('-', real, simulated), only('+', simulated, real)].concat()
}
