//! Namespaces, disruption budgets, and what extends the API.

use serde_json::Value;

use super::health::unseen;
use crate::{
    model::{Health, Status},
    rules::fields::{Condition, condition, text},
};

pub(super) fn namespace(object: &Value) -> Option<Health> {
    Some(match text(object, "/status/phase") {
        "Terminating" => Health::new(Status::Terminating, "Terminating", "is being deleted"),
        _ => Health::current("active"),
    })
}

pub(super) fn disruption_budget(object: &Value) -> Option<Health> {
    Some(unseen(object).unwrap_or_else(|| Health::current("observed")))
}

pub(super) fn custom_resource_definition(object: &Value) -> Option<Health> {
    if let Some(names) = condition(object, "NamesAccepted").filter(Condition::is_false) {
        return Some(Health::failed(names.reason, format!("its names are not accepted: {}", names.words())));
    }
    Some(match condition(object, "Established") {
        Some(established) if established.is_true() => Health::current("established"),
        Some(established) if established.is_false() && established.reason != "Installing" => {
            Health::failed(established.reason, format!("is not established: {}", established.words()))
        }
        _ => Health::in_progress("not established"),
    })
}

pub(super) fn api_service(object: &Value) -> Option<Health> {
    Some(match condition(object, "Available") {
        Some(available) if available.is_true() => Health::current("available"),
        Some(available) => {
            Health::new(Status::InProgress, available.reason, format!("not available: {}", available.words()))
        }
        None => Health::in_progress("not available"),
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        model::Status,
        rules::readiness::tests::{judge, said},
    };

    #[test]
    fn definitions_are_established() {
        let of = |conditions: &str| {
            judge(&format!("{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {{conditions: [{conditions}]}}}}")).status
        };
        assert_eq!(of(""), Status::InProgress);
        assert_eq!(
            of("{type: NamesAccepted, status: 'True'}, {type: Established, status: 'False', reason: Installing}"),
            Status::InProgress
        );
        assert_eq!(of("{type: NamesAccepted, status: 'True'}, {type: Established, status: 'True'}"), Status::Current);
        assert_eq!(of("{type: NamesAccepted, status: 'False', reason: PluralConflict, message: m}"), Status::Failed);
        assert_eq!(of("{type: Established, status: 'False', reason: NotAccepted}"), Status::Failed);
    }

    #[test]
    fn an_api_service_says_what_it_misses() {
        let text = "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, status: {conditions: [{type: Available, status: 'False', reason: ServiceNotFound, message: service/x is not present}]}}";
        assert_eq!(said(text), (Status::InProgress, "not available: service/x is not present".into()));
    }

    #[test]
    fn a_namespace_that_goes_away_is_not_current() {
        assert_eq!(judge("{apiVersion: v1, kind: Namespace, status: {phase: Active}}").status, Status::Current);
        assert_eq!(
            judge("{apiVersion: v1, kind: Namespace, status: {phase: Terminating}}").status,
            Status::Terminating
        );
    }

    #[test]
    fn a_budget_is_observed() {
        let of = |status: &str| {
            judge(&format!("{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{generation: 1}}, status: {{{status}}}}}")).status
        };
        assert_eq!((of(""), of("observedGeneration: 1")), (Status::InProgress, Status::Current));
    }
}
