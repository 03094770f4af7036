//! The report of `check`, a format for each reader: a person, SARIF, JUnit, GitHub.

mod github;
mod human;
mod junit;
mod sarif;

pub use github::draw_github;
pub use human::draw_check;
pub use junit::draw_junit;
pub use sarif::draw_sarif;

#[cfg(test)]
mod tests;
