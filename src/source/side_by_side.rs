//! Work on the parts of an input, spread over the processor's cores.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::error::{Error, Result};

const MAX_WORKERS: usize = 8;

/// Does the work for each part; the results are in the order of the parts.
///
/// # Errors
/// That of the first part that failed.
pub(super) fn side_by_side<P: Sync, T: Send>(parts: &[P], work: impl Fn(&P) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let worker = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed)
            && let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(part) = parts.get(index)
        {
            let result = work(part);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((index, result));
        }
        done
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS).min(parts.len());
    let mut done: Vec<(usize, Result<T>)> = thread::scope(|scope| {
        // This thread is one of them.
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            done.extend(other.join().map_err(|_| broke_off())?);
        }
        Ok::<_, Error>(done)
    })?;
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A thread that reads panicked; it said why.
pub(super) fn broke_off() -> Error {
    Error::failed("the reading of the manifests broke off")
}
