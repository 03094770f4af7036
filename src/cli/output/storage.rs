//! Claims and volumes as a table.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use clap::ValueEnum;

use super::{
    Format, Style,
    amount::{size, span},
    table,
};
use crate::model::{StorageItem, StorageReport, StorageState, UsageSource};

/// How the table of claims and volumes is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StorageFormat {
    /// For people
    #[default]
    #[value(name = "table", alias = "human")]
    Human,
    /// For people, with more columns
    Wide,
    Json,
    Yaml,
    /// One name on each line
    Name,
}

impl From<StorageFormat> for Format {
    fn from(format: StorageFormat) -> Self {
        match format {
            StorageFormat::Json => Self::Json,
            StorageFormat::Yaml => Self::Yaml,
            _ => Self::Human,
        }
    }
}

/// From here on, in percent, a volume is shown as nearly full, and as full.
const HIGH: u64 = 80;
const FULL: u64 = 90;

/// Draws the claims and volumes, then why those that are not well are not, then what could not be seen.
pub fn draw_storage(
    out: &mut dyn Write,
    style: &Style,
    report: &StorageReport,
    format: StorageFormat,
) -> io::Result<()> {
    if format == StorageFormat::Name {
        return report.items.iter().try_for_each(|item| writeln!(out, "{}", full_name(item)));
    }
    if report.items.is_empty() {
        let place = match report.namespaces.as_slice() {
            [] => "in any namespace".to_owned(),
            names => format!("in namespace {}", names.join(", ")),
        };
        writeln!(out, "there is no claim {place}")?;
    } else {
        let several = report.namespaces.len() != 1;
        let wide = format == StorageFormat::Wide;
        let rows = report.items.iter().map(|item| row(style, item, several, wide)).collect();
        table(out, style, &header(several, wide), rows)?;
    }
    draw_reasons(out, style, report)
}

fn header(several: bool, wide: bool) -> Vec<&'static str> {
    let mut header = vec!["CLAIM", "STATE", "REQUESTED", "CAPACITY", "USED", "FREE", "USE%", "INODES%", "FULL IN"];
    if several {
        header.insert(0, "NAMESPACE");
    }
    if wide {
        header.extend(["CLASS", "ACCESS", "NODE", "VOLUME", "SOURCE"]);
    }
    header.push("MOUNTED BY");
    header
}

fn row(style: &Style, item: &StorageItem, several: bool, wide: bool) -> Vec<String> {
    let usage = item.usage.as_ref();
    let amount = |bytes: Option<u64>| bytes.map(size).unwrap_or_default();
    let percent = |percent: Option<u64>| percent.map(|percent| coloured(style, percent)).unwrap_or_default();
    let mut row = vec![
        name(item),
        state(style, item.state),
        amount(item.requested),
        amount(item.capacity),
        amount(usage.map(|usage| usage.used)),
        amount(usage.map(|usage| usage.free)),
        percent(usage.map(|usage| usage.percent())),
        percent(usage.and_then(|usage| usage.inodes_percent())),
        item.forecast.as_ref().map(|forecast| span(forecast.full_in)).unwrap_or_default(),
    ];
    if several {
        row.insert(0, item.namespace.clone().unwrap_or_default());
    }
    if wide {
        row.push(item.class.clone().unwrap_or_default());
        row.push(item.access.iter().map(|mode| short_access(mode)).collect::<Vec<_>>().join(","));
        row.push(item.nodes.join(", "));
        row.push(item.volume.clone().unwrap_or_default());
        let source = usage.map(|usage| match usage.source {
            UsageSource::Kubelet => "kubelet",
            UsageSource::Df => "df",
        });
        row.push(source.unwrap_or_default().into());
    }
    row.push(mounted_by(item));
    row
}

/// The claim, or the volume where there is none.
fn name(item: &StorageItem) -> String {
    match (&item.claim, &item.volume) {
        (Some(claim), _) => claim.clone(),
        (None, volume) => format!("pv/{}", volume.as_deref().unwrap_or_default()),
    }
}

fn full_name(item: &StorageItem) -> String {
    match (&item.claim, &item.volume) {
        (Some(claim), _) => format!("persistentvolumeclaim/{claim}"),
        (None, volume) => format!("persistentvolume/{}", volume.as_deref().unwrap_or_default()),
    }
}

fn state(style: &Style, state: StorageState) -> String {
    match state {
        StorageState::Bound => style.good(state.word()),
        StorageState::Lost | StorageState::Failed => style.bad(state.word()),
        StorageState::Available => state.word().to_owned(),
        _ => style.changed(state.word()),
    }
}

fn coloured(style: &Style, percent: u64) -> String {
    let text = format!("{percent}%");
    match percent {
        FULL.. => style.bad(text),
        HIGH.. => style.changed(text),
        _ => text,
    }
}

