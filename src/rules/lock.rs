//! The lock of an application: a Lease, what is in it, and whose it is.
//!
//! Whether a lease has expired is judged by the API server's clock alone. The server stamps each renewal in
//! `metadata.managedFields`, so neither the holder's clock nor ours has to be right.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::model::{BrokenLock, FIELD_MANAGER, LockHolder};

/// How long a lease lasts without a renewal.
pub const LASTS: Duration = Duration::from_secs(12);
/// How often a holder renews its lease.
pub const RENEWED_EVERY: Duration = Duration::from_secs(4);
/// The server stamps whole seconds; a stamp may be this much older than the renewal was.
const STAMP_STEP: SignedDuration = SignedDuration::from_secs(1);

const PURPOSE: &str = "evolve/purpose";
/// The holder's process, where it can be told from every other one.
const PROCESS: &str = "evolve/process";
/// Who broke the lock and why, as JSON.
const BROKEN: &str = "evolve/broken";

/// Who asks for a lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimant {
    /// User, host and process, for people.
    pub by: String,
    /// What for: `deploy`.
    pub purpose: String,
    /// The process in words that no other process shares, if the system has such words.
    pub process: Option<String>,
}

/// What a Lease says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    pub uid: String,
    pub version: String,
    /// None when the lease is there and nobody holds it.
    pub holder: Option<Claimant>,
    /// By the holder's clock.
    pub since: Option<Timestamp>,
    /// By the holder's clock.
    pub renewed: Option<Timestamp>,
    /// When the server took the last renewal, by its own clock.
    pub stamped: Option<Timestamp>,
    pub lasts: Duration,
    pub broken: Option<BrokenLock>,
}

impl Lease {
    /// Reads a Lease as it is in the cluster. What is absent or not as we write it is left out.
    pub fn read(lease: &Value) -> Self {
        let metadata = &lease["metadata"];
        let spec = &lease["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let time = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let annotation = |key: &str| metadata["annotations"][key].as_str().map(str::to_owned);
        let holder = spec["holderIdentity"].as_str().filter(|holder| !holder.is_empty()).map(|by| Claimant {
            by: by.to_owned(),
            purpose: annotation(PURPOSE).unwrap_or_default(),
            process: annotation(PROCESS),
        });
        let entries = metadata["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let stamps = entries.iter().filter(|entry| entry["manager"] == FIELD_MANAGER);
        Self {
            uid: text(&metadata["uid"]),
            version: text(&metadata["resourceVersion"]),
            holder,
            since: time(&spec["acquireTime"]),
            renewed: time(&spec["renewTime"]),
            stamped: stamps.filter_map(|entry| time(&entry["time"])).max(),
            lasts: spec["leaseDurationSeconds"].as_u64().map_or(LASTS, Duration::from_secs),
            broken: annotation(BROKEN).and_then(|broken| serde_json::from_str(&broken).ok()),
        }
    }

    /// When the lease expires, by the server's clock; None when the server's stamp is missing.
    pub fn expires(&self) -> Option<Timestamp> {
        let lasts = SignedDuration::try_from(self.lasts).ok()?;
        self.stamped?.checked_add(lasts).ok()?.checked_add(STAMP_STEP).ok()
    }

    /// Whether the lease can be taken. A lease that the server has not stamped was not made by us, and is believed.
    pub fn is_free(&self, server_now: Timestamp) -> bool {
        self.holder.is_none() || self.expires().is_some_and(|expires| expires < server_now)
    }

    /// The holder for a report; times are those of the server where it has them.
    pub fn report(&self, server_now: Timestamp) -> Option<LockHolder> {
        let holder = self.holder.as_ref()?;
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        Some(LockHolder {
            by: holder.by.clone(),
            purpose: holder.purpose.clone(),
            since: text(self.since),
            renewed: text(self.stamped.or(self.renewed)),
            expires: text(self.expires()),
            expired: self.is_free(server_now),
        })
    }
}

/// The name of an application's lease.
pub fn name(application: &str) -> String {
    format!("evolve.{application}")
}

/// A Lease that a claimant holds from `since`, renewed at `now`. With `over`, it replaces the lease of that uid and
/// version, and only that.
pub fn held(application: &str, namespace: &str, claimant: &Claimant, times: Times, over: Option<&Lease>) -> Value {
    let mut lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name(application),
            "namespace": namespace,
            "labels": {"evolve/app": application},
            "annotations": {PURPOSE: claimant.purpose},
        },
        "spec": {
            "holderIdentity": claimant.by,
            "leaseDurationSeconds": LASTS.as_secs(),
            "acquireTime": micro_time(times.since),
            "renewTime": micro_time(times.now),
        },
    });
    if let Some(process) = &claimant.process {
        lease["metadata"]["annotations"][PROCESS] = process.clone().into();
    }
    if let Some(over) = over {
        lease["metadata"]["uid"] = over.uid.clone().into();
        lease["metadata"]["resourceVersion"] = over.version.clone().into();
    }
    lease
}

