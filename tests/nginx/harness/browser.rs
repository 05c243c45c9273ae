//! A real headless Chromium, steered over the DevTools protocol by a pair of pipes.