/// The pods, as long as they are few; else how many there are.
fn mounted_by(item: &StorageItem) -> String {
    match item.pods.as_slice() {
        pods @ ([] | [_] | [_, _]) => pods.join(", "),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// As kubectl abbreviates access modes.
fn short_access(mode: &str) -> String {
    match mode {
        "ReadWriteOnce" => "RWO".into(),
        "ReadOnlyMany" => "ROX".into(),
        "ReadWriteMany" => "RWX".into(),
        "ReadWriteOncePod" => "RWOP".into(),
        other => other.into(),
    }
}

fn draw_reasons(out: &mut dyn Write, style: &Style, report: &StorageReport) -> io::Result<()> {
    for item in &report.items {
        if let Some(reason) = &item.reason {
            writeln!(out, "{} {}: {reason}", state(style, item.state), name(item))?;
        }
        if let Some(forecast) = &item.forecast {
            let (grows, over) = (size(forecast.bytes_per_hour), span(forecast.over));
            let line = format!("full in {}: it grew {grows} an hour over {over}", span(forecast.full_in));
            writeln!(out, "{} {line}", style.strong(format!("{}:", name(item))))?;
        }
    }
    let mut unmeasured: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in &report.items {
        if let Some(why) = &item.unmeasured {
            unmeasured.entry(why).or_default().push(name(item));
        }
    }
    for (why, names) in unmeasured {
        let names = match names.as_slice() {
            [first, second, third, others @ ..] if !others.is_empty() => {
                format!("{first}, {second}, {third} and {} more", others.len())
            }
            names => names.join(", "),
        };
        writeln!(out, "{} {names}: {why}", style.changed("not measured"))?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "{} {note}", style.faint("note:")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Forecast, VolumeUsage};

    fn report() -> StorageReport {
        let usage = VolumeUsage {
            size: 16 << 20,
            used: 12 << 20,
            free: 4 << 20,
            inodes: Some(1000),
            inodes_used: Some(20),
            ..VolumeUsage::default()
        };
        let full = StorageItem {
            namespace: Some("shop".into()),
            claim: Some("data-db-0".into()),
            volume: Some("pv-1".into()),
            requested: Some(16 << 20),
            capacity: Some(16 << 20),
            class: Some("standard".into()),
            access: vec!["ReadWriteOnce".into()],
            nodes: vec!["n1".into()],
            pods: vec!["db-0".into()],
            usage: Some(usage),
            forecast: Some(Forecast { bytes_per_hour: 2 << 20, full_in: 7200, over: 600 }),
            ..StorageItem::default()
        };
        let pending = StorageItem {
            namespace: Some("shop".into()),
            claim: Some("lonely".into()),
            state: StorageState::Pending,
            reason: Some("it waits for a pod that mounts it".into()),
            requested: Some(8 << 20),
            ..StorageItem::default()
        };
        let blind = StorageItem {
            claim: Some("new".into()),
            pods: vec!["a".into(), "b".into(), "c".into()],
            unmeasured: Some("its node has not counted it yet".into()),
            ..StorageItem::default()
        };
        StorageReport {
            namespaces: vec!["shop".into()],
            items: vec![full, pending, blind],
            notes: vec!["volumes without a claim are not listed: 403".into()],
        }
    }

    fn drawn(report: &StorageReport, format: StorageFormat) -> String {
        let mut out = Vec::new();
        draw_storage(&mut out, &Style::default(), report, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_is_followed_by_reasons() {
        let expected = "\
CLAIM       STATE     REQUESTED   CAPACITY   USED   FREE   USE%   INODES%   FULL IN   MOUNTED BY
data-db-0   bound     16Mi        16Mi       12Mi   4Mi    75%    2%        2h        db-0
lonely      pending   8Mi
new         bound                                                                     a and 2 more
data-db-0: full in 2h: it grew 2Mi an hour over 10m
pending lonely: it waits for a pod that mounts it
not measured new: its node has not counted it yet
note: volumes without a claim are not listed: 403
";
        assert_eq!(drawn(&report(), StorageFormat::Human), expected);
    }

    #[test]
    fn names_wide_columns_and_nothing_at_all() {
        assert!(drawn(&report(), StorageFormat::Name).starts_with("persistentvolumeclaim/data-db-0\n"));
        let wide = drawn(&report(), StorageFormat::Wide);
        assert!(wide.contains("standard   RWO      n1     pv-1     kubelet   db-0"), "{wide}");
        let nothing = StorageReport { namespaces: vec!["shop".into()], ..StorageReport::default() };
        assert_eq!(drawn(&nothing, StorageFormat::Human), "there is no claim in namespace shop\n");
    }
}
