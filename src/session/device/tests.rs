use super::*;

fn seen(user_agent: &str) -> String {
    Device::of(Some(user_agent.as_bytes())).to_string()
}

#[test]
fn real_browsers_are_told_apart() {
    for (user_agent, expected) in [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0",
            "Firefox on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
            "Firefox on iOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/123.0.6312.52 Mobile/15E148 Safari/604.1",
            "Chrome on iOS",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.70",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; Pixel 3 XL) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.6778.81 Mobile Safari/537.36 EdgA/131.0.2903.51",
            "Edge on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/131.2903.68 Mobile/15E148 Safari/605.1.15",
            "Edge on iOS",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iOS",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0",
            "Opera on macOS",
        ),
        (
            "Opera/9.80 (Windows NT 6.1; U; en) Presto/2.12.388 Version/12.18",
            "Opera on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Unknown browser on Windows",
        ),
        (
            "Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox",
        ),
        ("curl/8.5.0", "Program"),
        ("python-requests/2.31.0", "Program"),
        ("Wget/1.21.4 (linux-gnu)", "Program"),
        ("okhttp/4.12.0", "Program"),
        ("Dalvik/2.1.0 (Linux; U; Android 14)", "Program on Android"),
        ("Mozilla/5.0", "Unknown device"),
        ("", "Unknown device"),
        (" ", "Unknown device"),
    ] {
        assert_eq!(seen(user_agent), expected, "{user_agent}");
    }
    assert_eq!(Device::of(None), Device::default());
}

#[test]
fn whatever_somebody_sends_is_looked_at_within_bounds() {
    let long = format!("{}Firefox/1 Linux", "x".repeat(LOOKED_AT));
    assert_eq!(seen(&long), "Program");
    let megabyte = vec![0xff; 1 << 20];
    assert_eq!(Device::of(Some(&megabyte)).browser, Browser::Program);
    let cut = format!("Mozilla/5.0 {}Firefox/1", " ".repeat(LOOKED_AT - 16));
    assert_eq!(seen(&cut), "Unknown device");
}

#[test]
fn a_device_is_one_byte_and_other_bytes_are_none() {
    let bytes = (0..=255).filter_map(|byte| Some((byte, Device::decode(byte)?)));
    let devices: Vec<_> = bytes.collect();
    assert_eq!(devices.len(), 8 * 7);
    assert!(
        devices
            .iter()
            .all(|(byte, device)| device.encode() == *byte)
    );
}
