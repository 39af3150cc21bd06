//! The table and the file with the results.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

/// One result.
struct Row {
    name: String,
    value: Option<f64>,
    unit: &'static str,
    /// What the value is to be, on this side of it.
    goal: Option<f64>,
    side: Side,
    remark: String,
}

/// On which side of its goal a value is to be.
#[derive(Clone, Copy)]
enum Side {
    AtMost,
    AtLeast,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::AtMost => "at most",
            Self::AtLeast => "at least",
        }
    }
}

/// All results.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Row {
    /// Whether the goal is met; `None` if there is none. What was not measured is not met.
    fn met(&self) -> Option<bool> {
        let goal = self.goal?;
        Some(self.value.is_some_and(|value| match self.side {
            Side::AtMost => value <= goal,
            Side::AtLeast => value >= goal,
        }))
    }
}

impl Report {
    /// A result, with what it is to be at most.
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        goal: Option<f64>,
        remark: impl Into<String>,
    ) {
        self.rows.push(Row {
            name: name.into(),
            value: Some(value),
            unit,
            goal,
            side: Side::AtMost,
            remark: remark.into(),
        });
    }

    /// A result, with what it is to be at least.
    #[allow(dead_code, reason = "not every benchmark has such a goal")]
    pub(crate) fn add_at_least(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        goal: Option<f64>,
        remark: impl Into<String>,
    ) {
        self.add(name, value, unit, goal, remark);
        if let Some(row) = self.rows.last_mut() {
            row.side = Side::AtLeast;
        }
    }

    /// A result that there is not, and why.
    pub(crate) fn add_missing(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        goal: Option<f64>,
        reason: &str,
    ) {
        self.rows.push(Row {
            name: name.into(),
            value: None,
            unit,
            goal,
            side: Side::AtMost,
            remark: format!("not measured: {reason}"),
        });
    }

    /// Prints the table and writes the file.
    pub(crate) fn finish(self, name: &str) -> ExitCode {
        println!("{}", self.table());
        match self.write(name) {
            Ok(path) => {
                println!("written to {}", path.display());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("the results were not written: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max();
        let width = width.unwrap_or(0);
        let mut table = format!(
            "{:<width$}  {:>9}  {:<14}  {:>10}  met\n",
            "", "value", "unit", "goal"
        );
        for row in &self.rows {
            let value = row.value.map_or("-".into(), |value| format!("{value:.2}"));
            let sign = match row.side {
                Side::AtMost => "<=",
                Side::AtLeast => ">=",
            };
            let goal = row
                .goal
                .map_or("".into(), |goal| format!("{sign} {goal:.2}"));
            let met = match row.met() {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            let line = format!(
                "{:<width$}  {value:>9}  {:<14}  {goal:>10}  {met:<3}  {}",
                row.name, row.unit, row.remark
            );
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table
    }

    fn write(&self, name: &str) -> io::Result<PathBuf> {
        let directory = target_directory()?.join("bench");
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{name}.json"));
        fs::write(&path, self.json())?;
        Ok(path)
    }

    fn json(&self) -> String {
        let number =
            |value: Option<f64>| value.map_or("null".into(), |value| format!("{value:.4}"));
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                format!(
                    "  {{\"name\": {}, \"value\": {}, \"unit\": {}, \"goal\": {}, \"goal_is\": {}, \"met\": {}, \"remark\": {}}}",
                    quoted(&row.name),
                    number(row.value),
                    quoted(row.unit),
                    number(row.goal),
                    quoted(row.side.name()),
                    row.met().map_or("null".into(), |met| met.to_string()),
                    quoted(&row.remark),
                )
            })
            .collect();
        format!("[\n{}\n]\n", rows.join(",\n"))
    }
}

/// The target directory: this program lies in its `<profile>/deps`.
fn target_directory() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    program
        .ancestors()
        .nth(3)
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("the program is not in a target directory"))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
