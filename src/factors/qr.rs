//! A QR code as SVG that a page carries inline, or as text for a terminal.

use std::fmt::Write;

use qrcode::render::unicode::Dense1x2;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code, without which scanners do not find it.
const QUIET: usize = 4;

/// The text is longer than a QR code holds (about 2,300 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text is too long for a QR code")]
pub struct TooLong;

/// `text` as an `<svg>` element: black on white in light and dark pages, without a size, a style or
/// a reference, so that it needs no exception in a content security policy. Screen readers call it
/// by `label`.
///
/// # Errors
/// [`TooLong`].
pub fn svg(text: &str, label: &str) -> Result<String, TooLong> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TooLong)?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" aria-label="{}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d=""##,
        escape(label)
    );
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run[0] == Color::Dark {
                let length = run.len();
                write!(svg, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET)
                    .expect("a String takes everything");
            }
            x += run.len();
        }
    }
    svg.push_str(r#""/></svg>"#);
    Ok(svg)
}

/// `text` in half blocks, two modules above each other in one character, for a terminal. Most are
/// dark, so the light modules are those that are painted.
///
/// # Errors
/// [`TooLong`].
pub fn terminal(text: &str) -> Result<String, TooLong> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| TooLong)?;
    let mut renderer = code.render::<Dense1x2>();
    renderer.dark_color(Dense1x2::Light);
    renderer.light_color(Dense1x2::Dark);
    Ok(renderer.build())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "otpauth://totp/Authelia:erin?algorithm=SHA1&digits=6&issuer=Authelia&period=30&secret=7YCVADG6VL7HP4ZGGUKSYOB2DXTAJ5NCRRLZYE3DD5POVFDWT4UA";

    /// Which modules the path of a drawing blackens.
    fn painted(svg: &str, side: usize) -> Vec<Vec<bool>> {
        let path = svg.split(r##"fill="#000" d=""##).nth(1).expect("a path");
        let path = path.split('"').next().expect("its end");
        let mut modules = vec![vec![false; side]; side];
        for run in path.split('M').skip(1) {
            let numbers: Vec<usize> = run
                .split(|char: char| !char.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            let [x, y, length, 1, back] = numbers[..] else {
                panic!("{run}")
            };
            assert_eq!(length, back);
            modules[y][x..x + length].fill(true);
        }
        modules
    }

    #[test]
    fn the_drawing_is_the_code() {
        let code = QrCode::with_error_correction_level(URI, EcLevel::M).unwrap();
        let side = code.width() + 2 * QUIET;
        let svg = svg(URI, "QR code").unwrap();
        let modules = painted(&svg, side);
        for (y, row) in modules.iter().enumerate() {
            for (x, black) in row.iter().enumerate() {
                let inside =
                    (QUIET..side - QUIET).contains(&x) && (QUIET..side - QUIET).contains(&y);
                let dark = inside && code[(x - QUIET, y - QUIET)] == Color::Dark;
                assert_eq!(*black, dark, "{x} {y}");
            }
        }
    }

    #[test]
    fn it_stays_within_a_strict_policy_and_never_shows_the_secret_as_text() {
        let svg = svg(URI, r#"Key of "<erin>" & co"#).unwrap();
        assert!(svg.contains("Key of &quot;&lt;erin&gt;&quot; &amp; co"));
        for word in ["style", "href", "script", "7YCVADG6", "<?xml"] {
            assert!(!svg.contains(word), "{word}");
        }
        assert!(svg.len() < 16 << 10, "{}", svg.len());
    }

    #[test]
    fn a_terminal_paints_what_is_light() {
        let code = QrCode::with_error_correction_level(URI, EcLevel::L).unwrap();
        let text = terminal(URI).unwrap();
        let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let side = code.width() + 2 * QUIET;
        assert_eq!(rows.len(), side.div_ceil(2));
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let painted = match rows[y / 2][x] {
                '\u{2588}' => true,
                '\u{2580}' => y % 2 == 0,
                '\u{2584}' => y % 2 == 1,
                _ => false,
            };
            let inside = (QUIET..side - QUIET).contains(&x) && (QUIET..side - QUIET).contains(&y);
            let dark = inside && code[(x - QUIET, y - QUIET)] == Color::Dark;
            assert_eq!(painted, !dark, "{x} {y}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(svg(&"x".repeat(4000), ""), Err(TooLong));
    }
}
