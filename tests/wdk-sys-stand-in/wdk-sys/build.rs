//! Writes `call_unsafe_wdf_function_binding!`, which has to name the file of the types literally.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let types = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src/types.rs");
    let text = format!(
        r##"
#[macro_export]
macro_rules! call_unsafe_wdf_function_binding {{
    ($($tokens:tt)*) => {{
        $crate::__proc_macros::call_unsafe_wdf_function_binding!(r#"{}"#, $($tokens)*)
    }};
}}
"##,
        types.display()
    );
    let output = Path::new(&env::var_os("OUT_DIR").unwrap()).join("macro.rs");
    fs::write(output, text).unwrap();
}
