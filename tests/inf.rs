//! The INF source of the example driver says what the driver is and needs. Each check is also shown to fail on a broken INF.

use std::collections::BTreeMap;

const INF: &str = include_str!("../inf/netdma-kmdf.inx");
const STUB: &str = include_str!("../src/kmdf/stub.rs");
const MANIFEST: &str = include_str!("../examples/netdma-kmdf/Cargo.toml");

/// Lines by section; names in lower case, comments and blank lines left out.
type Inf = BTreeMap<String, Vec<String>>;

fn parse(text: &str) -> Inf {
    let mut inf = Inf::new();
    let mut section = String::new();
    for line in text.lines() {
        let mut quoted = false;
        let code = line.split(|c| {
            quoted ^= c == '"';
            c == ';' && !quoted
        });
        let line = code.into_iter().next().unwrap_or("").trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_lowercase().replace("nt$arch$", "ntamd64");
            inf.entry(section.clone()).or_default();
        } else if !line.is_empty() {
            let lines = inf.entry(section.clone()).or_default();
            lines.push(line.replace("NT$ARCH$", "NTamd64"));
        }
    }
    inf
}

/// The fields behind `key =` in `section`.
fn value(inf: &Inf, section: &str, key: &str) -> Option<Vec<String>> {
    inf.get(section)?.iter().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case(key).then(|| fields(value))
    })
}

fn fields(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(|field| field.trim().trim_matches('"').to_string())
        .collect()
}

/// Sections that the system looks for by their names.
const ROOTS: [&str; 6] = [
    "version",
    "destinationdirs",
    "sourcedisksnames",
    "sourcedisksfiles",
    "manufacturer",
    "strings",
];

