//! From what the user named to the objects in it.

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    folder::{is_kustomization, manifests, refuse_kustomization, unreadable},
    kustomize,
    side_by_side::{broke_off, side_by_side},
    sources::Sources,
    substitute::{Substitution, Values},
};
use crate::{
    error::{Error, Place, Result},
    web,
};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct ReadRequest {
    pub inputs: Vec<Input>,
    /// Set when `${NAME}` in the manifests is to be replaced.
    pub substitute: Option<Substitution>,
    /// The folder that relative paths start from.
    pub base: PathBuf,
}

/// One source of manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or a folder with all manifests below it.
    File(PathBuf),
    Url(String),
    Stdin,
    /// A folder with a kustomization, or the address of one.
    Kustomize(PathBuf),
}

impl Input {
    /// What an argument of `-f`, or an entry of `manifests` in the configuration, names.
    pub fn parse(argument: &str) -> Self {
        match argument {
            "-" => Self::Stdin,
            url if url.starts_with("http://") || url.starts_with("https://") => Self::Url(url.into()),
            path => Self::File(path.into()),
        }
    }
}

/// As the user knows it, without what may be secret in a URL.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Kustomize(path) => f.write_str(&web::shown(&path.display().to_string())),
            Self::Url(url) => f.write_str(&web::shown(url)),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// Reads all manifests that the request names.
///
/// # Errors
/// Usage errors, with the place where there is one, for what cannot be read or is no Kubernetes object, and when
/// nothing was found at all; an interrupted error when `cancel` is cancelled first.
pub async fn read(
    request: &ReadRequest,
    stdin: impl Read + Send + 'static,
    cancel: &CancellationToken,
) -> Result<Sources> {
    let reading = read_all(request, stdin);
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::interrupted("interrupted while reading the manifests")),
        sources = reading => sources,
    }
}

async fn read_all(request: &ReadRequest, stdin: impl Read + Send + 'static) -> Result<Sources> {
    let variables = match &request.substitute {
        Some(substitution) => Some(Arc::new(substitution.load(&request.base)?)),
        None => None,
    };
    let mut stdin = Some(stdin);
    let mut sources = Sources::default();
    for input in &request.inputs {
        let (name, base) = (input.to_string(), request.base.clone());
        let variables = variables.clone();
        sources.append(match input.clone() {
            Input::File(path) if !is_kustomization(&base.join(&path)) => {
                in_background(move || read_path(&base, &path, variables.as_deref())).await?
            }
            Input::File(ref path) | Input::Kustomize(ref path) => {
                let bytes = kustomize::build(&base, path).await?;
                in_background(move || parse(format!("{name} (kustomize)"), bytes, variables.as_deref())).await?
            }
            Input::Url(url) => {
                let bytes = web::get(&url).await?;
                in_background(move || parse(name, bytes, variables.as_deref())).await?
            }
            Input::Stdin => {
                let mut stdin = stdin.take().ok_or_else(|| Error::usage(format!("{name} can be read only once")))?;
                in_background(move || {
                    let mut bytes = Vec::new();
                    stdin.read_to_end(&mut bytes).map_err(|error| unreadable(Path::new(&name), error))?;
                    parse(name, bytes, variables.as_deref())
                })
                .await?
            }
        });
    }
    if sources.manifests.is_empty() { Err(nothing_in(&request.inputs)) } else { Ok(sources) }
}

fn nothing_in(inputs: &[Input]) -> Error {
    if inputs.is_empty() {
        return Error::usage("no manifests are named")
            .hint("name files or folders with -f, or a kustomization with -k");
    }
    let looked: Vec<_> = inputs.iter().map(ToString::to_string).collect();
    Error::usage(format!("no Kubernetes objects in {}", looked.join(", ")))
        .hint("a folder is searched for .yaml, .yml and .json files, in its folders too")
}

/// Runs `work` on a thread of its own, which nobody waits for when the reading is cancelled: a read from a terminal or
/// a pipe may never end.
async fn in_background(work: impl FnOnce() -> Result<Sources> + Send + 'static) -> Result<Sources> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("source".into())
        .spawn(move || {
            // The receiver is gone when the reading was cancelled.
            let _ = sender.send(work());
        })
        .map_err(|error| Error::failed("no thread can be started to read the manifests").because(error))?;
    receiver.await.map_err(|_| broke_off())?
}

fn read_path(base: &Path, path: &Path, variables: Option<&Values>) -> Result<Sources> {
    let whole = base.join(path);
    if !whole.is_dir() {
        refuse_kustomization(path)?;
        return read_file(&whole, path, variables);
    }
    let files = manifests(&whole)?;
    // Shown as the user began to write it.
    let shown = |file: &Path| file.strip_prefix(&whole).map_or_else(|_| file.into(), |inner| path.join(inner));
    let mut all = Sources::default();
    for sources in side_by_side(&files, |file| read_file(file, &shown(file), variables))? {
        all.append(sources);
    }
    Ok(all)
}

fn read_file(file: &Path, shown: &Path, variables: Option<&Values>) -> Result<Sources> {
    let bytes = fs::read(file).map_err(|error| unreadable(shown, error))?;
    parse(shown.display().to_string(), bytes, variables)
}

