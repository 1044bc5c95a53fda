//! A headless Chromium, spoken to over a pipe by its DevTools protocol.

#![expect(
    clippy::indexing_slicing,
    reason = "what a JSON value lacks is null; nothing panics"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::{process, setup};

const PROGRAM: &str = "chromium";
/// Until the browser answers.
const LIMIT: Duration = Duration::from_secs(120);
/// Messages that wait to be looked at; then the browser waits.
const MESSAGES: usize = 256;
/// The protocol's pipe is descriptors 3 and 4 of the browser.
const PIPE: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// A browser that runs until it is dropped.
pub(super) struct Browser {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    /// What happened, as the browser told.
    events: Vec<Value>,
}

impl Browser {
    /// Starts one, after installing it if it is not there.
    ///
    /// # Errors
    /// When it cannot be installed or does not start.
    pub(super) fn start(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        if !process::is_installed(PROGRAM, root) {
            ensure!(
                setup::may_install(root),
                "a browser is needed: install chromium (Debian: `apt-get install chromium`) and try again"
            );
            setup::install_packages(root, &[PROGRAM])?;
        }
        let log = fs::File::create(folder.join("chromium.log"))?;
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let mut command = process::program("sh", root);
        command
            .args(["-c", PIPE, "sh", PROGRAM])
            .args(["--headless=new", "--remote-debugging-pipe", &profile])
            .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            // No name is ever looked up: what the page asks of a network cannot come.
            .arg("--host-resolver-rules=MAP * ~NOTFOUND")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log));
        if setup::is_root(root) {
            // Its sandbox does not run as root; the page is our own.
            command.arg("--no-sandbox");
        }
        println!("$ {PROGRAM} --headless=new --remote-debugging-pipe");
        let mut process = command.spawn().context("cannot run chromium")?;
        let output = process.stdout.take().context("it has no output")?;
        let input = process.stdin.take().context("it has no input")?;
        let (sender, messages) = mpsc::sync_channel(MESSAGES);
        thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap_or(Value::Null);
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            process,
            input,
            messages,
            last: 0,
            events: Vec::new(),
        })
    }

    /// Opens a file.
    ///
    /// # Errors
    /// When the browser does not.
    pub(super) fn open(&mut self, file: &Path) -> anyhow::Result<Page<'_>> {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", attach)?["sessionId"]
            .as_str()
            .context("no session")?
            .to_owned();
        let mut page = Page {
            browser: self,
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}))?;
        }
        page.wide(1_280)?;
        let url = format!("file://{}", file.display());
        page.call("Page.navigate", json!({ "url": url }))?;
        page.browser.event("Page.loadEventFired")?;
        Ok(page)
    }

    fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Value> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.input.write_all(message.to_string().as_bytes())?;
        self.input.write_all(&[0])?;
        self.input.flush()?;
        loop {
            let mut message = self.message(method)?;
            if message["id"] == self.last {
                ensure!(
                    message["error"].is_null(),
                    "chromium refuses {method}: {}",
                    message["error"]
                );
                return Ok(message["result"].take());
            }
            self.events.push(message);
        }
    }

    /// Waits until something happens, unless it has happened.
    fn event(&mut self, method: &str) -> anyhow::Result<()> {
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.message(method)?;
            self.events.push(message);
        }
        Ok(())
    }

    fn message(&self, waited_for: &str) -> anyhow::Result<Value> {
        let message = self.messages.recv_timeout(LIMIT);
        message.with_context(|| format!("chromium says nothing more; {waited_for} was asked for"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.call(None, "Browser.close", json!({}));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A page of a browser.
pub(super) struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
}

impl Page<'_> {
    /// What an expression comes to.
    pub(super) fn value(&mut self, expression: &str) -> anyhow::Result<Value> {
        let params = json!({ "expression": expression, "returnByValue": true });
        let mut result = self.call("Runtime.evaluate", params)?;
        let failed = &result["exceptionDetails"];
        ensure!(failed.is_null(), "the page cannot say it: {failed}");
        Ok(result["result"]["value"].take())
    }

    /// A window of so many pixels.
    pub(super) fn wide(&mut self, width: u32) -> anyhow::Result<()> {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size)?;
        Ok(())
    }

    /// For people who like it dark.
    pub(super) fn in_the_dark(&mut self) -> anyhow::Result<()> {
        let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        self.call("Emulation.setEmulatedMedia", dark)?;
        // The map is painted anew when the window changes.
        self.value("window.dispatchEvent(new Event('resize'))")?;
        Ok(())
    }

    /// A picture of the whole page.
    pub(super) fn picture(&mut self, path: &Path) -> anyhow::Result<()> {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", params)?;
        let bytes = shot["data"].as_str().and_then(from_base64);
        let bytes = bytes.context("the picture is none")?;
        fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
    }

    /// Everything that the page asked for, itself first.
    pub(super) fn requests(&self) -> Vec<String> {
        self.events(
            "Network.requestWillBeSent",
            |params| &params["request"]["url"],
        )
    }

    /// What went wrong in scripts, or was blocked.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = self.events("Runtime.exceptionThrown", |params| {
            &params["exceptionDetails"]["text"]
        });
        // What is only slow is told as a warning.
        troubles.extend(self.events("Log.entryAdded", |params| {
            match params["entry"]["level"].as_str() {
                Some("error") => &params["entry"]["text"],
                _ => &Value::Null,
            }
        }));
        troubles
    }

    fn events(&self, method: &str, what: impl Fn(&Value) -> &Value) -> Vec<String> {
        let events = self.browser.events.iter();
        let events = events.filter(|event| event["method"] == method);
        let texts = events.filter_map(|event| what(&event["params"]).as_str());
        texts.map(str::to_owned).collect()
    }

    fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.browser.call(Some(&self.session), method, params)
    }
}

/// RFC 4648, section 4.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::from_base64;

    #[test]
    fn base64_is_read() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo")] {
            assert_eq!(from_base64(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(from_base64("/+8=").unwrap(), [0xff, 0xef]);
        assert!(from_base64("Zm-v").is_none());
    }
}
