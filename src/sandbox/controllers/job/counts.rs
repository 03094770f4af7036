//! Which pods of a Job have ended, each counted once.
//!
//! A pod that ended is noted in `uncountedTerminatedPods`, then loses its finalizer, then is counted: whatever step a
//! write fails at, nothing is lost and nothing counted twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{
    action::View,
    cache::Entry,
    objects,
    tables::{self, Key},
};
use crate::rules::fields::{count, list, text};

pub const TRACKING: &str = "batch.kubernetes.io/job-tracking";
pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The pods of a Job.
pub struct Pods<'c> {
    pub all: Vec<(&'c Key, &'c Entry)>,
}

/// A pod has ended, well or not, or is deleted for good.
fn ended(entry: &Entry) -> Option<bool> {
    let pod = entry.pod.as_ref()?;
    match &*pod.phase {
        "Succeeded" => Some(true),
        "Failed" => Some(false),
        _ if entry.head.deleted.is_some() && is_over(&entry.object()) => Some(false),
        _ => None,
    }
}

fn is_over(pod: &Value) -> bool {
    count(pod, "/metadata/deletionGracePeriodSeconds") == 0
}

impl<'c> Pods<'c> {
    pub fn of(view: &View<'c>, job: &'c Value) -> Self {
        Self { all: view.cache.controlled(objects::uid(job), tables::PODS).collect() }
    }

    pub fn active(&self) -> impl Iterator<Item = &(&'c Key, &'c Entry)> {
        self.all.iter().filter(|(_, entry)| entry.head.deleted.is_none() && ended(entry).is_none())
    }

    pub fn terminating(&self) -> usize {
        self.all.iter().filter(|(_, entry)| entry.head.deleted.is_some() && ended(entry).is_none()).count()
    }

    pub fn ready(&self) -> usize {
        self.active().filter(|(_, entry)| entry.pod.as_ref().is_some_and(|pod| pod.ready.is_some())).count()
    }

    /// Takes ended pods into the counts of a status, and gives the pods that lose their finalizer.
    pub fn count(&self, status: &mut Value, indexed: bool) -> Vec<(Key, Value)> {
        let noted = |status: &Value, field: &str| -> Vec<Value> {
            list(status, &format!("/uncountedTerminatedPods/{field}")).to_vec()
        };
        let mut released = Vec::new();
        let mut indexes = read_indexes(text(status, "/completedIndexes"));
        for (field, well) in [("succeeded", true), ("failed", false)] {
            let before = noted(status, field);
            let mut kept = Vec::new();
            for uid in &before {
                let found = self.all.iter().find(|(_, entry)| *uid == *entry.head.uid);
                match found.filter(|(_, entry)| is_tracked(entry)) {
                    Some((key, entry)) => {
                        kept.push(uid.clone());
                        let mut pod = entry.object();
                        objects::remove_finalizer(&mut pod, TRACKING);
                        released.push(((*key).clone(), pod));
                    }
                    None => status[field] = json!(count(status, &format!("/{field}")) + 1),
                }
            }
            for (_, entry) in self.all.iter().filter(|(_, entry)| ended(entry) == Some(well) && is_tracked(entry)) {
                let uid = json!(entry.head.uid);
                if !before.contains(&uid) {
                    kept.push(uid);
                }
                if indexed && well {
                    indexes.extend(index(&entry.object()));
                }
            }
            if kept.is_empty() {
                if let Some(fields) = status["uncountedTerminatedPods"].as_object_mut() {
                    fields.shift_remove(field);
                }
            } else {
                status["uncountedTerminatedPods"][field] = json!(kept);
            }
        }
        if indexed && !indexes.is_empty() {
            status["completedIndexes"] = json!(write_indexes(&indexes));
        }
        released
    }

    /// The indexes that have a pod now.
    pub fn active_indexes(&self) -> BTreeSet<i64> {
        self.active().filter_map(|(_, entry)| index(&entry.object())).collect()
    }
}

fn is_tracked(entry: &Entry) -> bool {
    entry.head.finalizers.iter().any(|finalizer| &**finalizer == TRACKING)
}

fn index(pod: &Value) -> Option<i64> {
    objects::annotation(pod, INDEX)?.parse().ok()
}

/// Reads `1,3-5`.
pub fn read_indexes(text: &str) -> BTreeSet<i64> {
    let ranges = text.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<i64>().ok()?..=last.parse::<i64>().ok()?)
    });
    ranges.flatten().take(100_000).collect()
}

/// Writes `1,3-5`.
pub fn write_indexes(indexes: &BTreeSet<i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let written = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_written_as_ranges() {
        for text in ["", "0", "0,1", "0-2,4,7-9"] {
            assert_eq!(write_indexes(&read_indexes(text)), text);
        }
    }
}
