//! The terminal of the process, where a command in a pod takes it over.

use crossterm::terminal;

use crate::cluster::TerminalSize;

/// A terminal that hands every key on as it is; dropping it gives the terminal back.
pub(super) struct RawMode(());

impl RawMode {
    pub fn enter() -> std::io::Result<Self> {
        terminal::enable_raw_mode().map(|()| Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // Nothing is left to try when the terminal is gone.
        let _ = terminal::disable_raw_mode();
    }
}

/// None where it is not known.
pub(super) fn size() -> Option<TerminalSize> {
    let (width, height) = terminal::size().ok()?;
    Some(TerminalSize { width, height })
}

/// Tells the size to `told`, now and whenever it changes.
pub(super) async fn follow_size(told: tokio::sync::mpsc::Sender<TerminalSize>) {
    #[cfg(unix)]
    let changes = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change());
    #[cfg(unix)]
    let Ok(mut changes) = changes else { return std::future::pending().await };
    loop {
        if let Some(size) = size()
            && told.send(size).await.is_err()
        {
            return std::future::pending().await;
        }
        #[cfg(unix)]
        changes.recv().await;
        #[cfg(not(unix))]
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}
