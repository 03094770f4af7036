//! Ports: which one a word names, where it is in a pod, and what a browser is told.

use serde_json::Value;

use super::{
    fields::{list, text},
    pods::choice,
};
use crate::{
    error::{Error, Result},
    model::ObjectRef,
};

/// A word like `8080:http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// 0 for any that is free; None for the same as the port's number.
    pub local: Option<u16>,
    pub remote: Named,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The only one there is.
    Only,
    Number(u16),
    Name(String),
}

/// A port that a Service or a container declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Empty where it has none.
    pub name: String,
    /// As its declaration has it: a Service's own number, not its pods'.
    pub number: u16,
    pub target: Target,
    /// `appProtocol`, in lower case.
    pub protocol: String,
}

/// A port of the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Number(u16),
    /// The name that the container gives it.
    Name(String),
}

impl Mapping {
    /// Reads `PORT`, `NAME`, `LOCAL:PORT`, `:PORT` or `LOCAL:NAME`.
    ///
    /// # Errors
    /// Usage, when it is none of them.
    pub fn parse(word: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("{word:?} is no port"))
                .hint("write a number or a name, as in 8080, http or 8080:http; :http takes a free local port")
        };
        let (local, remote) = match word.split_once(':') {
            None => (None, word),
            Some(("", remote)) => (Some(0), remote),
            Some((local, remote)) => (Some(local.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?), remote),
        };
        let named = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let remote = match remote.parse::<u32>() {
            Ok(number) => Named::Number(u16::try_from(number).ok().filter(|port| *port > 0).ok_or_else(wrong)?),
            Err(_) if !remote.is_empty() && named(remote) => Named::Name(remote.to_owned()),
            Err(_) => return Err(wrong()),
        };
        Ok(Self { local, remote })
    }
}

impl Port {
    fn bare(number: u16) -> Self {
        Self { name: String::new(), number, target: Target::Number(number), protocol: String::new() }
    }

    /// Where it is in a pod; None where no container names it.
    pub fn in_pod(&self, pod: &Value) -> Option<u16> {
        match &self.target {
            Target::Number(number) => Some(*number),
            Target::Name(name) => container_ports(&pod["spec"]).find(|port| port.name == *name).map(|port| port.number),
        }
    }

    /// What a person opens: a URL for what is surely HTTP, else the address alone.
    pub fn url(&self, address: &str) -> String {
        match self.scheme() {
            Some(scheme) => format!("{scheme}://{address}"),
            None => address.to_owned(),
        }
    }

    /// `http` or `https` where its name, its protocol, or its number where it has neither, say so.
    pub fn scheme(&self) -> Option<&'static str> {
        let told = [self.name.as_str(), self.protocol.as_str()];
        let speaks = |scheme: &str| told.iter().any(|word| *word == scheme || word.starts_with(&format!("{scheme}-")));
        let known = |numbers: &[u16]| told.iter().all(|word| word.is_empty()) && numbers.contains(&self.number);
        if speaks("https") || known(&[443, 8443]) {
            return Some("https");
        }
        (speaks("http") || speaks("web") || known(&[80, 3000, 5000, 8000, 8080])).then_some("http")
    }
}

/// The TCP ports that an object declares: a Service's, or those of the containers of a pod or a workload.
pub fn declared(object: &Value) -> Vec<Port> {
    if object["kind"] == "Service" {
        return list(object, "/spec/ports")
            .iter()
            .filter(is_tcp)
            .filter_map(|port| service_port(object, port))
            .collect();
    }
    let pod = match object["kind"] == "Pod" {
        true => &object["spec"],
        false => &object["spec"]["template"]["spec"],
    };
    container_ports(pod).collect()
}

/// Which port of an object is meant.
///
/// # Errors
/// Usage, with the ports that there are, when none or several are meant.
pub fn pick(object: &Value, named: &Named) -> Result<Port> {
    let (reference, ports) = (ObjectRef::of(object), declared(object));
    let is_service = object["kind"] == "Service";
    let found = match named {
        Named::Only if ports.len() == 1 => ports.first().cloned(),
        Named::Only => None,
        Named::Name(name) => ports.iter().find(|port| port.name == *name).cloned(),
        Named::Number(number) => match ports.iter().find(|port| port.number == *number) {
            Some(port) => Some(port.clone()),
            // What a container does not declare may be open all the same.
            None => (!is_service).then(|| Port::bare(*number)),
        },
    };
    found.ok_or_else(|| {
        let known: Vec<String> = ports.iter().map(in_words).collect();
        let problem = match (named, ports.is_empty()) {
            (_, true) => format!("{reference} declares no TCP port"),
            (Named::Only, false) => format!("{reference} has several ports"),
            (Named::Name(name), false) => format!("{reference} has no port {name}"),
            (Named::Number(number), false) => format!("{reference} has no port {number}"),
        };
        match (known.is_empty(), known.first()) {
            (true, _) if !is_service => Error::usage(problem).hint("name its number, as in 8080"),
            (false, Some(_)) => Error::usage(problem).hint(format!("it has {}", known.join(", "))),
            _ => Error::usage(problem),
        }
    })
}

