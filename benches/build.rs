//! Compiles the C sides of the comparisons, optimised whatever the profile.

fn main() {
    println!("cargo::rerun-if-changed=c");
    cc::Build::new()
        .files(["c/netdma.c", "c/nmr.c", "c/rundown.c"])
        .std("c11")
        .flag_if_supported("/experimental:c11atomics")
        .opt_level(2)
        .warnings(true)
        .compile("benches");
}
