//! Readers of the log, each with a place of its own.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::watch;

use super::{
    change::{Change, Table},
    objects::{Compacted, Store},
};

/// The changes of one table behind a revision, in order.
#[derive(Debug)]
pub struct Changes {
    store: Arc<Store>,
    table: Arc<Table>,
    seen: u64,
    newest: watch::Receiver<u64>,
}

impl Changes {
    /// The changes of a table that come after a revision.
    pub fn after(store: &Arc<Store>, table: &Arc<Table>, revision: u64) -> Self {
        let known = store.read().tables.get(table).map(|objects| objects.newest.subscribe());
        let newest = known.unwrap_or_else(|| store.write().tables.entry(table.clone()).or_default().newest.subscribe());
        Self { store: store.clone(), table: table.clone(), seen: revision, newest }
    }

    /// What has changed since it was last asked, at most `max` changes; empty where nothing has.
    ///
    /// # Errors
    /// The log has moved past this reader.
    pub fn take(&mut self, max: usize) -> Result<Vec<Arc<Change>>, Compacted> {
        self.newest.borrow_and_update();
        let state = self.store.read();
        let Some(objects) = state.tables.get(&self.table) else { return Ok(Vec::new()) };
        // What is older than the log matters only where this table changed in it.
        if self.seen < state.compacted && *objects.newest.borrow() > self.seen {
            return Err(Compacted { oldest: state.compacted });
        }
        let found = behind(&objects.log, self.seen, max);
        self.seen = found.last().map_or(self.seen, |change| change.revision);
        if found.len() < max {
            // Nothing of this table lies between here and the newest revision.
            self.seen = self.seen.max(state.revision);
        }
        Ok(found)
    }

    /// Returns when there may be something to take.
    pub async fn wait(&mut self) {
        // The store holds the sender as long as this reader holds the store.
        let _ = self.newest.changed().await;
    }

    /// Everything up to this revision has been taken.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}

/// The changes of all tables, in order.
#[derive(Debug)]
pub struct Subscription {
    store: Arc<Store>,
    seen: u64,
    newest: watch::Receiver<u64>,
}

impl Subscription {
    /// The changes that come after a revision (None: from now on).
    pub fn new(store: &Arc<Store>, after: Option<u64>) -> Self {
        let newest = store.newest.subscribe();
        let seen = after.unwrap_or_else(|| store.revision());
        Self { store: store.clone(), seen, newest }
    }

    /// What has changed since it was last asked; empty where nothing has.
    ///
    /// # Errors
    /// The log has moved past this reader, which has to list anew; it goes on from now.
    pub fn take(&mut self) -> Result<Vec<Arc<Change>>, Compacted> {
        self.newest.borrow_and_update();
        let state = self.store.read();
        if self.seen < state.compacted {
            self.seen = state.revision;
            return Err(Compacted { oldest: state.compacted });
        }
        let found = behind(&state.log, self.seen, usize::MAX);
        self.seen = state.revision;
        Ok(found)
    }

    /// Waits until something has changed, and takes it.
    ///
    /// # Errors
    /// As [`Subscription::take`].
    pub async fn next(&mut self) -> Result<Vec<Arc<Change>>, Compacted> {
        loop {
            let found = self.take()?;
            if !found.is_empty() {
                return Ok(found);
            }
            let _ = self.newest.changed().await;
        }
    }
}

fn behind(log: &VecDeque<Arc<Change>>, revision: u64, max: usize) -> Vec<Arc<Change>> {
    let start = log.partition_point(|change| change.revision <= revision);
    log.range(start..).take(max).cloned().collect()
}
