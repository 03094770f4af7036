//! The flags that every command takes: kubectl's own, and ours.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, ValueEnum};

use crate::cluster::ConnectOptions;
pub use crate::config::duration;

const KUBECTL: &str = "Cluster (as in kubectl)";
const OURS: &str = "General";

#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArguments {
    /// The namespace; otherwise that of evolve.yaml, then that of the context
    #[arg(short, long, global = true, value_name = "NAME", help_heading = KUBECTL)]
    pub namespace: Option<String>,
    /// The kubeconfig to use; otherwise the files in KUBECONFIG, then ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", help_heading = KUBECTL)]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context
    #[arg(long, global = true, value_name = "NAME", help_heading = KUBECTL)]
    pub context: Option<String>,
    /// The kubeconfig's cluster
    #[arg(long, global = true, value_name = "NAME", help_heading = KUBECTL, hide_short_help = true)]
    pub cluster: Option<String>,
    /// The kubeconfig's user
    #[arg(long, global = true, value_name = "NAME", help_heading = KUBECTL, hide_short_help = true)]
    pub user: Option<String>,
    /// The user to impersonate
    #[arg(long = "as", global = true, value_name = "USER", help_heading = KUBECTL, hide_short_help = true)]
    pub impersonate: Option<String>,
    /// A group to impersonate; may be given again
    #[arg(long = "as-group", global = true, value_name = "GROUP", help_heading = KUBECTL, hide_short_help = true)]
    pub impersonate_groups: Vec<String>,
    /// The URL of the API server
    #[arg(short, long, global = true, value_name = "URL", help_heading = KUBECTL, hide_short_help = true)]
    pub server: Option<String>,
    /// Do not check the server's certificate
    #[arg(long = "insecure-skip-tls-verify", global = true, help_heading = KUBECTL, hide_short_help = true)]
    pub insecure: bool,
    /// How long one request may take, such as 10s or 1m; 0 is for ever [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = seconds_or_duration, help_heading = KUBECTL)]
    pub request_timeout: Option<Duration>,
    /// Where discovery is kept between runs
    #[arg(long, global = true, value_name = "FOLDER", help_heading = KUBECTL, hide_short_help = true)]
    pub cache_dir: Option<PathBuf>,

    /// Use a sandbox instead of a cluster: one for this command, or the named one, which is kept
    #[arg(
        long, global = true, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "",
        conflicts_with_all = ["kubeconfig", "context", "cluster", "user", "server"], help_heading = OURS,
    )]
    pub sandbox: Option<String>,
    /// The configuration to use; otherwise evolve.yaml here or in a folder above
    #[arg(long, global = true, value_name = "FILE", help_heading = OURS)]
    pub config: Option<PathBuf>,
    /// The profile of the configuration, such as dev or production
    #[arg(long, global = true, value_name = "NAME", env = "EVOLVE_PROFILE", help_heading = OURS)]
    pub profile: Option<String>,
    /// The application's name; otherwise that of evolve.yaml, then that of the folder
    #[arg(long, global = true, value_name = "NAME", help_heading = OURS)]
    pub app: Option<String>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = OURS, hide_short_help = true)]
    pub color: ColorChoice,
    /// Say more, such as the number of requests
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = OURS)]
    pub verbose: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// At a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

impl GlobalArguments {
    pub fn connect_options(&self, cache: Option<PathBuf>) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: self.kubeconfig.clone(),
            inline: None,
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone(),
            impersonate: self.impersonate.clone(),
            impersonate_groups: self.impersonate_groups.clone(),
            server: self.server.clone(),
            insecure: self.insecure,
            request_timeout: self.request_timeout,
            cache: self.cache_dir.clone().or(cache),
        }
    }
}

/// Reads a duration; a bare number is in seconds.
pub fn seconds_or_duration(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).or_else(|_| duration(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_in_seconds() {
        assert_eq!(seconds_or_duration("0"), Ok(Duration::ZERO));
        assert_eq!(seconds_or_duration("5"), Ok(Duration::from_secs(5)));
        assert_eq!(seconds_or_duration("1m"), Ok(Duration::from_secs(60)));
        assert!(seconds_or_duration("-5s").is_err());
    }
}
