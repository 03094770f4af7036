//! What is created below objects: evictions, bindings and tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    core::Api,
    identity, metadata,
    requests::{DeleteOptions, ListQuery, Write},
    update::Next,
};
use crate::{
    rules::selector::{Selector, selector_text},
    sandbox::{
        fields,
        problem::{Problem, ProblemCause},
        resource::At,
    },
};

impl Api {
    /// Puts a pod on a node, as a scheduler does.
    ///
    /// # Errors
    /// There is no such pod, or it is on a node already.
    pub fn bind(&self, at: &At, node: &str, write: &Write) -> Result<(), Problem> {
        let done = self.modify(at, "binding", write, |live| {
            let mut pod = live.object.clone();
            let on = pod["spec"]["nodeName"].as_str().unwrap_or_default();
            if !on.is_empty() {
                let why = format!("pod {} is already assigned to node {on:?}", at.name);
                let mut problem = Problem::conflict(&at.resource, &at.name, &why);
                problem.message = format!("Operation cannot be fulfilled on pods/binding \"{}\": {why}", at.name);
                problem.kind = "pods/binding".into();
                return Err(problem);
            }
            pod["spec"]["nodeName"] = node.into();
            let scheduled = json!({
                "type": "PodScheduled", "status": "True", "lastProbeTime": null,
                "lastTransitionTime": metadata::time(self.clock().now()),
            });
            set_condition(&mut pod, scheduled);
            // As with the real one, nobody becomes the manager of what a binding sets.
            Ok(Next { object: pod, track: false })
        });
        done.map(drop)
    }