fn parse(name: String, bytes: Vec<u8>, variables: Option<&Values>) -> Result<Sources> {
    let unfit = |line: usize, message: &str| {
        Error::usage(message).at(Place { file: name.clone(), line: line as u32, column: 0 })
    };
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(unfit(0, "this is UTF-16, and manifests are UTF-8").hint("save it as UTF-8"));
    }
    if bytes.contains(&0) {
        return Err(unfit(0, "this is a binary file, not YAML or JSON"));
    }
    let content = String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        unfit(line, "this is not UTF-8 text").hint("save it as UTF-8")
    })?;
    Sources::parse_with(name, content, variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::discover;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    async fn read_in(base: &Path, inputs: Vec<Input>, stdin: &'static str) -> Result<Vec<String>> {
        let request = ReadRequest { inputs, base: base.into(), substitute: None };
        let sources = read(&request, stdin.as_bytes(), &CancellationToken::new()).await?;
        Ok(sources.manifests.iter().map(|manifest| manifest.place.to_string().replace('\\', "/")).collect())
    }

    #[tokio::test]
    async fn folders_are_read_in_order_and_only_their_manifests() {
        let files =
            ["b.yaml", "a.yml", "c.json", "sub/a.yaml", "sub/.hidden.yaml", ".git/x.yaml", "note.txt", "evolve.yaml"];
        let folder = folder(&files.map(|name| (name, POD)));
        let read = read_in(folder.path(), vec![Input::File("sub".into()), Input::File(".".into())], "").await.unwrap();
        assert_eq!(read, ["sub/a.yaml:1:1", "./a.yml:1:1", "./b.yaml:1:1", "./c.json:1:1", "./sub/a.yaml:1:1"]);
    }

    #[tokio::test]
    async fn stdin_is_read_once() {
        let base = Path::new(".");
        assert_eq!(read_in(base, vec![Input::Stdin], POD).await.unwrap(), ["standard input:1:1"]);
        let error = read_in(base, vec![Input::Stdin, Input::Stdin], POD).await.unwrap_err();
        assert_eq!(error.to_string(), "standard input can be read only once");
    }

    #[tokio::test]
    async fn a_broken_file_is_named() {
        let folder = folder(&[("m/a.yaml", POD), ("m/b.yaml", "a: ]"), ("empty/a.txt", ""), ("latin", "\u{1}")]);
        fs::write(folder.path().join("latin"), b"a: b\nc: \xff").unwrap();
        fs::write(folder.path().join("utf16"), b"\xff\xfea\0").unwrap();
        fs::write(folder.path().join("binary"), b"\x7fELF\0").unwrap();
        let table = [
            ("m", "m/b.yaml:1:4: not valid YAML"),
            ("empty", "no Kubernetes objects in empty"),
            ("none.yaml", "none.yaml does not exist"),
            ("latin", "latin:2: this is not UTF-8 text"),
            ("utf16", "utf16: this is UTF-16"),
            ("binary", "binary: this is a binary file"),
        ];
        for (name, expected) in table {
            let error = read_in(folder.path(), vec![Input::File(name.into())], "").await.unwrap_err();
            let message = error.to_string().replace('\\', "/");
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[tokio::test]
    async fn charts_and_kustomizations_in_a_folder_are_refused() {
        let folder = folder(&[("a/chart/Chart.yaml", ""), ("b/base/kustomization.yaml", "")]);
        let table = [
            ("a", "is a Helm chart"),
            ("b", "is a kustomization inside"),
            ("b/base/kustomization.yaml", "is a kustomization, not a manifest"),
        ];
        for (name, expected) in table {
            let error = read_in(folder.path(), vec![Input::File(name.into())], "").await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_in_circles_end() {
        let folder = folder(&[("m/a.yaml", POD), ("m/sub/b.yaml", POD)]);
        std::os::unix::fs::symlink("..", folder.path().join("m/sub/up")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("m/dangling.yaml")).unwrap();
        let read = read_in(folder.path(), vec![Input::File("m".into())], "").await.unwrap();
        assert_eq!(read, ["m/a.yaml:1:1", "m/sub/b.yaml:1:1"]);
    }

    #[tokio::test]
    async fn ten_thousand_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..10_000 {
            fs::write(folder.path().join(format!("{index:05}.yaml")), POD).unwrap();
        }
        let read = read_in(folder.path(), vec![Input::File(".".into())], "").await.unwrap();
        assert_eq!(read.len(), 10_000);
        assert!(read.is_sorted());
    }

    #[tokio::test]
    async fn a_cancelled_read_ends_though_its_input_does_not() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                loop {
                    thread::park();
                }
            }
        }
        let cancel = CancellationToken::new();
        let request = ReadRequest { inputs: vec![Input::Stdin], ..ReadRequest::default() };
        let reading = tokio::spawn({
            let cancel = cancel.clone();
            async move { read(&request, Endless, &cancel).await }
        });
        cancel.cancel();
        let error = reading.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Interrupted);
    }

    #[test]
    fn arguments_say_what_they_name() {
        assert_eq!(Input::parse("-"), Input::Stdin);
        assert_eq!(Input::parse("https://host/a.yaml"), Input::Url("https://host/a.yaml".into()));
        assert_eq!(Input::parse("http.yaml"), Input::File("http.yaml".into()));
    }

    #[test]
    fn a_folder_says_what_to_deploy() {
        let kustomized = folder(&[("kustomization.yaml", ""), ("k8s/a.yaml", POD)]);
        assert_eq!(discover(kustomized.path(), Path::new("")), Some(vec![Input::Kustomize(".".into())]));
        let plain = folder(&[("k8s/a.yaml", POD), ("deploy/a.yaml", POD)]);
        assert_eq!(discover(plain.path(), Path::new("")), Some(vec![Input::File("k8s".into())]));
        let from_below = discover(&plain.path().join("deploy"), Path::new(".."));
        assert_eq!(from_below, Some(vec![Input::File("../k8s".into())]));
        assert_eq!(discover(folder(&[("a.yaml", POD)]).path(), Path::new("")), None);
    }
}
