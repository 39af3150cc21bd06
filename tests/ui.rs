//! What must not compile: each file of `tests/ui` breaks one rule, and its `.stderr` says how the compiler refuses it.

use simkernel as _;

#[test]
fn what_must_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