fn in_words(port: &Port) -> String {
    match port.name.as_str() {
        "" => port.number.to_string(),
        name => format!("{name} ({})", port.number),
    }
}

fn is_tcp(port: &&Value) -> bool {
    matches!(text(port, "/protocol"), "" | "TCP")
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0)
}

fn service_port(service: &Value, port: &Value) -> Option<Port> {
    let own = number(&port["port"])?;
    let target = match &port["targetPort"] {
        // Clients of a headless Service speak to its pods at the port's own number.
        Value::Number(_) if service["spec"]["clusterIP"] == "None" => Target::Number(own),
        Value::String(name) => Target::Name(name.clone()),
        target => Target::Number(number(target).unwrap_or(own)),
    };
    let protocol = text(port, "/appProtocol").to_ascii_lowercase();
    Some(Port { name: text(port, "/name").to_owned(), number: own, target, protocol })
}

fn container_ports(pod: &Value) -> impl Iterator<Item = Port> {
    let sidecars = list(pod, "/initContainers").iter().filter(|container| container["restartPolicy"] == "Always");
    let ports = list(pod, "/containers").iter().chain(sidecars).flat_map(|container| list(container, "/ports"));
    ports.filter(is_tcp).filter_map(|port| {
        let own = number(&port["containerPort"])?;
        Some(Port { name: text(port, "/name").to_owned(), ..Port::bare(own) })
    })
}

/// Whether a pod can be connected to for a port.
pub fn reaches(port: &Port, pod: &Value) -> bool {
    choice::is_usable(pod) && port.in_pod(pod).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fields::yaml;

    fn service() -> Value {
        yaml(
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{name: http, port: 80, targetPort: web}, {name: metrics, port: 9090}, {name: dns, port: 53, protocol: UDP}]}}",
        )
    }

    #[test]
    fn a_word_names_a_port_and_perhaps_a_local_one() {
        let mapping = |word: &str| Mapping::parse(word).ok();
        let of = |local, remote| Some(Mapping { local, remote });
        assert_eq!(mapping("80"), of(None, Named::Number(80)));
        assert_eq!(mapping("8080:80"), of(Some(8080), Named::Number(80)));
        assert_eq!(mapping(":http"), of(Some(0), Named::Name("http".into())));
        assert_eq!(mapping("8080:http"), of(Some(8080), Named::Name("http".into())));
        for wrong in ["", ":", "80:", "0", "70000", "0:80", "x:80", "a b", "80:80:80"] {
            assert_eq!(mapping(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_port_of_a_service_is_found_in_its_pods() {
        let port = pick(&service(), &Named::Name("http".into())).unwrap();
        let pod = yaml(
            "{spec: {containers: [{ports: [{name: admin, containerPort: 1}, {name: web, containerPort: 8080}]}]}}",
        );
        assert_eq!((port.number, port.in_pod(&pod)), (80, Some(8080)));
        assert_eq!(port.in_pod(&yaml("{spec: {containers: [{}]}}")), None);
        assert_eq!(pick(&service(), &Named::Number(9090)).unwrap().target, Target::Number(9090));
        let mut headless = service();
        headless["spec"]["clusterIP"] = "None".into();
        headless["spec"]["ports"][1]["targetPort"] = 1.into();
        assert_eq!(pick(&headless, &Named::Number(9090)).unwrap().target, Target::Number(9090));
    }

    #[test]
    fn what_is_not_there_or_not_clear_names_what_there_is() {
        let error = pick(&service(), &Named::Only).unwrap_err();
        assert_eq!(error.message(), "service/web has several ports");
        assert_eq!(error.hints(), ["it has http (80), metrics (9090)"]);
        assert!(pick(&service(), &Named::Number(8080)).is_err());
        let pod = yaml("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{}]}}");
        assert_eq!(pick(&pod, &Named::Number(8080)).unwrap(), Port::bare(8080));
        assert_eq!(pick(&pod, &Named::Only).unwrap_err().message(), "pod/p declares no TCP port");
    }

    #[test]
    fn only_what_is_surely_http_gets_a_scheme() {
        let address = "127.0.0.1:8080";
        let port = |name: &str, protocol: &str, number| Port {
            name: name.into(),
            protocol: protocol.into(),
            ..Port::bare(number)
        };
        assert_eq!(port("http-api", "", 1).url(address), "http://127.0.0.1:8080");
        assert_eq!(port("", "https", 1).url(address), "https://127.0.0.1:8080");
        assert_eq!(port("", "", 80).url(address), "http://127.0.0.1:8080");
        assert_eq!(port("grpc", "", 8080).url(address), "127.0.0.1:8080");
        assert_eq!(port("", "", 5432).url(address), "127.0.0.1:8080");
    }

    proptest! {
        #[test]
        fn no_word_breaks_the_reader(word in "\\PC{0,12}") {
            let _ = Mapping::parse(&word);
        }

        #[test]
        fn numbers_are_read_back(local in 1..=u16::MAX, remote in 1..=u16::MAX) {
            let mapping = Mapping::parse(&format!("{local}:{remote}")).unwrap();
            prop_assert_eq!(mapping, Mapping { local: Some(local), remote: Named::Number(remote) });
        }
    }
}
