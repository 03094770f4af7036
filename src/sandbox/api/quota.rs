//! What may be made within the quotas of a namespace (the admission plugin `ResourceQuota`).

use serde_json::Value;

use super::{core::Api, metadata, requests::Write};
use crate::{
    rules::quantity::Quantity,
    sandbox::{
        kinds::usage,
        problem::Problem,
        resource::At,
        store::{Range, Table},
    },
};

/// How often a quota is read again that changed meanwhile.
const TRIES: usize = 20;

impl Api {
    /// Counts a new object in the quotas of its namespace.
    ///
    /// # Errors
    /// One of them is exceeded, or asks for what the object does not say.
    pub(super) fn admit_quota(&self, at: &At, object: &Value, dry_run: bool) -> Result<(), Problem> {
        let Some(namespace) = at.namespace.as_deref().filter(|_| at.resource.plural != "events") else {
            return Ok(());
        };
        for name in self.quotas(namespace) {
            let Some(resource) = self.resource("", "v1", "resourcequotas") else { return Ok(()) };
            let quota = At { resource, namespace: Some(namespace.into()), name };
            for _ in 0..TRIES {
                match self.charge(at, object, &quota, dry_run) {
                    Err(problem) if problem.reason == "Conflict" => {}
                    Err(problem) if problem.code == 404 => break,
                    other => {
                        other?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The names of the quotas of a namespace.
    fn quotas(&self, namespace: &str) -> Vec<String> {
        let table = Table { group: String::new(), plural: "resourcequotas".into() };
        let range = Range { namespace: Some(namespace.into()), after: None };
        let found = self.store().chunk(&table, &range, usize::MAX, None).unwrap_or_default();
        let names = found.items.iter().filter_map(|(key, _)| key.split_once('/'));
        names.map(|(_, name)| name.to_owned()).collect()
    }

    fn charge(&self, at: &At, object: &Value, quota_at: &At, dry_run: bool) -> Result<(), Problem> {
        let mut quota = self.get(quota_at)?;
        let hard = quota["status"]["hard"].as_object().cloned().unwrap_or_default();
        let concerned = |limit: &&String| usage::table(limit) == Some((&at.resource.group, &at.resource.plural));
        let mut limits: Vec<&String> = hard.keys().filter(concerned).collect();
        limits.sort_unstable();
        if limits.is_empty() || !usage::is_about(&quota, object) {
            return Ok(());
        }
        let name = metadata::text(object, "name");
        let quota_name = &quota_at.name;
        let refuse = |why: String| Problem::forbidden(&at.resource, name, &why);
        if let Some(unsaid) = usage::unsaid(object, limits.iter().map(|limit| limit.as_str())) {
            return Err(refuse(format!("failed quota: {quota_name}: must specify {unsaid}")));
        }
        let amount = |value: Option<&Value>| value.and_then(Value::as_str).and_then(Quantity::parse);
        let mut over: [Vec<String>; 3] = Default::default();
        let mut charged = false;
        for limit in limits {
            let limited = amount(hard.get(limit)).unwrap_or_else(|| Quantity::of(0));
            let used = amount(quota["status"]["used"].get(limit)).unwrap_or_else(|| Quantity::of(0));
            let wanted = usage::of(object, limit);
            let sum = used.plus(&wanted);
            if sum.nano() > limited.nano() {
                for (column, amount) in over.iter_mut().zip([&wanted, &used, &limited]) {
                    column.push(format!("{limit}={amount}"));
                }
            }
            charged |= !wanted.is_zero();
            quota["status"]["used"][limit] = sum.to_string().into();
        }
        let [requested, used, limited] = over.map(|column| column.join(","));
        if !requested.is_empty() {
            let why = format!("exceeded quota: {quota_name}, requested: {requested}, used: {used}, limited: {limited}");
            return Err(refuse(why));
        }
        if charged && !dry_run {
            self.update(quota_at, "status", quota, &Write::by("kube-apiserver"))?;
        }
        Ok(())
    }
}
