//! The objects of a list, cut out of its JSON while it arrives.

/// Where in a list the next byte is.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// What has arrived of the object that is not whole yet.
    begun: Vec<u8>,
    /// How many braces and brackets are open.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether the array of objects has begun; it is the only array that a list has beside its metadata.
    in_items: bool,
    /// Whether the list's own brace was closed.
    ended: bool,
}

/// The depth within the array of objects: the list's brace and the array's bracket are open.
const WITHIN: usize = 2;

impl Items {
    /// Takes the next piece, and tells each object that is whole with it.
    ///
    /// # Errors
    /// What `each` fails with.
    pub fn take<E>(&mut self, piece: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        // Where in the piece the object begins that is read; one that began before begins the piece.
        let mut start = (!self.begun.is_empty()).then_some(0);
        for (place, byte) in piece.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    if self.depth == 1 && *byte == b'[' {
                        self.in_items = true;
                    }
                    if self.depth == WITHIN && self.in_items {
                        start = Some(place);
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    match self.depth {
                        0 => self.ended = true,
                        1 => self.in_items = false,
                        WITHIN if self.in_items => {
                            let last = start.take().and_then(|start| piece.get(start..=place)).unwrap_or_default();
                            self.tell(last, &mut each)?;
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        self.begun.extend_from_slice(start.and_then(|start| piece.get(start..)).unwrap_or_default());
        Ok(())
    }

    fn tell<E>(&mut self, last: &[u8], each: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.begun.is_empty() {
            return each(last);
        }
        self.begun.extend_from_slice(last);
        let told = each(&self.begun);
        self.begun.clear();
        told
    }

    /// Whether the list has come to its end.
    pub fn is_whole(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"1","x":[1]},"items":[{"a":"}\\\"]{","b":[{"c":1}]},{},
        {"d":{"e":[]}}],"more":[3]}"#;

    fn cut(pieces: &[&[u8]]) -> (Vec<String>, bool) {
        let (mut items, mut told) = (Items::default(), Vec::new());
        for piece in pieces {
            items
                .take(piece, |item| {
                    told.push(String::from_utf8(item.to_vec()).unwrap());
                    Ok::<_, ()>(())
                })
                .unwrap();
        }
        (told, items.is_whole())
    }

    #[test]
    fn objects_are_cut_out_whole() {
        let (told, whole) = cut(&[LIST.as_bytes()]);
        assert_eq!(told, [r#"{"a":"}\\\"]{","b":[{"c":1}]}"#, "{}", r#"{"d":{"e":[]}}"#]);
        assert!(whole && !cut(&[&LIST.as_bytes()[..40]]).1);
        assert_eq!(cut(&[br#"{"items":null}"#]), (vec![], true));
    }

    proptest! {
        #[test]
        fn where_the_pieces_end_makes_no_difference(cuts in prop::collection::vec(0..LIST.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.extend([0, LIST.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &LIST.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(cut(&pieces), cut(&[LIST.as_bytes()]));
        }

        #[test]
        fn nothing_makes_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            cut(&[&bytes]);
        }
    }
}
