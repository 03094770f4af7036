//! All rules, and how they are run.

use std::collections::BTreeMap;

use super::{
    bad_name, deprecated_api, duplicate_item, duplicate_object, latest_image, missing_field, object_too_large, one_of,
    out_of_range, port_missing, reference_missing, removed_api,
    rule::{Check, Context, Findings, Found, Rule},
    secret_in_plain_text, selector_mismatch, service_selects_nothing, unknown_field, unknown_kind, volume_missing,
    walk::walk,
    wrong_type, wrong_value,
};
use crate::{config::Level, model::Severity};

/// Every rule. A new one is a file beside this one, and a line here.
pub static RULES: [&Rule; 20] = [
    &unknown_kind::RULE,
    &removed_api::RULE,
    &deprecated_api::RULE,
    &unknown_field::RULE,
    &missing_field::RULE,
    &wrong_type::RULE,
    &wrong_value::RULE,
    &out_of_range::RULE,
    &one_of::RULE,
    &bad_name::RULE,
    &duplicate_item::RULE,
    &duplicate_object::RULE,
    &object_too_large::RULE,
    &selector_mismatch::RULE,
    &service_selects_nothing::RULE,
    &port_missing::RULE,
    &volume_missing::RULE,
    &reference_missing::RULE,
    &latest_image::RULE,
    &secret_in_plain_text::RULE,
];

/// Judges a set of manifests. `levels` gives the findings of a rule another severity, or leaves the rule out.
///
/// # Returns
/// The findings in the order of the manifests.
pub fn judge(context: Context<'_>, levels: &BTreeMap<String, Level>) -> Vec<Found> {
    let on = RULES.iter().copied().filter(|rule| levels.get(rule.code) != Some(&Level::Off));
    let mut fields = Vec::new();
    let mut findings = Findings::new(RULES[0]);
    for rule in on {
        match rule.check {
            Check::Set(check) => check(&context, findings.of(rule)),
            Check::Field(check) => fields.push((rule, check)),
        }
    }
    for index in 0..context.set.manifests.len() {
        walk(context, index, &mut |visit| {
            for (rule, check) in &fields {
                check(visit, findings.of(rule));
            }
        });
    }
    let mut found = findings.found;
    for found in &mut found {
        found.severity = match levels.get(found.code) {
            Some(Level::Error) => Severity::Error,
            Some(Level::Warning) => Severity::Warning,
            Some(Level::Info) => Severity::Info,
            Some(Level::Off) | None => found.severity,
        };
    }
    found.sort_by(|a, b| (a.manifest, &a.path, a.severity).cmp(&(b.manifest, &b.path, b.severity)));
    found
}
