//! From an INF source to an INF that Wine understands.
//!
//! The source is stamped as `stampinf` does it, and changed in two points that Wine needs and Windows does not:
//!
//! * Wine looks for a models section by its architecture only, so the section for the oldest system loses its version.
//! * Wine runs drivers of the same load order group in one process, and two drivers that are to meet must be in one.

/// The group, which Wine itself does not use. Windows knows it.
pub(crate) const GROUP: &str = "Extended Base";

/// What was done to the source, for the reader of the test's output.
pub(crate) struct Stamped {
    pub(crate) text: String,
    pub(crate) changes: Vec<String>,
}

pub(crate) fn stamp(source: &str) -> Stamped {
    let stamped = source.replace("$ARCH$", "amd64");
    let mut changes = Vec::new();
    let mut text = String::new();
    let decorated = oldest(&stamped);
    for line in stamped.lines() {
        let mut line = line.to_owned();
        if let Some(decoration) = &decorated {
            let code = line.split(';').next().unwrap_or_default();
            let named = code.starts_with('[') || code.contains('=');
            let changed = undecorate(&line, decoration);
            if named && changed != line {
                changes.push(format!("{:?} instead of {:?}", changed.trim(), line.trim()));
                line = changed;
            }
        }
        let service = line
            .split_once('=')
            .is_some_and(|(key, _)| key.trim() == "ServiceBinary");
        text += &line;
        text += "\r\n";
        if service {
            let group = format!("LoadOrderGroup = {GROUP}");
            text += &group;
            text += "\r\n";
            changes.push(format!("{group:?} added"));
        }
    }
    Stamped { text, changes }
}

/// The first decoration with a version in the manufacturer section: `NTamd64.6.0`.
fn oldest(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.eq_ignore_ascii_case("[Manufacturer]"))?;
    let models = lines
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.split_once('='))?;
    let first = models.1.split(',').nth(1)?.trim();
    first.starts_with("NTamd64.").then(|| first.to_owned())
}

/// `line` with the decoration cut down to its architecture, where it stands by itself.
fn undecorate(line: &str, decoration: &str) -> String {
    let Some((before, after)) = line.split_once(decoration) else {
        return line.to_owned();
    };
    let whole = !after.starts_with(|next: char| next == '.' || next.is_ascii_digit());
    let kept = if whole { "NTamd64" } else { decoration };
    format!("{before}{kept}{}", undecorate(after, decoration))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "[Manufacturer]\n%P% = M,NT$ARCH$.6.0,NT$ARCH$.6.2\n[M.NT$ARCH$.6.0]\nx = y\n[M.NT$ARCH$.6.2]\n\
                          [S]\nServiceBinary = %12%\\a.sys\n";

    #[test]
    fn the_oldest_models_section_loses_its_version_and_the_service_gets_a_group() {
        let Stamped { text, changes } = stamp(SOURCE);
        let expected = "[Manufacturer]\r\n%P% = M,NTamd64,NTamd64.6.2\r\n[M.NTamd64]\r\nx = y\r\n[M.NTamd64.6.2]\r\n\
                        [S]\r\nServiceBinary = %12%\\a.sys\r\nLoadOrderGroup = Extended Base\r\n";
        assert_eq!(text, expected);
        assert_eq!(changes.len(), 3, "{changes:?}");
    }

    #[test]
    fn a_longer_version_is_another_decoration() {
        assert_eq!(
            undecorate("a,NTamd64.6.0.1,NTamd64.6.0", "NTamd64.6.0"),
            "a,NTamd64.6.0.1,NTamd64"
        );
    }
}