    /// Deletes a pod as far as the budgets of its kind allow it.
    ///
    /// # Errors
    /// A budget is used up, or there are several.
    pub fn evict(&self, at: &At, options: &DeleteOptions) -> Result<(), Problem> {
        let pod = self.get(at)?;
        let phase = pod["status"]["phase"].as_str().unwrap_or_default();
        let free = matches!(phase, "Succeeded" | "Failed" | "Pending") || metadata::is_being_deleted(&pod);
        let budgets = if free { Vec::new() } else { self.budgets(at, &pod) };
        if budgets.len() > 1 {
            let why =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Problem::new(500, "InternalError", why));
        }
        if let Some(budget) = budgets.first() {
            self.use_budget(budget, at, options)?;
        }
        self.delete(at, options).map(drop)
    }

    fn budgets(&self, at: &At, pod: &Value) -> Vec<Value> {
        let Some(resource) = self.resource("policy", "v1", "poddisruptionbudgets") else { return Vec::new() };
        let all = self.list(&resource, at.namespace.as_deref(), &ListQuery::default()).unwrap_or_default().objects();
        all.into_iter()
            .filter(|budget| {
                let selector = budget["spec"]["selector"].as_object();
                let text = selector.map(selector_text);
                text.and_then(|text| Selector::parse(&text).ok()).is_some_and(|selector| selector.matches(pod))
            })
            .collect()
    }

    fn use_budget(&self, budget: &Value, pod: &At, options: &DeleteOptions) -> Result<(), Problem> {
        let name = metadata::text(budget, "name");
        let Some(resource) = self.resource("policy", "v1", "poddisruptionbudgets") else { return Ok(()) };
        let at = At { resource, namespace: pod.namespace.clone(), name: name.into() };
        let mut write = Write::by("kube-apiserver");
        write.dry_run = options.dry_run;
        let now = metadata::time(self.clock().now());
        self.modify(&at, "status", &write, |live| {
            let mut budget = live.object.clone();
            let status = &budget["status"];
            let allowed = status["disruptionsAllowed"].as_i64().unwrap_or(0);
            if allowed < 1 {
                return Err(used_up(name, status));
            }
            budget["status"]["disruptionsAllowed"] = (allowed - 1).into();
            budget["status"]["disruptedPods"][&pod.name] = now.as_str().into();
            Ok(Next { object: budget, track: true })
        })
        .map(drop)
    }

    /// A token of a service account: a `TokenRequest` with its status. The sandbox does not accept it as proof.
    ///
    /// # Errors
    /// There is no such account, or it is to expire too soon.
    pub fn token(&self, at: &At, mut request: Value) -> Result<Value, Problem> {
        let account = self.get(at)?;
        let seconds = request["spec"]["expirationSeconds"].as_i64().unwrap_or(3600);
        if seconds < 600 {
            let message = format!("Invalid value: {seconds}: may not specify a duration less than 10 minutes");
            let said = format!("TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: {message}");
            let mut problem = Problem::new(422, "Invalid", said);
            problem.group = "authentication.k8s.io".into();
            problem.kind = "TokenRequest".into();
            problem.causes =
                vec![ProblemCause { reason: "FieldValueInvalid", message, field: "spec.expirationSeconds".into() }];
            return Err(problem);
        }
        let now = self.clock().now();
        let ends = now + SignedDuration::from_secs(seconds);
        let namespace = at.namespace.as_deref().unwrap_or_default();
        let claims = json!({
            "aud": ["https://kubernetes.default.svc.cluster.local"], "exp": ends.as_second(), "iat": now.as_second(),
            "iss": "https://kubernetes.default.svc.cluster.local", "jti": identity::uid(),
            "kubernetes.io": {"namespace": namespace,
                "serviceaccount": {"name": at.name, "uid": metadata::text(&account, "uid")}},
            "nbf": now.as_second(), "sub": format!("system:serviceaccount:{namespace}:{}", at.name),
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(identity::uid());
        let token = format!("{}.{}.{signature}", part(&json!({"alg": "RS256", "kid": "sandbox"})), part(&claims));
        let fields = metadata::of(&mut request);
        fields.insert("name".into(), at.name.as_str().into());
        fields.insert("namespace".into(), namespace.into());
        fields.insert("creationTimestamp".into(), metadata::time(now).into());
        request["kind"] = "TokenRequest".into();
        request["apiVersion"] = "authentication.k8s.io/v1".into();
        request["spec"]["expirationSeconds"] = seconds.into();
        if request["spec"]["audiences"].is_null() {
            request["spec"]["audiences"] = claims["aud"].clone();
        }
        request["spec"].as_object_mut().map(|spec| spec.entry("boundObjectRef").or_insert(Value::Null));
        request["status"] = json!({"token": token, "expirationTimestamp": metadata::time(ends)});
        Ok(request)
    }

    /// Answers what is asked and never stored: reviews of who somebody is and what they may. Here everybody may all.
    pub(super) fn review(&self, at: &At, mut object: Value, write: &Write) -> Result<Value, Problem> {
        let resource = &at.resource;
        let api_version = resource.api_version();
        let writer = self.writer(write, &api_version, "");
        object = fields::track_update(fields::Types::of(resource), None, object, &writer);
        let user = json!({"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]});
        object["status"] = match resource.kind.as_str() {
            "SelfSubjectReview" => json!({"userInfo": user}),
            "TokenReview" => json!({"authenticated": true, "user": user}),
            "SelfSubjectRulesReview" => json!({
                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}], "incomplete": false,
            }),
            _ => json!({"allowed": true}),
        };
        if matches!(resource.kind.as_str(), "SelfSubjectReview") {
            metadata::of(&mut object).insert("creationTimestamp".into(), metadata::time(self.clock().now()).into());
        }
        Ok(object)
    }
}

fn used_up(name: &str, status: &Value) -> Problem {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let mut problem = Problem::new(429, "TooManyRequests", message);
    let (desired, current) = (&status["desiredHealthy"], &status["currentHealthy"]);
    let count = |value: &Value| value.as_i64().unwrap_or(0);
    problem.causes = vec![ProblemCause {
        reason: "DisruptionBudget",
        message: format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            count(desired),
            count(current)
        ),
        field: String::new(),
    }];
    problem
}

fn set_condition(object: &mut Value, condition: Value) {
    let conditions = &mut object["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.retain(|known| known["type"] != condition["type"]);
        conditions.push(condition);
    }
}