/// When a lease was taken and when it is renewed.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub since: Timestamp,
    pub now: Timestamp,
}

/// A Lease that nobody holds, and that says who broke it.
pub fn broken(application: &str, namespace: &str, over: &Lease, broken: &BrokenLock) -> Value {
    let nobody = Claimant::default();
    let now = broken.time.parse().unwrap_or_default();
    let mut lease = held(application, namespace, &nobody, Times { since: now, now }, Some(over));
    // Serialising four strings cannot fail; an empty annotation would read as no reason.
    lease["metadata"]["annotations"] = json!({BROKEN: serde_json::to_string(broken).unwrap_or_default()});
    lease["spec"] = json!({"leaseDurationSeconds": LASTS.as_secs()});
    lease
}

/// Kubernetes reads a MicroTime only with six digits after the point.
fn micro_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn ann() -> Claimant {
        Claimant { by: "ann@laptop (process 7)".into(), purpose: "deploy".into(), process: Some("b:1:7:9".into()) }
    }

    /// A lease as the server stores it, stamped at second 100 whatever the holder's clock says.
    fn stored() -> Value {
        let mut lease = held("shop", "shop", &ann(), Times { since: at(-5000), now: at(-4000) }, None);
        lease["metadata"]["managedFields"] = json!([
            {"manager": "kubectl-evolve", "operation": "Update", "time": at(100).to_string()},
            {"manager": "kubectl-label", "operation": "Update", "time": at(900).to_string()},
        ]);
        lease
    }

    #[test]
    fn expiry_is_judged_by_the_servers_clock() {
        let lease = Lease::read(&stored());
        assert_eq!(lease.expires(), Some(at(113)));
        assert!(!lease.is_free(at(113)));
        assert!(lease.is_free(at(114)));
    }

    #[test]
    fn what_is_written_is_read() {
        let lease = Lease::read(&stored());
        assert_eq!(lease.holder, Some(ann()));
        assert_eq!((lease.since, lease.renewed, lease.lasts), (Some(at(-5000)), Some(at(-4000)), LASTS));
        let report = lease.report(at(120)).unwrap();
        assert_eq!((report.by.as_str(), report.expired), ("ann@laptop (process 7)", true));
    }

    #[test]
    fn a_lease_without_holder_is_free_and_one_without_stamp_is_not() {
        let mut nobodys = stored();
        nobodys["spec"]["holderIdentity"] = "".into();
        assert!(Lease::read(&nobodys).is_free(at(0)));
        let mut unstamped = stored();
        unstamped["metadata"]["managedFields"] = Value::Null;
        assert!(!Lease::read(&unstamped).is_free(at(9000)));
    }

    #[test]
    fn a_broken_lease_is_free_and_says_who_and_why() {
        let by = BrokenLock {
            holder: ann().by,
            by: "bob@desk".into(),
            reason: "it hangs".into(),
            time: at(105).to_string(),
        };
        let object = broken("shop", "shop", &Lease::read(&stored()), &by);
        let lease = Lease::read(&object);
        assert!(lease.is_free(at(0)));
        assert_eq!(lease.broken, Some(by));
    }

    #[test]
    fn times_have_six_digits() {
        assert_eq!(micro_time(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
