//! A request of an ordinary client, put together by name; attacks that need exact bytes write them themselves.

/// What a visitor asks for. Looks like a browser that navigates until told otherwise.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    pub host: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Ask {
    /// Any method; `host` also names the server by SNI when a visitor sends it.
    pub fn new(method: &str, host: &str, target: &str) -> Ask {
        Ask {
            method: method.into(),
            host: host.into(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A page, as a browser would get it.
    pub fn page(host: &str, target: &str) -> Ask {
        Ask::new("GET", host, target).with("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    /// JSON to an API, from the same origin.
    pub fn api(method: &str, host: &str, target: &str, body: &serde_json::Value) -> Ask {
        let mut ask = Ask::new(method, host, target).with("Accept", "application/json");
        if !body.is_null() {
            ask = ask
                .with("Content-Type", "application/json")
                .with_body(body.to_string());
        }
        ask
    }

    /// A submitted form.
    pub fn form(host: &str, target: &str, fields: &[(String, String)]) -> Ask {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Ask::new("POST", host, target)
            .with("Accept", "text/html")
            .with("Content-Type", "application/x-www-form-urlencoded")
            .with_body(body)
    }

    /// Adds a header; says nothing about one that is already there.
    pub fn with(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body and, when it is sent, its length.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Ask {
        self.body = body.into();
        self
    }

    /// The bytes, with `extra` headers (a cookie jar's) after our own.
    pub fn bytes(&self, extra: &[(String, String)]) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\n",
            self.method, self.target, self.host
        );
        for (name, value) in self.headers.iter().chain(extra) {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        text += "\r\n";
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
