//! How full volumes are, by the kubelet and by `df`.

use serde_json::Value;

use crate::{
    model::{UsageSource, VolumeUsage},
    rules::fields::{list, text},
};

/// The claims in a kubelet's `/stats/summary`, by namespace and name. A pod that has just begun has no figures for about
/// a minute.
///
/// Source: `k8s.io/kubelet/pkg/apis/stats/v1alpha1`, `VolumeStats`.
pub fn node_usage(summary: &Value) -> Vec<((String, String), VolumeUsage)> {
    let volumes = list(summary, "/pods").iter().flat_map(|pod| list(pod, "/volume"));
    let read = |volume: &Value| {
        let number = |key: &str| volume.get(key).and_then(Value::as_u64);
        let claim = (text(volume, "/pvcRef/namespace").to_owned(), text(volume, "/pvcRef/name").to_owned());
        let usage = VolumeUsage {
            size: number("capacityBytes")?,
            used: number("usedBytes")?,
            free: number("availableBytes")?,
            inodes: number("inodes"),
            inodes_used: number("inodesUsed"),
            source: UsageSource::Kubelet,
            time: text(volume, "/time").to_owned(),
        };
        Some((claim, usage)).filter(|((_, name), _)| !name.is_empty())
    };
    volumes.filter_map(read).collect()
}

/// What `df -P -k` and `df -P -i` print of one path; None where the first cannot be read. The second may be missing.
pub fn df_usage(blocks: &str, inodes: &str, time: &str) -> Option<VolumeUsage> {
    let [size, used, free] = columns(blocks)?;
    let inodes = columns(inodes);
    Some(VolumeUsage {
        size: size.saturating_mul(1024),
        used: used.saturating_mul(1024),
        free: free.saturating_mul(1024),
        inodes: inodes.map(|[inodes, ..]| inodes),
        inodes_used: inodes.map(|[_, used, _]| used),
        source: UsageSource::Df,
        time: time.to_owned(),
    })
}

/// The three numbers behind the name of the file system, which may hold spaces: those before the last percentage.
fn columns(text: &str) -> Option<[u64; 3]> {
    let words: Vec<&str> = text.lines().last()?.split_whitespace().collect();
    let percent = words.iter().rposition(|word| word.ends_with('%') || *word == "-").filter(|at| *at >= 3)?;
    let number = |at: usize| words.get(at)?.parse().ok();
    Some([number(percent - 3)?, number(percent - 2)?, number(percent - 1)?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn the_kubelet_tells_of_claims_only() {
        let summary = yaml(
            "{pods: [{podRef: {name: db-0}, volume: [{name: token, capacityBytes: 9, usedBytes: 1, availableBytes: 8},
              {time: 2026-11-21T16:36:51Z, availableBytes: 4194304, capacityBytes: 16777216, usedBytes: 12582912, inodes: 100,
               inodesUsed: 2, name: data, pvcRef: {name: data-db-0, namespace: shop}}]}, {podRef: {name: new}}]}",
        );
        let found = node_usage(&summary);
        let [(claim, usage)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(claim, &("shop".to_owned(), "data-db-0".to_owned()));
        assert_eq!((usage.percent(), usage.inodes_percent()), (75, Some(2)));
    }

    #[test]
    fn df_of_busybox_and_of_coreutils_reads_alike() {
        let busybox = "Filesystem           1024-blocks    Used Available Capacity Mounted on\n\
                       tmpfs                    16384     12288      4096  75% /data\n";
        let inodes = "Filesystem              Inodes      Used Available Capacity Mounted on\n\
                      tmpfs                  3085510         2   3085508   0% /data\n";
        let usage = df_usage(busybox, inodes, "now").unwrap();
        assert_eq!((usage.size, usage.used, usage.free), (16 << 20, 12 << 20, 4 << 20));
        assert_eq!(usage.inodes_used, Some(2));
        let spaces = "Filesystem 1024-blocks Used Available Capacity Mounted on\n//nas/a share 10 4 6 40% /my files\n";
        assert_eq!(df_usage(spaces, "", "now").map(|usage| (usage.size, usage.inodes)), Some((10 << 10, None)));
        assert_eq!(df_usage("df: /x: No such file or directory\n", "", "now"), None);
    }

    proptest! {
        #[test]
        fn no_text_stops_the_reader(text in "[ -~\n%0-9]{0,80}") {
            let _ = df_usage(&text, &text, "");
        }
    }
}