/// Sections that others name, directly or by a suffix.
fn referenced(inf: &Inf) -> Vec<String> {
    let mut names = Vec::new();
    for line in inf.get("manufacturer").into_iter().flatten() {
        let models = fields(line.split_once('=').map_or("", |(_, models)| models));
        for decoration in models.iter().skip(1) {
            names.push(format!("{}.{decoration}", models[0]).to_lowercase());
        }
    }
    for models in names.clone() {
        for line in inf.get(&models).into_iter().flatten() {
            let install = fields(line.split_once('=').map_or("", |(_, install)| install));
            for suffix in ["nt", "nt.hw", "nt.services", "nt.wdf"] {
                names.push(format!("{}.{suffix}", install[0]).to_lowercase());
            }
        }
    }
    for name in names.clone() {
        for (key, skip) in [
            ("CopyFiles", 0),
            ("AddReg", 0),
            ("AddService", 2),
            ("KmdfService", 1),
        ] {
            let found = value(inf, &name, key).unwrap_or_default();
            names.extend(found.iter().skip(skip).map(|name| name.to_lowercase()));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// What is wrong with the INF; empty if nothing is.
fn problems(text: &str) -> Vec<&'static str> {
    let inf = parse(text);
    let mut problems = Vec::new();
    let mut check = |holds: bool, problem| {
        if !holds {
            problems.push(problem);
        }
    };
    let is = |section: &str, key: &str, expected: &str| {
        value(&inf, section, key)
            .is_some_and(|found| found.join(",").eq_ignore_ascii_case(expected))
    };
    let referenced = referenced(&inf);
    check(
        referenced.iter().all(|name| inf.contains_key(name)),
        "a referenced section is missing",
    );
    check(
        inf.keys()
            .all(|name| ROOTS.contains(&name.as_str()) || referenced.contains(name)),
        "a section is not referenced",
    );

    let binary = MANIFEST
        .lines()
        .skip_while(|line| *line != "[lib]")
        .find_map(|line| line.strip_prefix("name = "))
        .map(|name| format!("{}.sys", name.trim_matches('"')))
        .unwrap();
    check(
        is(
            "netdmakmdf.service",
            "ServiceBinary",
            &format!("%12%\\{binary}"),
        ),
        "the service binary is not the one that is built",
    );
    check(
        inf.get("netdmakmdf.files")
            .is_some_and(|files| *files == [binary.clone()])
            && value(&inf, "sourcedisksfiles", &binary).is_some(),
        "the binary is not copied",
    );

    let manufacturer = inf
        .get("manufacturer")
        .map_or("", |lines| lines[0].as_str());
    check(
        manufacturer.ends_with("Engines,NTamd64.6.0,NTamd64.6.2"),
        "the decorations are not those of Vista and Windows 8",
    );
    check(
        inf.get("engines.ntamd64.6.0").is_some_and(|models| {
            matches!(&models[..], [model] if model.ends_with(r"NetDmaKmdf,Root\NetDmaKmdf"))
        }),
        "there is no hardware id for Vista",
    );
    check(
        inf.get("engines.ntamd64.6.2").is_some_and(Vec::is_empty),
        "Windows 8 is offered the driver",
    );

    check(
        is("version", "Class", "System")
            && is(
                "version",
                "ClassGuid",
                "{4D36E97D-E325-11CE-BFC1-08002BE10318}",
            ),
        "the class is not the system devices'",
    );
    check(
        value(&inf, "version", "CatalogFile").is_some(),
        "there is no catalog",
    );

    let registry = || {
        inf.values()
            .flatten()
            .filter(|line| line.starts_with("HKR,"))
    };
    let message_property = |name: &str| {
        let key = r"Interrupt Management\MessageSignaledInterruptProperties";
        registry().map(|line| fields(line)).find_map(|fields| {
            (fields.get(1)? == key && fields.get(2)? == name && fields.get(3)? == "0x00010001")
                .then(|| fields.get(4)?.parse::<u32>().ok())?
        })
    };
    check(
        message_property("MSISupported") == Some(1),
        "messages are not supported",
    );
    check(
        message_property("MessageNumberLimit").is_some_and(|limit| (1..=2048).contains(&limit)),
        "there is no message limit",
    );
    check(
        !registry().any(|line| line.to_lowercase().contains("affinity policy")),
        "an affinity policy overrides NetDMA's",
    );

    let bound = |name: &str| {
        let number = STUB.lines().find_map(|line| line.trim().strip_prefix(name));
        number.unwrap().trim_end_matches(',').to_string()
    };
    let version = format!("{}.{}", bound("Major: "), bound("Minor: "));
    check(
        is("netdmakmdf.framework", "KmdfLibraryVersion", &version),
        "the framework version is not the one that is bound",
    );
    problems
}

#[test]
fn the_inf_of_the_example_is_in_order() {
    assert_eq!(problems(INF), <[&str; 0]>::default());
}

#[test]
fn each_check_fails_on_an_inf_that_is_broken_there() {
    let breakages = [
        (
            "CopyFiles = NetDmaKmdf.Files",
            "CopyFiles = Nowhere",
            "a referenced section is missing",
        ),
        (
            "[Strings]",
            "[Orphan]\nx = 1\n[Strings]",
            "a section is not referenced",
        ),
        (
            r"%12%\netdma_kmdf.sys",
            r"%12%\other.sys",
            "the service binary is not the one that is built",
        ),
        (
            "netdma_kmdf.sys = 1",
            "other.sys = 1",
            "the binary is not copied",
        ),
        (
            ",NT$ARCH$.6.2",
            "",
            "the decorations are not those of Vista and Windows 8",
        ),
        (
            r"NetDmaKmdf,Root\NetDmaKmdf",
            "NetDmaKmdf",
            "there is no hardware id for Vista",
        ),
        (
            "[Engines.NT$ARCH$.6.2]",
            "[Engines.NT$ARCH$.6.2]\n%Device% = NetDmaKmdf,Root\\X",
            "Windows 8 is offered the driver",
        ),
        (
            "Class = System",
            "Class = Net",
            "the class is not the system devices'",
        ),
        (
            "4D36E97D",
            "4D36E972",
            "the class is not the system devices'",
        ),
        ("CatalogFile", ";CatalogFile", "there is no catalog"),
        (
            "MSISupported,0x00010001,1",
            "MSISupported,0x00010001,0",
            "messages are not supported",
        ),
        (
            "MessageNumberLimit,0x00010001,32",
            "MessageNumberLimit,0x00010001,0",
            "there is no message limit",
        ),
        (
            "[NetDmaKmdf.NT.Services]",
            "HKR,\"Interrupt Management\\Affinity Policy\",DevicePolicy,0x00010001,4\n[NetDmaKmdf.NT.Services]",
            "an affinity policy overrides NetDMA's",
        ),
        (
            "KmdfLibraryVersion = 1.7",
            "KmdfLibraryVersion = 1.9",
            "the framework version is not the one that is bound",
        ),
    ];
    for (sound, broken, problem) in breakages {
        let text = INF.replacen(sound, broken, 1);
        assert_ne!(text, INF, "{sound} is not in the INF");
        assert!(
            problems(&text).contains(&problem),
            "{broken:?}: {:?}",
            problems(&text)
        );
    }
}

const CLIENT: &str = include_str!("../inf/nmr-client.inx");
const CLIENT_MANIFEST: &str = include_str!("../examples/nmr-client/Cargo.toml");

/// What is wrong with the client's INF: it has no hardware, and is for every Windows from Vista on.
fn client_problems(text: &str) -> Vec<&'static str> {
    let inf = parse(text);
    let mut referenced = referenced(&inf);
    referenced.retain(|name| !name.ends_with(".hw"));
    let binary = CLIENT_MANIFEST
        .lines()
        .skip_while(|line| *line != "[lib]")
        .find_map(|line| line.strip_prefix("name = "))
        .map(|name| format!("{}.sys", name.trim_matches('"')))
        .unwrap();
    let is = |section: &str, key: &str, expected: &str| {
        value(&inf, section, key)
            .is_some_and(|found| found.join(",").eq_ignore_ascii_case(expected))
    };
    let bound = |name: &str| {
        let number = STUB.lines().find_map(|line| line.trim().strip_prefix(name));
        number.unwrap().trim_end_matches(',').to_string()
    };
    let version = format!("{}.{}", bound("Major: "), bound("Minor: "));
    let known = |name: &String| ROOTS.contains(&name.as_str()) || referenced.contains(name);
    let models = inf.get("clients.ntamd64.6.0");
    let checks = [
        (
            referenced.iter().all(|name| inf.contains_key(name)),
            "a referenced section is missing",
        ),
        (inf.keys().all(known), "a section is not referenced"),
        (
            is("nmrclient.service", "ServiceBinary", &format!(r"%12%\{binary}"))
                && inf.get("nmrclient.files").is_some_and(|files| *files == [binary.clone()])
                && value(&inf, "sourcedisksfiles", &binary).is_some(),
            "the service binary is not the one that is built",
        ),
        (
            models.is_some_and(|models| {
                matches!(&models[..], [model] if model.ends_with(r"NmrClient,Root\NmrClient"))
            }),
            "there is no hardware id for Vista and later",
        ),
        (
            is("nmrclient.framework", "KmdfLibraryVersion", &version),
            "the framework version is not the one that is bound",
        ),
        (
            !text.contains("Interrupt Management"),
            "it asks for interrupts",
        ),
    ];
    let failed = checks.into_iter().filter(|(holds, _)| !holds);
    failed.map(|(_, problem)| problem).collect()
}

#[test]
fn the_inf_of_the_client_is_in_order_and_each_check_can_fail() {
    assert_eq!(client_problems(CLIENT), <[&str; 0]>::default());
    for (sound, broken, problem) in [
        (
            "CopyFiles = NmrClient.Files",
            "CopyFiles = Nowhere",
            "a referenced section is missing",
        ),
        (
            "[Strings]",
            "[Orphan]\nx = 1\n[Strings]",
            "a section is not referenced",
        ),
        (
            r"%12%\nmr_client.sys",
            r"%12%\other.sys",
            "the service binary is not the one that is built",
        ),
        (
            r"NmrClient,Root\NmrClient",
            "NmrClient",
            "there is no hardware id for Vista and later",
        ),
        (
            "KmdfLibraryVersion = 1.7",
            "KmdfLibraryVersion = 1.9",
            "the framework version is not the one that is bound",
        ),
        (
            "[NmrClient.NT.Services]",
            "HKR,\"Interrupt Management\",,0x10\n[NmrClient.NT.Services]",
            "it asks for interrupts",
        ),
    ] {
        let text = CLIENT.replacen(sound, broken, 1);
        assert_ne!(text, CLIENT, "{sound} is not in the INF");
        assert!(client_problems(&text).contains(&problem), "{broken}");
    }
}
