//! Whether quotas have room for more pods.

use serde_json::Value;

use super::demand::{counted, read};
use crate::{
    model::ObjectRef,
    rules::fields::{counted as in_words, list, text},
};

/// One line for each quota that more pods of a template do not fit into. Quotas of some pods only (with scopes) are
/// left to the server.
pub fn quotas(quotas: &[Value], template: &Value, more: u32) -> Vec<String> {
    let demand = counted(&template["spec"]);
    let whole = quotas
        .iter()
        .filter(|quota| list(quota, "/spec/scopes").is_empty() && quota["spec"]["scopeSelector"].is_null());
    let mut lines = Vec::new();
    for quota in whole {
        let hard = match quota["status"]["hard"].is_object() {
            true => read(&quota["status"]["hard"]),
            false => read(&quota["spec"]["hard"]),
        };
        let used = read(&quota["status"]["used"]);
        for (name, hard) in hard {
            let Some(each) = demand.get(&name) else { continue };
            let free = hard - used.get(&name).copied().unwrap_or_default();
            if each * i128::from(more) > free {
                let room = if *each > 0 { (free / each).max(0) } else { 0 };
                let spoken = |kind: &str| match text(quota, &format!("/status/{kind}/{}", name.replace('/', "~1"))) {
                    "" => "0".to_owned(),
                    amount => amount.to_owned(),
                };
                lines.push(format!(
                    "{} allows {} of {name} and {} is used: there is room for {}, and {more} are asked for",
                    ObjectRef::of(quota),
                    spoken("hard"),
                    spoken("used"),
                    in_words(i64::try_from(room).unwrap_or(i64::MAX), "more pod"),
                ));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_quota_that_is_too_small_says_how_many_fit() {
        let quota = yaml(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: compute}, status: {hard: {requests.cpu: '2', pods: '10', count/pods: '2'}, used: {requests.cpu: 1500m, pods: '3', count/pods: '2'}}}",
        );
        let template = yaml("{spec: {containers: [{resources: {requests: {cpu: 200m}}}]}}");
        assert!(quotas(&[yaml("{spec: {scopes: [Terminating], hard: {pods: '0'}}}")], &template, 3).is_empty());
        assert_eq!(
            quotas(&[quota], &template, 3),
            [
                "resourcequota/compute allows 2 of count/pods and 2 is used: there is room for 0 more pods, and 3 are asked for",
                "resourcequota/compute allows 2 of requests.cpu and 1500m is used: there is room for 2 more pods, and 3 are asked for"
            ]
        );
    }
}
