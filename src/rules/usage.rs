//! CPU and memory: what pods use (`metrics.k8s.io`), and what they request and may use.

use serde_json::Value;

use crate::{
    model::{Amount, Usage},
    rules::{
        fields::{list, text},
        quantity::Quantity,
    },
};

/// What a container of a `PodMetrics` uses, by its name.
pub fn used(pod_metrics: &Value) -> impl Iterator<Item = (&str, Usage)> {
    list(pod_metrics, "/containers").iter().map(|container| {
        let usage = Usage {
            cpu: Amount { used: cores(text(container, "/usage/cpu")), ..Amount::default() },
            memory: Amount { used: bytes(text(container, "/usage/memory")), ..Amount::default() },
        };
        (text(container, "/name"), usage)
    })
}

/// A quantity of CPU in thousandths of a core; None where the text is none.
pub fn cores(text: &str) -> Option<i64> {
    Quantity::parse(text).map(|quantity| quantity.milli())
}

/// A quantity of memory in bytes; None where the text is none.
pub fn bytes(text: &str) -> Option<i64> {
    Quantity::parse(text).map(|quantity| quantity.units())
}

/// The sum over containers or pods. Nobody's limit is the sum's when one has none, and a sum of nothing is nothing.
pub fn total(parts: impl IntoIterator<Item = Usage>) -> Usage {
    let parts: Vec<Usage> = parts.into_iter().collect();
    Usage { cpu: sum(parts.iter().map(|part| part.cpu)), memory: sum(parts.iter().map(|part| part.memory)) }
}

fn sum(parts: impl Iterator<Item = Amount> + Clone) -> Amount {
    let of =
        |field: fn(&Amount) -> Option<i64>| parts.clone().filter_map(|part| field(&part)).reduce(i64::saturating_add);
    let limited = parts.clone().all(|part| part.limit.is_some());
    Amount {
        used: of(|amount| amount.used),
        requested: of(|amount| amount.requested),
        limit: of(|amount| amount.limit).filter(|_| limited),
    }
}

/// Thousandths of a core as people write them: `250m`, `1.5`.
pub fn cores_in_words(milli: i64) -> String {
    match (milli / 1000, milli % 1000) {
        (0, milli) => format!("{milli}m"),
        (cores, 0) => cores.to_string(),
        (cores, rest) => format!("{cores}.{}", format!("{rest:03}").trim_end_matches('0')),
    }
}

/// Bytes in the largest binary unit that leaves a whole number of up to four digits: `80Mi`, `1.5Gi`.
pub fn bytes_in_words(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let (mut unit, mut divisor) = (0, 1i64);
    while bytes / divisor >= 1024 && unit + 1 < UNITS.len() {
        unit += 1;
        divisor *= 1024;
    }
    let tenths = (i128::from(bytes) * 10 + i128::from(divisor) / 2) / i128::from(divisor);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}{}", UNITS[unit]),
        (whole, tenth) if whole < 10 => format!("{whole}.{tenth}{}", UNITS[unit]),
        (whole, tenth) => format!("{}{}", whole + i128::from(tenth >= 5), UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn metrics_are_read_by_container() {
        let metrics = yaml("{containers: [{name: api, usage: {cpu: 1234567n, memory: 20Mi}}, {name: log, usage: {}}]}");
        let read: Vec<(&str, Usage)> = used(&metrics).collect();
        assert_eq!((read[0].0, read[0].1.cpu.used, read[0].1.memory.used), ("api", Some(2), Some(20 << 20)));
        assert_eq!(read[1].1, Usage::default());
    }

    #[test]
    fn a_sum_is_limited_when_every_part_is() {
        let part = |used, limit| Usage { cpu: Amount { used, requested: Some(10), limit }, ..Usage::default() };
        let both = total([part(Some(1), Some(5)), part(None, Some(5))]);
        assert_eq!(both.cpu, Amount { used: Some(1), requested: Some(20), limit: Some(10) });
        assert_eq!(total([part(Some(1), Some(5)), part(Some(2), None)]).cpu.limit, None);
        assert_eq!(total([]), Usage::default());
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!([0, 250, 1000, 1500, 12_040].map(cores_in_words), ["0m", "250m", "1", "1.5", "12.04"]);
        let amounts = [0, 1023, 1536, 20 << 20, (80 << 20) + 600_000, 3 << 29];
        assert_eq!(amounts.map(bytes_in_words), ["0", "1023", "1.5Ki", "20Mi", "81Mi", "1.5Gi"]);
    }
}
