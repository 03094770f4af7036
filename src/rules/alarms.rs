//! Known false alarms: what looks unfinished, and never ends, with nothing wrong.

use serde_json::Value;

use crate::rules::{
    events::newest,
    fields::{list, text},
};

/// Whether a claim that is not bound waits for the first pod that uses it, as its storage class asks.
pub fn waits_for_consumer(events: &[&Value]) -> bool {
    newest(events, |_| true).is_some_and(|event| text(event, "/reason") == "WaitForFirstConsumer")
}

/// What a storage provisioner has complained of.
pub fn provisioning_error<'v>(events: &[&'v Value]) -> Option<&'v str> {
    newest(events, |_| true)
        .filter(|event| text(event, "/reason") == "ProvisioningFailed")
        .map(|event| text(event, "/message").trim())
}

/// Whether some controller has laid a hand on a Service of type LoadBalancer: providers take hold of it with a
/// finalizer and tell what they do. Without one it gets no address, ever.
pub fn has_provider(service: &Value, events: &[&Value]) -> bool {
    // The API server's own repairs of addresses are no provider.
    let told = |event: &&Value| !["ClusterIP", "Port"].iter().any(|own| text(event, "/reason").starts_with(own));
    !list(service, "/metadata/finalizers").is_empty()
        || !list(service, "/status/conditions").is_empty()
        || events.iter().any(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn the_newest_word_on_a_claim_counts() {
        let event = |reason: &str, second: u32| {
            yaml(&format!("{{reason: {reason}, message: 'm ', lastTimestamp: '2026-11-21T10:00:{second:02}Z'}}"))
        };
        let (waits, scheduled) = (event("WaitForFirstConsumer", 1), event("WaitForPodScheduled", 2));
        assert!(
            waits_for_consumer(&[&waits]) && !waits_for_consumer(&[&waits, &scheduled]) && !waits_for_consumer(&[])
        );
        let failed = event("ProvisioningFailed", 3);
        assert_eq!(provisioning_error(&[&failed, &waits]), Some("m"));
        assert_eq!(provisioning_error(&[&waits]), None);
    }

    #[test]
    fn a_provider_leaves_traces() {
        let service = yaml("{metadata: {name: web}, status: {loadBalancer: {}}}");
        let repair = yaml("{reason: ClusterIPNotAllocated}");
        assert!(!has_provider(&service, &[]) && !has_provider(&service, &[&repair]));
        assert!(has_provider(&service, &[&yaml("{reason: EnsuringLoadBalancer}")]));
        assert!(has_provider(&yaml("{metadata: {finalizers: [service.kubernetes.io/load-balancer-cleanup]}}"), &[]));
    }
}
