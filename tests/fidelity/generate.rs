//! Sequences of requests by chance, from the kinds of `kinds.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    mutate::{Chance, lay_over},
    request::{Request, Scenario, long_accept, long_type},
};

/// A kind to try, from `kinds.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// Where its objects are.
    at: String,
    object: Value,
    /// What may be laid over it.
    #[serde(default)]
    more: Vec<Value>,
    /// What its rules refuse.
    #[serde(default)]
    wrong: Vec<Value>,
    #[serde(default)]
    scale: bool,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| serde_yaml::from_str(include_str!("kinds.yaml")).unwrap());

/// A sequence: one object made in one of the ways, then some ten requests on it, then it is deleted.
pub fn scenario(seed: u64, case: usize) -> Scenario {
    let mut chance = Chance::new(seed, case);
    let kind = &KINDS[case % KINDS.len()];
    let name = format!("f{case}");
    let mut maker = Maker { kind, name: name.clone(), case, chance: &mut chance };
    let mut requests = vec![maker.create()];
    for _ in 0..4 + maker.chance.below(8) {
        requests.push(maker.next());
    }
    requests.push(Request::new("GET", maker.path("")));
    requests.push(maker.delete(false));
    requests.push(Request::new("GET", maker.path("")));
    // What finalizers hold goes too: the next run makes it anew.
    let free = Request::new("PATCH", maker.path("")).content_type(long_type("merge"));
    requests.push(free.body(&json!({"metadata": {"finalizers": null}})));
    let watched = maker.chance.one_in(10).then(|| format!("{}?labelSelector=case%3D{case}", kind.at));
    Scenario { name: format!("case {case}"), requests, watched }
}

struct Maker<'a> {
    kind: &'static Kind,
    name: String,
    case: usize,
    chance: &'a mut Chance,
}

