//! Stands in for `wdk-build` 0.6.0 in type checks. Configures nothing.

#[allow(missing_docs)]
#[derive(Debug)]
pub enum ConfigError {}

#[allow(missing_docs)]
pub fn configure_wdk_binary_build() -> Result<(), ConfigError> {
    Ok(())
}
