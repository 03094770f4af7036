//! What follows from a history: which revision is the current one, which one to go back to, which ones to forget.
//!
//! Revisions come oldest first.

use crate::model::{Outcome, RevisionSummary};

/// The label of a record of a revision; its value is the number.
pub const REVISION: &str = "evolve/revision";
/// The cause of the revision that `delete` leaves, which holds no manifests.
pub const DELETE: &str = "delete";

/// Says of each pending revision whether it is running: only the newest can be, and only while the lock is held.
pub fn settle(revisions: &mut [RevisionSummary], lock_is_held: bool) {
    let newest = revisions.iter().map(|revision| revision.number).max();
    for revision in revisions {
        let runs = lock_is_held && Some(revision.number) == newest;
        if revision.outcome == Outcome::Pending && !runs {
            revision.outcome = Outcome::Interrupted;
        }
    }
}

/// The newest revision that was deployed with success. There is none since the application was deleted.
pub fn newest_deployed(revisions: &[RevisionSummary]) -> Option<u64> {
    let since = revisions.iter().rev().take_while(|revision| revision.cause != DELETE);
    deployed(since)
}

/// The revision whose manifests a deploy of a part completes: the newest deployed one, else the newest one that was
/// begun. There is none since the application was deleted.
pub fn newest_whole(revisions: &[RevisionSummary]) -> Option<u64> {
    let begun = || revisions.last().filter(|revision| revision.cause != DELETE).map(|revision| revision.number);
    newest_deployed(revisions).or_else(begun)
}

fn deployed<'r>(mut newest_first: impl Iterator<Item = &'r RevisionSummary>) -> Option<u64> {
    newest_first.find(|revision| revision.outcome == Outcome::Deployed).map(|revision| revision.number)
}

/// The revision that the cluster holds: the newest, unless it failed and the one before was put back.
pub fn current(revisions: &[RevisionSummary]) -> Option<u64> {
    let put_back = |revision: &&RevisionSummary| revision.outcome == Outcome::RolledBack;
    let newest = revisions.last()?;
    if put_back(&newest) { newest_deployed(revisions) } else { Some(newest.number) }
}

/// Where `rollback` goes by default: the newest deployed revision before the current one that is not the same again.
/// After a delete, that brings the application back.
pub fn rollback_target(revisions: &[RevisionSummary]) -> Option<u64> {
    let content = |revision: &RevisionSummary| revision.restores.unwrap_or(revision.number);
    let current = current(revisions)?;
    let current = revisions.iter().find(|revision| revision.number == current)?;
    let is_other = |revision: &&RevisionSummary| {
        revision.number < current.number && revision.cause != DELETE && content(revision) != content(current)
    };
    deployed(revisions.iter().rev().filter(is_other))
}

/// Whose evidence `evidence` shows by default: the newest that failed or was put back.
pub fn newest_failed(revisions: &[RevisionSummary]) -> Option<u64> {
    let failed = |revision: &&RevisionSummary| matches!(revision.outcome, Outcome::Failed | Outcome::RolledBack);
    revisions.iter().rev().find(failed).map(|revision| revision.number)
}

/// The revisions to forget so that `limit` stay. The newest deployed one always stays.
pub fn surplus(revisions: &[RevisionSummary], limit: usize) -> Vec<u64> {
    let deployed = deployed(revisions.iter().rev().filter(|revision| revision.cause != DELETE));
    let old = revisions.len().saturating_sub(limit.max(1));
    let oldest = revisions.iter().take(old).map(|revision| revision.number);
    oldest.filter(|number| Some(*number) != deployed).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        Outcome::{Deployed, Failed, Interrupted, Pending, RolledBack},
        *,
    };

    fn history(outcomes: &[Outcome]) -> Vec<RevisionSummary> {
        let summary = |(number, outcome)| RevisionSummary { number, outcome, ..RevisionSummary::default() };
        (1..).zip(outcomes.iter().copied()).map(summary).collect()
    }

    #[test]
    fn a_pending_revision_runs_only_under_the_lock() {
        let outcomes = |lock_is_held: bool| {
            let mut revisions = history(&[Pending, Deployed, Pending]);
            settle(&mut revisions, lock_is_held);
            revisions.iter().map(|revision| revision.outcome).collect::<Vec<_>>()
        };
        assert_eq!(outcomes(true), [Interrupted, Deployed, Pending]);
        assert_eq!(outcomes(false), [Interrupted, Deployed, Interrupted]);
    }

    #[test]
    fn rollback_goes_to_the_newest_success_before_the_current() {
        assert_eq!(rollback_target(&history(&[Deployed, Deployed])), Some(1));
        assert_eq!(rollback_target(&history(&[Deployed, Deployed, Failed])), Some(2), "what failed is in the cluster");
        assert_eq!(rollback_target(&history(&[Deployed, Interrupted, Deployed])), Some(1));
        assert_eq!(rollback_target(&history(&[Deployed, Deployed, RolledBack])), Some(1), "2 was put back already");
        assert_eq!(rollback_target(&history(&[Deployed])), None);
        assert_eq!(rollback_target(&history(&[Failed, Failed])), None);
        assert_eq!(rollback_target(&[]), None);
    }

    #[test]
    fn rollback_does_not_go_to_what_is_there_already() {
        let mut revisions = history(&[Deployed, Deployed, RolledBack, Deployed]);
        revisions[3].restores = Some(2);
        assert_eq!(rollback_target(&revisions), Some(1), "4 put 2 back after 3 had failed");
        let mut revisions = history(&[Deployed, Deployed, Deployed]);
        revisions[2].restores = Some(1);
        assert_eq!(rollback_target(&revisions), Some(2), "again is forth");
    }

    #[test]
    fn a_delete_is_gone_back_from_and_never_to() {
        let mut revisions = history(&[Deployed, Deployed, Deployed]);
        revisions[2].cause = DELETE.into();
        assert_eq!(newest_deployed(&revisions), None, "a deploy that fails now has nothing to go back to");
        assert_eq!(rollback_target(&revisions), Some(2));
        assert_eq!(surplus(&revisions, 1), [1]);
        revisions.extend(history(&[Deployed; 4]).pop());
        assert_eq!((newest_deployed(&revisions), rollback_target(&revisions)), (Some(4), Some(2)));
    }

    #[test]
    fn evidence_is_that_of_the_newest_failure() {
        assert_eq!(newest_failed(&history(&[Failed, RolledBack, Deployed])), Some(2));
        assert_eq!(newest_failed(&history(&[Deployed, Interrupted])), None);
    }

    #[test]
    fn the_oldest_are_forgotten_but_never_the_newest_success() {
        assert_eq!(surplus(&history(&[Deployed, Deployed, Deployed]), 2), [1]);
        assert_eq!(surplus(&history(&[Deployed, Failed, Failed, Failed]), 2), [2]);
        assert_eq!(surplus(&history(&[Deployed, Deployed]), 10), [0; 0]);
        assert_eq!(surplus(&history(&[Failed, Deployed]), 0), [1]);
    }
}
