//! The ports are found and listened at.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    cluster::{Cluster, ListQuery},
    context::Ctx,
    error::{Error, Result},
    model::{ForwardReport, ForwardRequest, ForwardedPort, ObjectRef},
    ops::{exec::one, scope::FORWARDED},
    rules::{
        ports::{Mapping, Named, Port, pick},
        scope,
    },
};

/// Ports that are listened at. Nobody is answered before [`Forward::serve`].
pub struct Forward {
    pub report: ForwardReport,
    pub(super) cluster: Arc<Cluster>,
    pub(super) target: ObjectRef,
    pub(super) namespace: String,
    /// The pods to connect to.
    pub(super) pods: ListQuery,
    pub(super) listeners: Vec<(TcpListener, Port)>,
}

/// Finds the target and its ports, and listens.
///
/// # Errors
/// Usage, when the target or a port is not there, and when a local port is taken.
pub async fn open(ctx: &Ctx, request: &ForwardRequest) -> Result<Forward> {
    let cluster = ctx.cluster().await?;
    let object = one(ctx, &cluster, &request.target, &request.of, FORWARDED).await?;
    let target = ObjectRef::of(&object);
    let query = scope::pods(&object).ok_or_else(|| selects_nothing(&target, &object))?;
    let mappings = match request.ports.as_slice() {
        [] => vec![Mapping { local: None, remote: Named::Only }],
        words => words.iter().map(|word| Mapping::parse(word)).collect::<Result<_>>()?,
    };
    let at: IpAddr = request
        .address
        .parse()
        .map_err(|cause| Error::usage(format!("{:?} is no IP address", request.address)).because(cause))?;
    let (mut listeners, mut ports) = (Vec::new(), Vec::new());
    for mapping in mappings {
        let port = pick(&object, &mapping.remote)?;
        let wanted = SocketAddr::new(at, mapping.local.unwrap_or(port.number));
        let listener = TcpListener::bind(wanted).await.map_err(|cause| unusable(wanted, &port, cause))?;
        let address = listener.local_addr().map_err(|cause| unusable(wanted, &port, cause))?;
        ports.push(ForwardedPort {
            url: port.url(&address.to_string()),
            local: address.port(),
            port: port.number,
            name: port.name.clone(),
        });
        listeners.push((listener, port));
    }
    Ok(Forward {
        report: ForwardReport { target: target.clone(), ports },
        cluster,
        namespace: target.namespace.clone().unwrap_or_default(),
        target,
        pods: ListQuery { labels: query.labels, fields: query.fields, ..ListQuery::default() },
        listeners,
    })
}

fn selects_nothing(target: &ObjectRef, object: &Value) -> Error {
    let error = Error::usage(format!("{target} selects no pods, so there is nothing to connect to"));
    match object["spec"]["externalName"].as_str() {
        Some(name) => error.hint(format!("it stands for {name}, which is outside the cluster")),
        None => error,
    }
}

fn unusable(address: SocketAddr, port: &Port, cause: io::Error) -> Error {
    let name = if port.name.is_empty() { port.number.to_string() } else { port.name.clone() };
    let error = match cause.kind() {
        io::ErrorKind::AddrInUse => Error::usage(format!("{address} is in use")),
        io::ErrorKind::PermissionDenied => Error::usage(format!("{address} may not be listened at by this user")),
        _ => Error::usage(format!("{address} cannot be listened at")),
    };
    error.because(cause).hint(format!("`:{name}` takes a free port, `LOCAL:{name}` one that you choose"))
}
