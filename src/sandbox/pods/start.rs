//! How a container gets to run: its image, its configuration, its start.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    behaviour::{Exit, Line, PullError, Span},
    command, config, image,
    logs::Script,
    run::{Step, back_off},
    state::{Running, State},
};
use crate::{
    rules::fields::text,
    sandbox::controllers::objects::{self, after},
};

/// How long a pull takes that nothing is said of.
const PULL: Duration = Duration::from_millis(300);
/// What the images of the sandbox weigh.
const IMAGE_SIZE: u64 = 4_194_304;
/// How long after a failed pull it is called back-off.
const BACKS_OFF: SignedDuration = SignedDuration::from_secs(3);
/// How long until a configuration is read again.
const RETRY: i64 = 12;

impl Step<'_> {
    /// A container begins: with its image.
    pub fn begin(&mut self, at: usize) -> bool {
        let container = self.container(at);
        let image = text(container, "/image");
        if image::full(image).is_none() {
            let message = image::invalid(image);
            self.tell(Some(at), true, "InspectFailed", message.clone());
            self.tell(Some(at), true, "Failed", "Error: InvalidImageName".into());
            return self.fail_pull(at, "InvalidImageName", message);
        }
        let is_present = self.is_present(image);
        match text(container, "/imagePullPolicy") {
            "Never" if !is_present && self.pull_error(at).is_some() => {
                let message = format!("Container image \"{image}\" is not present with pull policy of Never");
                self.tell(Some(at), true, "ErrImageNeverPull", message.clone());
                self.tell(Some(at), true, "Failed", "Error: ErrImageNeverPull".into());
                self.fail_pull(at, "ErrImageNeverPull", message)
            }
            "Always" => self.pull(at),
            "Never" => self.use_present(at),
            _ if is_present => self.use_present(at),
            _ => self.pull(at),
        }
    }

    fn use_present(&mut self, at: usize) -> bool {
        let image = text(self.container(at), "/image");
        self.tell(Some(at), false, "Pulled", format!("Container image \"{image}\" already present on machine"));
        self.start(at)
    }

    fn is_present(&self, image: &str) -> bool {
        self.present.contains(&(text(self.pod, "/spec/nodeName").to_owned(), image.to_owned()))
    }

    fn pull_error(&self, at: usize) -> Option<PullError> {
        let told = self.run.containers[at].behaviour.pull.as_ref();
        let missing = image::fault(text(self.container(at), "/image"));
        told.and_then(|pull| pull.error).or(if told.is_some() { None } else { missing })
    }

    fn pull(&mut self, at: usize) -> bool {
        let image = text(self.container(at), "/image");
        self.tell(Some(at), false, "Pulling", format!("Pulling image \"{image}\""));
        let until = self.now().checked_add(self.pull_time(at)).unwrap_or(self.now());
        let before = match &self.run.containers[at].state {
            State::Unpulled { reason, message, .. } => Some((*reason, message.clone())),
            _ => None,
        };
        self.run.containers[at].state = State::Pulling { until, before };
        true
    }

    fn pull_time(&self, at: usize) -> Duration {
        let told = self.run.containers[at].behaviour.pull.as_ref().and_then(|pull| pull.time);
        told.map_or(PULL, |time| time.0)
    }

    /// A pull has ended, well or not.
    pub fn pulled(&mut self, at: usize) -> bool {
        let image = text(self.container(at), "/image");
        if let Some(error) = self.pull_error(at) {
            let message = image::failure(error, image);
            self.tell(Some(at), true, "Failed", format!("Failed to pull image \"{image}\": {message}"));
            self.tell(Some(at), true, "Failed", "Error: ErrImagePull".into());
            return self.fail_pull(at, "ErrImagePull", message);
        }
        let took = format!("{}ms", self.pull_time(at).as_millis());
        let message = format!(
            "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {IMAGE_SIZE} bytes."
        );
        self.tell(Some(at), false, "Pulled", message);
        self.present.insert((text(self.pod, "/spec/nodeName").to_owned(), image.to_owned()));
        self.start(at)
    }

    fn fail_pull(&mut self, at: usize, reason: &'static str, message: String) -> bool {
        let now = self.now();
        let container = &mut self.run.containers[at];
        container.pull_failures += 1;
        let retry = after(now, back_off(container.pull_failures));
        let backs_off = if reason == "ErrImagePull" { now.checked_add(BACKS_OFF).unwrap_or(now) } else { retry };
        container.state = State::Unpulled { reason, message, backs_off, retry };
        true
    }

    /// An image that could not be pulled: called back-off after a while, and tried again.
    pub fn unpulled(&mut self, at: usize) -> bool {
        let State::Unpulled { reason, message, backs_off, retry } = &self.run.containers[at].state else {
            return false;
        };
        let (reason, backs_off, retry, message) = (*reason, *backs_off, *retry, message.clone());
        if retry <= self.now() {
            return self.begin(at);
        }
        if reason == "ErrImagePull" && backs_off <= self.now() {
            let image = text(self.container(at), "/image");
            let told = format!("Back-off pulling image \"{image}\"");
            self.tell(Some(at), false, "BackOff", told.clone());
            self.tell(Some(at), true, "Failed", "Error: ImagePullBackOff".into());
            let message = format!("{told}: ErrImagePull: {message}");
            self.run.containers[at].state =
                State::Unpulled { reason: "ImagePullBackOff", message, backs_off: retry, retry };
            return true;
        }
        self.wake(if reason == "ErrImagePull" { backs_off } else { retry });
        false
    }

    /// A container with its image starts, if its configuration is there.
    pub fn start(&mut self, at: usize) -> bool {
        let container = self.container(at);
        if matches!(self.run.containers[at].state, State::Misconfigured { .. }) {
            let image = text(container, "/image");
            self.tell(Some(at), false, "Pulled", format!("Container image \"{image}\" already present on machine"));
        }
        let variables = match config::variables(self.view.cache, objects::namespace(self.pod), container) {
            Ok(variables) => variables,
            Err(message) => {
                self.tell(Some(at), true, "Failed", format!("Error: {message}"));
                let retry = after(self.now(), RETRY);
                self.run.containers[at].state = State::Misconfigured { message, retry };
                return true;
            }
        };
        let name = self.run.containers[at].name.clone();
        self.tell(Some(at), false, "Created", format!("Created container: {name}"));
        self.tell(Some(at), false, "Started", format!("Started container {name}"));
        let since = self.now();
        let script = Arc::new(Script { lines: self.lines(at, &variables) });
        self.logs.begin(self.uid(), &name, since, &script);
        let run = &mut self.run.containers[at];
        run.pull_failures = 0;
        run.state = State::Running(Running {
            since,
            variables,
            started: false,
            ready: false,
            unhealthy: false,
            checked: false,
        });
        true
    }

    /// What the container writes: what its behaviour says, or its command.
    pub fn lines(&self, at: usize, variables: &HashMap<String, String>) -> Vec<Line> {
        let told = &self.run.containers[at].behaviour;
        if !told.logs.is_empty() || told.exit.is_some() {
            return told.logs.clone();
        }
        command::course(self.container(at), variables).map(|course| course.lines).unwrap_or_default()
    }

    /// How the container ends by itself, and when.
    pub fn exit(&self, at: usize, since: Timestamp) -> Option<(Timestamp, Exit)> {
        let run = &self.run.containers[at];
        let container = self.container(at);
        let told = run.behaviour.exit.clone().filter(|exit| exit.times.is_none_or(|times| run.restarts < times));
        let exit = match told {
            Some(exit) => exit,
            None if run.behaviour.exit.is_some() || run.behaviour.startup.is_some() => self.usual_exit(at)?,
            None => match run.running().and_then(|running| command::course(container, &running.variables)) {
                Some(course) => course.exit?,
                None => self.usual_exit(at)?,
            },
        };
        let when = since.checked_add(exit.after.0).unwrap_or(Timestamp::MAX);
        Some((when, exit))
    }

    /// Init containers and pods that are to end do so well; servers do not end.
    fn usual_exit(&self, at: usize) -> Option<Exit> {
        let run = &self.run.containers[at];
        if run.sidecar || self.serves(at) {
            return None;
        }
        let after = if run.step { Duration::from_millis(200) } else { Duration::from_millis(800) };
        Some(Exit { after: Span(after), ..Exit::default() })
    }

    fn serves(&self, at: usize) -> bool {
        !self.run.containers[at].step && text(self.pod, "/spec/restartPolicy") == "Always"
    }
}
