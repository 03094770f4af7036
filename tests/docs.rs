//! The examples in the pages work: every `console` block is run, in the folder `PAGE.in` beside its page.

#[test]
fn the_examples_in_the_pages_work() {
    trycmd::TestCases::new().case("docs/*.md").env("KUBECONFIG", "none").env("NO_COLOR", "1");
}
