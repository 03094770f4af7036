//! CronJobs, in virtual time.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{super::tables, cluster::Cluster};
use crate::rules::fields::{list, text};

fn cron_job(spec: &str, command: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: CronJob
metadata: {{name: report}}
spec:
  schedule: '*/10 * * * *'
{spec}
  jobTemplate:
    metadata: {{labels: {{app: report}}}}
    spec:
      backoffLimit: 0
      template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: 'busybox:1.36', command: {command}}}]}}}}
"
    )
}

fn jobs(cluster: &Cluster) -> Vec<String> {
    cluster.all(tables::JOBS).iter().map(|job| text(job, "/metadata/name").to_owned()).collect()
}

fn told(cluster: &Cluster, words: &str) -> usize {
    cluster.told().iter().filter(|line| line.contains(words)).count()
}

#[test]
fn a_job_is_made_at_each_time_and_so_many_are_kept() {
    let mut cluster = Cluster::new();
    cluster.apply(&cron_job("  successfulJobsHistoryLimit: 2", "['true']"));
    cluster.until("five Jobs", |cluster| told(cluster, "CronJob SawCompletedJob: Saw completed job: report-") == 5);
    cluster.until("two are kept", |cluster| jobs(cluster).len() == 2);
    let made = cluster.get(tables::CRON_JOBS, "report");
    assert!(list(&made, "/status/active").is_empty() && made["status"]["lastSuccessfulTime"].is_string(), "{made:#}");
    let job = &cluster.all(tables::JOBS)[1];
    let scheduled = text(job, "/metadata/annotations/batch.kubernetes.io~1cronjob-scheduled-timestamp");
    assert_eq!(scheduled, text(&made, "/status/lastScheduleTime"));
    let time: jiff::Timestamp = scheduled.parse().unwrap();
    assert_eq!(text(job, "/metadata/name"), format!("report-{}", time.as_second() / 60));
    assert_eq!((time.as_second() % 600, &job["metadata"]["labels"]["app"]), (0, &json!("report")));
    assert!(told(&cluster, "CronJob SuccessfulCreate: Created job report-") >= 5);
    assert_eq!(told(&cluster, "CronJob SuccessfulDelete: Deleted job report-"), 3);
}

#[test]
fn jobs_that_fail_are_kept_by_a_limit_of_their_own() {
    let mut cluster = Cluster::new();
    cluster.apply(&cron_job("  failedJobsHistoryLimit: 0", "['false']"));
    cluster.until("a failure", |cluster| told(cluster, ", condition: Failed") == 2);
    cluster.until("none is kept", |cluster| jobs(cluster).is_empty());
    assert_eq!(cluster.get(tables::CRON_JOBS, "report")["status"].get("lastSuccessfulTime"), None);
}

/// Where Jobs pile up, when the test began decides whether there is one more.
fn is_so_many(found: usize, policy: &str, wanted: usize) -> bool {
    found == wanted || (policy == "Allow" && found == wanted + 1)
}

#[test]
fn a_job_that_still_runs_is_left_alone_replaced_or_not_minded() {
    for (policy, jobs_then, said) in [
        (
            "Forbid",
            1,
            "JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid",
        ),
        ("Replace", 1, "SuccessfulDelete: Deleted job report-"),
        ("Allow", 3, "SuccessfulCreate: Created job report-"),
    ] {
        let mut cluster = Cluster::new();
        cluster.apply(&cron_job(&format!("  concurrencyPolicy: {policy}"), "[sleep, infinity]"));
        let begin = cluster.engine.api.clock().now();
        cluster.until("half an hour", |cluster| {
            cluster.engine.api.clock().now().duration_since(begin) > SignedDuration::from_mins(31)
        });
        cluster.until("the end of the deletes", |cluster| is_so_many(jobs(cluster).len(), policy, jobs_then));
        assert!(told(&cluster, said) >= 1, "{policy}: {:#?}", cluster.told());
        let active = list(&cluster.get(tables::CRON_JOBS, "report"), "/status/active").to_vec();
        assert!(is_so_many(active.len(), policy, jobs_then), "{policy}: {active:?}");
        assert_eq!(active[0]["kind"], "Job");
    }
}

#[test]
fn one_that_is_suspended_makes_nothing_and_one_that_comes_back_makes_the_last() {
    let mut cluster = Cluster::new();
    cluster.apply(&cron_job("  suspend: true", "['true']"));
    cluster.engine.settle();
    let clock = cluster.engine.api.clock().clone();
    clock.jump_to(clock.now() + SignedDuration::from_hours(2));
    cluster.engine.settle();
    assert!(jobs(&cluster).is_empty());
    cluster.edit(tables::CRON_JOBS, "report", |object| object["spec"]["suspend"] = json!(false));
    cluster.until("one Job", |cluster| jobs(cluster).len() == 1);
    clock.jump_to(clock.now() + SignedDuration::from_hours(40));
    cluster.edit(tables::CRON_JOBS, "report", |object| object["spec"]["startingDeadlineSeconds"] = Value::Null);
    cluster.until("one for all", |cluster| told(cluster, "TooManyMissedTimes: too many missed start times") == 1);
}

#[test]
fn times_are_of_the_zone_and_one_that_nobody_knows_is_told() {
    let mut cluster = Cluster::new();
    let zoned = cron_job("  timeZone: Asia/Kolkata", "['true']").replace("*/10 * * * *", "0 9 * * *");
    cluster.apply(&zoned);
    cluster.until("a Job", |cluster| !jobs(cluster).is_empty());
    let job = &cluster.all(tables::JOBS)[0];
    let scheduled = text(job, "/metadata/annotations/batch.kubernetes.io~1cronjob-scheduled-timestamp");
    assert!(scheduled.ends_with("T09:00:00+05:30"), "{scheduled}");
}