impl Maker<'_> {
    fn path(&self, query: &str) -> String {
        format!("{}/{}{query}", self.kind.at, self.name)
    }

    /// An object with some of what may be laid over it, and seldom something wrong.
    fn object(&mut self, wrong_one_in: usize) -> Value {
        let mut object = self.kind.object.clone();
        lay_over(&mut object, &json!({"metadata": {"name": self.name, "labels": {"case": self.case.to_string()}}}));
        for more in &self.kind.more {
            if self.chance.one_in(4) {
                lay_over(&mut object, more);
            }
        }
        if self.chance.one_in(4) {
            lay_over(&mut object, &json!({"metadata": {"annotations": {"note": "x"}, "labels": {"tier": "back"}}}));
        }
        if self.chance.one_in(wrong_one_in) {
            lay_over(&mut object, &self.wrong());
        }
        object
    }

    /// Something that the server refuses, or warns of.
    fn wrong(&mut self) -> Value {
        const ANY: [&str; 14] = [
            r#"{"spec": {"frob": 1}}"#,
            r#"{"frob": {"a": 1}}"#,
            r#"{"metadata": {"labels": {"a b": "c"}}}"#,
            r#"{"metadata": {"labels": {"a": "b c"}}}"#,
            r#"{"metadata": {"labels": {"a": 1}}}"#,
            r#"{"metadata": {"annotations": {"a b": "c"}}}"#,
            r#"{"metadata": {"finalizers": ["not qualified"]}}"#,
            r#"{"metadata": {"frob": 1}}"#,
            r#"{"metadata": {"ownerReferences": [{"kind": "A", "name": "b"}]}}"#,
            r#"{"metadata": {"namespace": "elsewhere"}}"#,
            r#"{"apiVersion": "frob/v9"}"#,
            r#"{"kind": "Frob"}"#,
            r#"{"metadata": {"name": "Bad_Name"}}"#,
            r#"{"metadata": {"labels": "none"}}"#,
        ];
        if self.kind.wrong.is_empty() || self.chance.one_in(3) {
            return serde_json::from_str(self.chance.pick(&ANY)).unwrap();
        }
        self.chance.pick(&self.kind.wrong)
    }

    fn options(&mut self) -> String {
        let mut options = Vec::new();
        if self.chance.one_in(3) {
            options.push(
                (*self.chance.pick(&["fieldValidation=Strict", "fieldValidation=Warn", "fieldValidation=Ignore"]))
                    .to_owned(),
            );
        }
        if self.chance.one_in(8) {
            options.push("dryRun=All".into());
        }
        if self.chance.one_in(3) {
            options.push(format!("fieldManager=m{}", self.chance.below(3)));
        }
        if self.chance.one_in(60) {
            options.push(
                self.chance.pick(&["fieldValidation=Frob", "dryRun=Some", "fieldManager=%00", "limit=x"]).to_owned(),
            );
        }
        if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) }
    }

    fn create(&mut self) -> Request {
        if self.chance.one_in(4) {
            return self.apply();
        }
        let object = self.object(12);
        let options = self.options();
        Request::new("POST", format!("{}{options}", self.kind.at)).body(&object)
    }

    fn next(&mut self) -> Request {
        match self.chance.below(16) {
            0 => self.get(),
            1 => self.list(),
            2 | 3 => self.put(),
            4 | 5 => self.patch("merge"),
            6 | 7 => self.patch("strategic"),
            8 => self.json_patch(),
            9..=11 => self.apply(),
            12 => self.subresource(),
            13 => self.create(),
            14 => self.delete(true),
            _ => self.odd(),
        }
    }

    fn get(&mut self) -> Request {
        let accept = long_accept(self.chance.pick(&["application/json", "table", "metadata"]));
        Request::new("GET", self.path("")).accept(accept)
    }

    fn list(&mut self) -> Request {
        let case = self.case;
        let selectors = [
            format!("labelSelector=case%3D{case}"),
            format!("labelSelector=case%3D{case}%2Ctier"),
            format!("labelSelector=case%3D{case}%2C!tier"),
            format!("labelSelector=case%20in%20({case}%2Cx)&limit=1"),
            format!("labelSelector=case%3D{case}&fieldSelector=metadata.name%3Df{case}"),
            format!("labelSelector=case%3D{case}&fieldSelector=metadata.name!%3Df{case}"),
            format!("labelSelector=case%3D{case}&resourceVersion=0"),
            "labelSelector=a%20b".into(),
            "labelSelector=a%3Db%20c".into(),
            "fieldSelector=spec.frob%3Dx".into(),
            "fieldSelector=frob".into(),
            format!("labelSelector=case%3D{case}&resourceVersionMatch=Exact"),
            format!("labelSelector=case%3D{case}&limit=-1"),
        ];
        let selector = self.chance.pick(&selectors);
        let accept = long_accept(self.chance.pick(&["application/json", "application/json", "table", "metadata list"]));
        Request::new("GET", format!("{}?{selector}", self.kind.at)).accept(accept)
    }

    fn put(&mut self) -> Request {
        let mut object = self.object(6);
        match self.chance.below(8) {
            0..=2 => lay_over(&mut object, &json!({"metadata": {"resourceVersion": format!("{{rv:{}}}", self.name)}})),
            3 => lay_over(&mut object, &json!({"metadata": {"resourceVersion": "1"}})),
            4 => lay_over(&mut object, &json!({"metadata": {"uid": "0a7b5f8c-1111-2222-3333-444455556666"}})),
            5 => lay_over(&mut object, &json!({"metadata": {"managedFields": []}})),
            _ => {}
        }
        let options = self.options();
        Request::new("PUT", self.path(&options)).body(&object)
    }

    /// A piece of what may be there, or its removal.
    fn piece(&mut self) -> Value {
        let any = [
            json!({"metadata": {"labels": {"x": "y"}}}),
            json!({"metadata": {"labels": {"tier": null}}}),
            json!({"metadata": {"annotations": {"note": "z", "more": "w"}}}),
            json!({"metadata": {"annotations": null}}),
            json!({"metadata": {"finalizers": null}}),
            json!({"metadata": {"managedFields": [{}]}}),
            json!({}),
        ];
        match self.chance.below(8) {
            0 => self.wrong(),
            1..=4 if !self.kind.more.is_empty() => self.chance.pick(&self.kind.more),
            _ => self.chance.pick(&any),
        }
    }

    fn patch(&mut self, how: &str) -> Request {
        let piece = self.piece();
        let options = self.options();
        Request::new("PATCH", self.path(&options)).content_type(long_type(how)).body(&piece)
    }

    fn json_patch(&mut self) -> Request {
        let operations = [
            json!({"op": "add", "path": "/metadata/labels/x", "value": "z"}),
            json!({"op": "remove", "path": "/metadata/labels/tier"}),
            json!({"op": "replace", "path": "/metadata/labels/case", "value": self.case.to_string()}),
            json!({"op": "test", "path": "/metadata/name", "value": self.name}),
            json!({"op": "test", "path": "/metadata/labels/case", "value": "other"}),
            json!({"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}),
            json!({"op": "copy", "from": "/metadata/labels/case", "path": "/metadata/labels/copy"}),
            json!({"op": "move", "from": "/metadata/labels/x", "path": "/metadata/labels/y"}),
            json!({"op": "remove", "path": "/metadata/managedFields/0"}),
            json!({"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/x"}),
            json!({"op": "frob", "path": "/a"}),
            json!({"op": "replace", "path": "/metadata/name", "value": "other"}),
            json!({"op": "add", "path": "/frob", "value": 1}),
        ];
        let chosen: Vec<Value> = (0..=self.chance.below(2)).map(|_| self.chance.pick(&operations)).collect();
        let options = self.options();
        Request::new("PATCH", self.path(&options)).content_type(long_type("json-patch")).body(&Value::from(chosen))
    }

    fn apply(&mut self) -> Request {
        let mut object = if self.chance.one_in(4) {
            let identity = json!({"metadata": {"name": self.name, "labels": {"case": self.case.to_string()}}});
            let mut object = json!({"apiVersion": self.kind.object["apiVersion"], "kind": self.kind.object["kind"]});
            lay_over(&mut object, &identity);
            let piece = self.piece();
            lay_over(&mut object, &piece);
            object
        } else {
            self.object(9)
        };
        if self.chance.one_in(40) {
            object["metadata"]["managedFields"] = json!([]);
        }
        let mut query = format!("?fieldManager=m{}", self.chance.below(4));
        if self.chance.one_in(2) {
            query.push_str("&force=true");
        }
        if self.chance.one_in(8) {
            query.push_str("&dryRun=All");
        }
        if self.chance.one_in(4) {
            query.push_str("&fieldValidation=Strict");
        }
        if self.chance.one_in(50) {
            query = String::new();
        }
        Request::new("PATCH", self.path(&query)).content_type(long_type("apply")).body(&object)
    }

    fn subresource(&mut self) -> Request {
        if self.kind.scale && self.chance.one_in(2) {
            let path = self.path("/scale");
            return match self.chance.below(4) {
                0 => Request::new("GET", path),
                1 => {
                    Request::new("PATCH", path).content_type(long_type("merge")).body(&json!({"spec": {"replicas": 0}}))
                }
                2 => Request::new("PATCH", path)
                    .content_type(long_type("merge"))
                    .body(&json!({"spec": {"replicas": -1}})),
                _ => {
                    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
                        "metadata": {"name": self.name, "namespace": "{ns}"}, "spec": {"replicas": 0}});
                    Request::new("PUT", path).body(&scale)
                }
            };
        }
        let path = self.path("/status?fieldManager=status");
        let condition = json!({"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "A", "message": "b",
            "lastTransitionTime": "2026-01-31T12:00:00Z"}]}});
        match self.chance.below(4) {
            0 => Request::new("GET", self.path("/status")),
            1 => Request::new("PATCH", path).content_type(long_type("merge")).body(&condition),
            2 => Request::new("PATCH", path)
                .content_type(long_type("strategic"))
                .body(&json!({"metadata": {"labels": {"s": "t"}}})),
            _ => {
                let object = self.object(20);
                Request::new("PUT", path).body(&object)
            }
        }
    }

    fn delete(&mut self, odd: bool) -> Request {
        let options = [
            json!({"preconditions": {"uid": "0a7b5f8c-1111-2222-3333-444455556666"}}),
            json!({"preconditions": {"resourceVersion": "1"}}),
            json!({"dryRun": ["All"]}),
            json!({"propagationPolicy": "Frob"}),
            json!({"propagationPolicy": "Orphan", "orphanDependents": true}),
            json!({"gracePeriodSeconds": -5}),
            json!({"preconditions": {"uid": format!("{{uid:{}}}", self.name)}, "dryRun": ["All"]}),
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "frob": 1, "dryRun": ["All"]}),
            json!({"gracePeriodSeconds": 0}),
            json!({"propagationPolicy": "Background"}),
        ];
        let request = Request::new("DELETE", self.path(""));
        if odd { request.body(&self.chance.pick(&options)) } else { request.body(&json!({"gracePeriodSeconds": 0})) }
    }

    /// What no client should send.
    fn odd(&mut self) -> Request {
        let object = self.object(30);
        let (at, path) = (self.kind.at.clone(), self.path(""));
        match self.chance.below(14) {
            0 => Request::new("POST", at).body(&object).content_type("text/plain"),
            1 => Request::new("PUT", path).body(&object).content_type("application/xml"),
            2 => Request::new("PATCH", path).body(&object),
            3 => Request { body: "{\"a\": ".into(), ..Request::new("POST", at).content_type("application/json") },
            4 => Request { body: "a: [".into(), ..Request::new("POST", at).content_type("application/yaml") },
            5 => Request { body: String::new(), ..Request::new("POST", at).content_type("application/json") },
            6 => Request::new("GET", format!("{at}s")),
            7 => Request::new("GET", format!("{path}/frob")),
            8 => Request::new("GET", format!("{at}/none-such")),
            9 => Request::new("PUT", format!("{at}/none-such")).body(&object),
            10 => Request::new("PATCH", format!("{at}/none-such")).content_type(long_type("merge")).body(&json!({})),
            11 => Request { body: "[]".into(), ..Request::new("PUT", path).content_type("application/json") },
            12 => Request { body: "\"x\"".into(), ..Request::new("PATCH", path).content_type(long_type("merge")) },
            _ => Request::new("GET", path).accept("application/xml"),
        }
    }
}
