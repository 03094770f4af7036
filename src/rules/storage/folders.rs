//! What fills a volume, by `du -k`.

use crate::model::FolderSize;

/// The total, and the largest folders below the mount, by what `du -k` printed of it.
pub fn folders(text: &str, path: &str, top: usize) -> Option<(u64, Vec<FolderSize>)> {
    let mut found: Vec<FolderSize> = text
        .lines()
        .filter_map(|line| {
            let (kilobytes, folder) = line.split_once(|letter: char| letter.is_whitespace())?;
            let bytes = kilobytes.parse::<u64>().ok()?.saturating_mul(1024);
            Some(FolderSize { path: folder.trim_start().to_owned(), bytes })
        })
        .collect();
    let root = found.iter().position(|folder| folder.path.trim_end_matches('/') == path.trim_end_matches('/'))?;
    let total = found.swap_remove(root).bytes;
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    found.truncate(top);
    Some((total, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first_and_the_mount_is_the_total() {
        let text = "4\t/data/a\n1024\t/data/with space\n12\t/data/b/c\n16\t/data/b\n1060\t/data\n";
        let (total, found) = folders(text, "/data/", 2).unwrap();
        let paths: Vec<&str> = found.iter().map(|folder| folder.path.as_str()).collect();
        assert_eq!((total, paths), (1060 << 10, vec!["/data/with space", "/data/b"]));
        assert_eq!(folders("du: /data: No such file or directory\n", "/data", 5), None);
    }
}
