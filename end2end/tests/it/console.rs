//! The console of a real router, as whoever sits at a command line has it.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use end2end::{
    Scratch, VmsProcess,
    testbed::{Plan, Testbed},
    until,
    vms_process::binary,
};

#[path = "../../../crates/libvirt/tests/it/echo.rs"]
mod echo;

const ROUTER: &str = "<domain type='qemu'>
  <name>echo</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file'><driver type='raw'/><source file='/var/lib/libvirt/images/echo.raw'/>
      <target dev='hda' bus='ide'/></disk>
    <serial type='pty'/>
  </devices>
</domain>";

/// How long whatever is waited for may take; a guest boots under emulation.
const PATIENCE: Duration = Duration::from_mins(1);

/// `vms router console echo`, and what it showed.
struct Console {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Console {
    fn open(vms: &VmsProcess) -> Self {
        let mut command = Command::new(binary().unwrap());
        command.args(["router", "console", "echo", "--server", &vms.url("")]);
        Self::run(command)
    }

    /// At a terminal of its own, by util-linux's `script`.
    fn at_a_terminal(vms: &VmsProcess) -> Self {
        let binary = binary().unwrap();
        let line = format!(
            "{} router console echo --server {}",
            binary.display(),
            vms.url("")
        );
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut out, all) = (child.stdout.take().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = out.read(&mut buffer) {
                all.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        Self { child, shown }
    }

    fn type_in(&mut self, keys: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(keys.as_bytes()).unwrap();
    }

    fn shows(&self, what: impl Fn(&[u8]) -> bool) {
        until("the console to show it", PATIENCE, || {
            Ok(what(&self.shown.lock().unwrap()).then_some(()))
        })
        .unwrap();
    }

    /// Exit code and last words, once it ended by itself.
    fn ended(&mut self) -> (Option<i32>, String) {
        let status = until("the console to end", PATIENCE, || {
            Ok(self.child.try_wait()?)
        });
        let mut words = String::new();
        let mut error = self.child.stderr.take().unwrap();
        error.read_to_string(&mut words).unwrap();
        (status.unwrap().code(), words)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn what_is_typed_reaches_a_router_and_what_it_writes_comes_back() {
    let files = Scratch::new().unwrap();
    let mut plan = Plan::line();
    plan.hosts[0].routers.truncate(1);
    let bed = Testbed::up(&plan).unwrap();
    let host = bed.host("alpha");
    let disk = host.machine().path("/var/lib/libvirt/images/echo.raw");
    fs::write(disk, echo::disk()).unwrap();
    let router = files.path().join("echo.xml");
    fs::write(&router, ROUTER).unwrap();
    host.virsh(&["define", router.to_str().unwrap()]).unwrap();
    let config = files.path().join("vms.toml");
    fs::write(&config, "").unwrap();
    let mut vms = VmsProcess::serve(&config, &files.path().join("data")).unwrap();
    let host_command = |arguments: &[&str]| {
        let mut command = Command::new(binary().unwrap());
        command.arg("host").args(arguments);
        let output = command.args(["--server", &vms.url("")]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let take_in = || host_command(&["add", "alpha", &host.uri()]);
    take_in();

    let off = Console::open(&vms).ended();
    assert_eq!(off.0, Some(1));
    assert!(off.1.contains("does not run"), "{}", off.1);

    host.virsh(&["start", "echo"]).unwrap();
    let mut first = Console::open(&vms);
    // What is typed before the guest has booted is lost.
    until("the guest to boot", PATIENCE, || {
        first.type_in("a");
        Ok(first.shown.lock().unwrap().ends_with(b"a").then_some(()))
    })
    .unwrap();
    first.type_in("show ip route*");
    let flood = usize::try_from(echo::FLOOD).unwrap();
    first.shows(|shown| shown.ends_with(b"!"));
    let text = String::from_utf8(first.shown.lock().unwrap().clone()).unwrap();
    let (_, rest) = text.split_once("show ip route").unwrap();
    assert_eq!(rest.matches('x').count(), flood);

    // Another one takes it: the first ends.
    let mut second = Console::open(&vms);
    let (code, words) = first.ended();
    assert_eq!((code, words.as_str()), (Some(0), ""));
    second.type_in("b");
    second.shows(|shown| shown == b"b");

    // At a terminal every key goes to the router, also Ctrl-C, but the one that leaves.
    let mut terminal = Console::at_a_terminal(&vms);
    let hint = "This is the console of echo; Ctrl-] leaves it.\r\n";
    terminal.shows(|shown| shown == hint.as_bytes());
    let (code, words) = second.ended();
    assert_eq!((code, words.as_str()), (Some(0), ""));
    terminal.type_in("c\x03d");
    let echoed = format!("{hint}c\x03d");
    terminal.shows(|shown| shown == echoed.as_bytes());
    terminal.type_in("\x1d");
    let (code, words) = terminal.ended();
    assert_eq!((code, words.as_str()), (Some(0), ""));
    let end = format!("{echoed}\r\nThe console of echo is closed.\r\n");
    terminal.shows(|shown| shown == end.as_bytes());
    let mut second = Console::open(&vms);
    second.type_in("e");
    second.shows(|shown| shown == b"e");

    // The router of the plan writes into a file.
    let command = Command::new(binary().unwrap())
        .args(["router", "console", &plan.hosts[0].routers[0].name])
        .args(["--server", &vms.url("")])
        .output()
        .unwrap();
    let words = String::from_utf8(command.stderr).unwrap();
    assert!(words.contains("<serial type='pty'/>"), "{words}");

    // Its host is let go: so does the console end, with a sentence.
    host_command(&["remove", "alpha", "--yes"]);
    let (code, words) = second.ended();
    let sentence = "vms: VMS has let the host go, and its consoles with it.\n";
    assert_eq!((code, words.as_str()), (Some(1), sentence));
    take_in();
    let mut second = Console::open(&vms);
    second.type_in("f");
    second.shows(|shown| shown == b"f");

    // The server ends: so does the console, with a sentence.
    assert!(vms.terminate().unwrap().success());
    let (code, words) = second.ended();
    assert_eq!((code, words.as_str()), (Some(1), "vms: The server ends.\n"));
}
