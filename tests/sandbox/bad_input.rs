use http::Method;
use serde_json::json;

use crate::client::{MAPS, connect, start};

#[tokio::test]
async fn paths_that_lead_nowhere_are_answered_as_the_real_server_does() {
    let cluster = start().await;
    for (path, code, reason) in [
        ("/nope", 404, ""),
        ("/apis/nope/v1/things", 404, ""),
        ("/api/v2", 404, "NotFound"),
        ("/api/v1/nope", 404, "NotFound"),
        ("/apis/apps/v1/nope", 404, "NotFound"),
        ("/api/v1/namespaces/default/configmaps/nope", 404, "NotFound"),
        ("/api/v1/namespaces/default/configmaps/a/nope", 404, "NotFound"),
        ("/api/v1/namespaces/default/nodes", 404, "NotFound"),
        ("/api/v1/namespaces/%00/configmaps/%2F", 404, "NotFound"),
    ] {
        let answer = cluster.get(path).await;
        assert_eq!((answer.code, answer.reason()), (code, reason), "{path}: {answer:?}");
    }
    assert_eq!(cluster.get("/nope").await.body, "404 page not found\n");
}

#[tokio::test]
async fn methods_that_a_resource_lacks_are_refused() {
    let cluster = start().await;
    for (method, path) in [
        (Method::POST, "/api/v1/configmaps"),
        (Method::PUT, MAPS),
        (Method::OPTIONS, MAPS),
        (Method::DELETE, "/api/v1/namespaces"),
        (Method::GET, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ] {
        let answer = cluster.send(method.clone(), path, "application/json", "{}").await;
        assert_eq!((answer.code, answer.reason()), (405, "MethodNotAllowed"), "{method} {path}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let cluster = start().await;
    let deep = "[".repeat(100_000);
    let nested = format!("{{\"data\":{}1{}}}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let json = "application/json";
    let bodies: [(&str, Vec<u8>, u16); 11] = [
        (json, b"garbage".into(), 400),
        (json, b"[]".into(), 400),
        (json, b"\"x\"".into(), 400),
        (json, b"{\"metadata\":{\"name\":\"\xff\xfe\"}}".into(), 400),
        (json, deep.into(), 400),
        (json, nested.into(), 400),
        (json, b"{\"kind\":\"Secret\",\"apiVersion\":\"v1\"}".into(), 400),
        (json, b"{} trailing".into(), 400),
        ("text/plain", b"{}".into(), 415),
        ("application/yaml", b"a: [".into(), 400),
        ("application/vnd.kubernetes.protobuf", b"k8s\0\xff\xff\xff".into(), 400),
    ];
    for (content_type, body, code) in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = cluster.send(Method::POST, MAPS, content_type, body).await;
        assert_eq!(answer.code, code, "{shown}: {answer:?}");
    }
    let answer = cluster.send(Method::PATCH, &format!("{MAPS}/a"), "application/json", "{}").await;
    assert_eq!((answer.code, answer.message()), (415, "415: Unsupported Media Type"));
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_too_large() {
    let cluster = start().await;
    let body = json!({"metadata": {"name": "large"}, "data": {"x": "x".repeat(10_000_000)}}).to_string();
    let answer = cluster.send(Method::POST, MAPS, "application/json", body).await;
    assert_eq!(answer.code, 413);
    assert_eq!(answer.message(), "Request entity too large: limit is 3145728");
    assert_eq!(cluster.get("/readyz").await.body, "ok");
}

#[tokio::test]
async fn nobody_comes_in_without_the_token() {
    let cluster = start().await;
    let wrong = cluster.sandbox.kubeconfig().replace(cluster.sandbox.token(), "wrong");
    let client = connect(&wrong).await;
    let stranger = crate::client::Cluster { client, ..cluster };
    let answer = stranger.get("/api/v1/secrets").await;
    assert_eq!((answer.code, answer.reason()), (401, "Unauthorized"));
}
