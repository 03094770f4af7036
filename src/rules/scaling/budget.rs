//! What a number of replicas leaves of a disruption budget.

use serde_json::Value;

use crate::{
    model::ObjectRef,
    rules::selector::{Selector, selector_text},
};

/// One line for each budget that would let no pod of a template be evicted with so many replicas.
pub fn budgets(budgets: &[Value], template: &Value, replicas: u32) -> Vec<String> {
    let covers = |budget: &Value| {
        let selector = budget["spec"]["selector"].as_object().map(selector_text);
        selector.and_then(|text| Selector::parse(&text).ok()).is_some_and(|selector| selector.matches(template))
    };
    let told = budgets.iter().filter(|budget| replicas > 0 && covers(budget)).filter_map(|budget| {
        let wanted = available(&budget["spec"]["minAvailable"], replicas)?;
        (wanted >= u64::from(replicas)).then(|| {
            format!(
                "{} keeps {} available: with {replicas} none may be evicted, and a node cannot be drained",
                ObjectRef::of(budget),
                budget["spec"]["minAvailable"].to_string().trim_matches('"'),
            )
        })
    });
    told.collect()
}

/// A share is rounded up (policy/v1, PodDisruptionBudgetSpec).
fn available(value: &Value, replicas: u32) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let percent: u64 = text.strip_suffix('%')?.parse().ok()?;
            Some((u64::from(replicas) * percent).div_ceil(100))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_budget_that_leaves_nothing_to_evict_is_told() {
        let budget = |wanted: &str| {
            vec![yaml(&format!(
                "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: api}}, spec: {{minAvailable: {wanted}, selector: {{matchLabels: {{app: api}}}}}}}}"
            ))]
        };
        let template = yaml("{metadata: {labels: {app: api}}}");
        assert!(budgets(&budget("2"), &template, 3).is_empty());
        assert_eq!(budgets(&budget("2"), &template, 2).len(), 1);
        assert!(budgets(&budget("50%"), &template, 1)[0].contains("keeps 50% available: with 1 none may be evicted"));
        assert!(budgets(&budget("2"), &yaml("{metadata: {labels: {app: web}}}"), 1).is_empty());
        assert!(budgets(&budget("2"), &template, 0).is_empty());
    }
}
