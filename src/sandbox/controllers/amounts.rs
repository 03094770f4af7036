//! Amounts of resources, and numbers that may be shares.

use serde_json::Value;

use crate::rules::quantity::Quantity;

/// Thousandths of a unit: `500m` is 500. What cannot be read is nothing.
pub fn thousandths(text: &str) -> i64 {
    Quantity::parse(text).map_or(0, |amount| amount.milli())
}

/// Whole units: `1Ki` is 1024.
pub fn whole(text: &str) -> i64 {
    Quantity::parse(text).map_or(0, |amount| amount.units())
}

/// A number, or a share of `total` such as `25%`.
///
/// Source: `GetScaledValueFromIntOrPercent` of `k8s.io/apimachinery/pkg/util/intstr`.
pub fn share(value: &Value, total: i64, round_up: bool) -> i64 {
    let Some(text) = value.as_str() else { return value.as_i64().unwrap_or(0) };
    let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
    let product = percent.saturating_mul(total);
    if round_up { (product + 99).div_euclid(100) } else { product.div_euclid(100) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shares_round_as_asked() {
        for (value, total, up, down) in [
            (json!("25%"), 2, 1, 0),
            (json!("25%"), 4, 1, 1),
            (json!(3), 10, 3, 3),
            (json!("100%"), 3, 3, 3),
            (json!("x"), 3, 0, 0),
        ] {
            assert_eq!((share(&value, total, true), share(&value, total, false)), (up, down), "{value}");
        }
    }
}
