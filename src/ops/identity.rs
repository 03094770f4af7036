//! Who runs this: for locks and for the history.

use std::path::Path;

use crate::{
    context::{Ctx, Environment},
    rules::lock::Claimant,
};

/// What CI systems call the person whose change they run.
const CI_ACTORS: [(&str, &str); 4] = [
    ("GITHUB_ACTOR", "GitHub Actions"),
    ("GITLAB_USER_LOGIN", "GitLab CI"),
    ("BUILDKITE_BUILD_CREATOR", "Buildkite"),
    ("CIRCLE_USERNAME", "CircleCI"),
];

/// User and host, or the person and the CI system: `ann@laptop`, `octocat (GitHub Actions)`.
pub async fn by(ctx: &Ctx) -> String {
    let variable = |name: &str| ctx.environment.variables.get(name).filter(|value| !value.is_empty());
    for (name, system) in CI_ACTORS {
        if let Some(actor) = variable(name) {
            return format!("{actor} ({system})");
        }
    }
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable);
    let user = user.map_or("someone", String::as_str);
    format!("{user}@{}", host(&ctx.environment).await)
}

/// This process, as one that asks for a lock.
pub async fn claimant(ctx: &Ctx, purpose: &str) -> Claimant {
    let number = std::process::id();
    Claimant {
        by: format!("{} (process {number})", by(ctx).await),
        purpose: purpose.into(),
        process: Process::read(number).map(|process| process.words()),
    }
}

async fn host(environment: &Environment) -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| environment.variables.get(name).cloned());
    let named = named.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let named = match named {
        Some(name) => Some(name),
        None => {
            let output = tokio::process::Command::new("hostname").output().await.ok();
            output.and_then(|output| String::from_utf8(output.stdout).ok())
        }
    };
    let named = named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "unknown host".into())
}

/// One process, told from every other that runs or has run. Known on Linux only.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    /// The boot of the machine, the process namespace and the user, who sees all of their own processes.
    place: String,
    number: u32,
    /// In clock ticks since the boot.
    started: String,
}

impl Process {
    /// A process that runs now.
    fn read(number: u32) -> Option<Self> {
        let folder = Path::new("/proc").join(number.to_string());
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        // The name in parentheses may hold anything; state is the 3rd field and the time of the start the 22nd.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ended = matches!(fields.first(), Some(&("Z" | "X")));
        let started = fields.get(19).filter(|_| !ended)?.to_string();
        Some(Self { place: place()?, number, started })
    }

    fn words(&self) -> String {
        format!("{} {} {}", self.place, self.number, self.started)
    }
}

fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?;
    Some(format!("{} {} {user}", boot.trim(), namespace.display()))
}

/// Whether a process, in the words of its [`Claimant`], certainly runs no more. False where that cannot be known, as
/// for a process of another machine.
pub fn is_gone(words: &str) -> bool {
    let mut parts = words.rsplitn(3, ' ');
    let (Some(_), Some(number), Some(theirs)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let Ok(number) = number.parse() else { return false };
    place().is_some_and(|here| here == theirs) && Process::read(number).is_none_or(|process| process.words() != words)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_is_gone() {
        let words = Process::read(std::process::id()).unwrap().words();
        assert!(!is_gone(&words));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let childs = format!("{} {} 1", place().unwrap(), child.id());
        child.wait().unwrap();
        assert!(is_gone(&childs));
        assert!(is_gone(&format!("{words}0")), "the number was given to another process");
    }

    #[test]
    fn nothing_is_known_of_another_machine() {
        assert!(!is_gone("another-boot pid:[1] 0 1 1"));
        assert!(!is_gone(""));
    }
}
