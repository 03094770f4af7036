//! Sets of fields, as trees.
//!
//! The operations mean what those of structured-merge-diff (`fieldpath/set.go`) mean; a parent and its children are
//! members independently of each other.

use std::cmp::Ordering;

use super::{
    element::Element,
    types::{Form, Place},
};

/// A set of fields of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set<'a> {
    /// Sorted by element; each is a member or has members below it.
    nodes: Vec<Node<'a>>,
}

/// A step, and what of it is in the set.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    pub element: Element<'a>,
    /// Whether the field itself is in the set.
    pub member: bool,
    pub below: Set<'a>,
}

impl<'a> Node<'a> {
    pub fn new(element: Element<'a>, member: bool, below: Set<'a>) -> Self {
        Self { element, member, below }
    }
}

impl<'a> Set<'a> {
    /// Of nodes in any order, each element once; those that hold nothing are dropped.
    pub fn of(mut nodes: Vec<Node<'a>>) -> Self {
        nodes.retain(|node| node.member || !node.below.is_empty());
        if !nodes.is_sorted_by(|a, b| a.element < b.element) {
            nodes.sort_by(|a, b| a.element.cmp(&b.element));
            nodes.dedup_by(|later, kept| {
                let same = later.element == kept.element;
                if same {
                    kept.member |= later.member;
                    kept.below = kept.below.union(&later.below);
                }
                same
            });
        }
        Self { nodes }
    }

    /// The set of one path of field names.
    pub fn path(names: &[&'a str]) -> Self {
        match names {
            [] => Self::default(),
            [name, rest @ ..] => {
                Self { nodes: vec![Node::new(Element::field(name), rest.is_empty(), Self::path(rest))] }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    pub fn node(&self, element: &Element<'_>) -> Option<&Node<'a>> {
        let position = self.nodes.binary_search_by(|node| compare(&node.element, element)).ok()?;
        self.nodes.get(position)
    }

    /// What is in either.
    pub fn union(&self, other: &Self) -> Self {
        self.join(other, |a, b| match (a, b) {
            (Some(a), Some(b)) => Some(Node::new(a.element.clone(), a.member || b.member, a.below.union(&b.below))),
            (one, other) => one.or(other).cloned(),
        })
    }

    /// What is in both.
    pub fn intersection(&self, other: &Set<'_>) -> Self {
        self.join(other, |a, b| {
            let (a, b) = (a?, b?);
            Some(Node::new(a.element.clone(), a.member && b.member, a.below.intersection(&b.below)))
        })
    }

    /// What is here and not there: members only, whatever becomes of their parents.
    pub fn difference(&self, other: &Set<'_>) -> Self {
        self.join(other, |a, b| {
            let a = a?;
            let Some(b) = b else { return Some(a.clone()) };
            Some(Node::new(a.element.clone(), a.member && !b.member, a.below.difference(&b.below)))
        })
    }

    /// What is here, without the members of the other set and everything below them.
    pub fn without(&self, other: &Set<'_>) -> Self {
        self.join(other, |a, b| {
            let a = a?;
            match b {
                None => Some(a.clone()),
                Some(b) if b.member => None,
                Some(b) => Some(Node::new(a.element.clone(), a.member, a.below.without(&b.below))),
            }
        })
    }

    /// Whether every member is a member there too.
    pub fn is_within(&self, other: &Set<'_>) -> bool {
        self.nodes.iter().all(|node| {
            let there = other.node(&node.element);
            there.is_some_and(|there| (!node.member || there.member) && node.below.is_within(&there.below))
        })
    }

    /// With the named fields on the way to each member as members: named fields are there because of their children.
    pub(super) fn with_named_fields(&self, place: Place<'_>) -> Self {
        let named = |node: &Node<'a>| {
            let (child, named) = match &node.element {
                Element::Field(name) => place.child(name),
                _ => (place.item(), false),
            };
            let named = named && matches!(place.form, Form::Struct(_) | Form::AtomicMap(_)) && !node.below.is_empty();
            Node::new(node.element.clone(), node.member || named, node.below.with_named_fields(child))
        };
        Self { nodes: self.nodes.iter().map(named).collect() }
    }

    /// The paths of all members as messages name them, those of one level before those below.
    pub fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_paths("", &mut found);
        found
    }

    fn collect_paths(&self, prefix: &str, found: &mut Vec<String>) {
        found.extend(self.nodes.iter().filter(|node| node.member).map(|node| format!("{prefix}{}", node.element)));
        for node in self.nodes.iter().filter(|node| !node.below.is_empty()) {
            node.below.collect_paths(&format!("{prefix}{}", node.element), found);
        }
    }

    /// Goes through both in their order, and keeps what `pick` makes of each element.
    fn join<'b>(
        &self,
        other: &Set<'b>,
        pick: impl Fn(Option<&Node<'a>>, Option<&Node<'b>>) -> Option<Node<'a>>,
    ) -> Self {
        let (mut ours, mut theirs) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        let mut nodes = Vec::with_capacity(self.nodes.len());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => compare(&a.element, &b.element),
            };
            let a = if order.is_le() { ours.next() } else { None };
            let b = if order.is_ge() { theirs.next() } else { None };
            nodes.extend(pick(a, b).filter(|node| node.member || !node.below.is_empty()));
        }
        Self { nodes }
    }
}

/// Elements of different lifetimes in the one order.
fn compare(a: &Element<'_>, b: &Element<'_>) -> Ordering {
    a.cmp(b)
}
