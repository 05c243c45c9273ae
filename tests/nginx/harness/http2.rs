//! HTTP/2 over TLS, for requests whose `:authority`, `host` and SNI need not agree.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use rustls::pki_types::ServerName;

use super::{Answer, PATIENCE, tls};

/// Sends the requests one after the other over one connection; an error is a stream or connection that was reset.
pub fn ask(
    to: SocketAddr,
    sni: &str,
    requests: Vec<Request<Bytes>>,
) -> Vec<Result<Answer, String>> {
    let answers = run(converse(to, sni, requests));
    answers.unwrap_or_else(|error| panic!("HTTP/2 to {to}: {error}"))
}

/// Sends the requests all at once over one connection; a stream with a time is reset after it, and what it
/// was answered until then does not count. An error outside is a connection that nobody took.
pub fn ask_at_once(
    to: SocketAddr,
    sni: &str,
    requests: Vec<(Request<Bytes>, Option<Duration>)>,
) -> Result<Vec<Result<Answer, String>>, String> {
    run(async {
        let client = connect(to, sni).await?;
        let one = |(request, reset)| {
            let answer = exchange(client.clone(), request);
            tokio::spawn(async move {
                match reset {
                    // Whoever drops a stream resets it.
                    Some(after) => {
                        let _ = tokio::time::timeout(after, answer).await;
                        Err("reset".to_owned())
                    }
                    None => answer.await.map_err(said),
                }
            })
        };
        let all: Vec<_> = requests.into_iter().map(one).collect();
        let mut answers = Vec::new();
        for answer in all {
            answers.push(answer.await.map_err(said)?);
        }
        Ok(answers)
    })
}

fn run<T>(talk: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let said = runtime.block_on(async { tokio::time::timeout(PATIENCE, talk).await });
    runtime.shutdown_timeout(Duration::ZERO);
    said.unwrap_or_else(|_| Err("no answer in time".into()))
}

async fn connect(to: SocketAddr, sni: &str) -> Result<h2::client::SendRequest<Bytes>, String> {
    let name = ServerName::try_from(sni.to_owned()).map_err(said)?;
    let stream = tokio::net::TcpStream::connect(to).await.map_err(said)?;
    let stream = tokio_rustls::TlsConnector::from(tls::client(b"h2"))
        .connect(name, stream)
        .await
        .map_err(said)?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(said)?;
    tokio::spawn(connection);
    Ok(client)
}

async fn converse(
    to: SocketAddr,
    sni: &str,
    requests: Vec<Request<Bytes>>,
) -> Result<Vec<Result<Answer, String>>, String> {
    let client = connect(to, sni).await?;
    let mut answers = Vec::new();
    for request in requests {
        answers.push(exchange(client.clone(), request).await.map_err(said));
    }
    Ok(answers)
}

async fn exchange(
    client: h2::client::SendRequest<Bytes>,
    request: Request<Bytes>,
) -> Result<Answer, h2::Error> {
    let (head, body) = request.into_parts();
    let (response, mut stream) = client
        .ready()
        .await?
        .send_request(Request::from_parts(head, ()), body.is_empty())?;
    if !body.is_empty() {
        stream.send_data(body, true)?;
    }
    let (head, mut body) = response.await?.into_parts();
    let headers = head.headers.iter().map(|(n, v)| {
        (
            n.to_string(),
            String::from_utf8_lossy(v.as_bytes()).into_owned(),
        )
    });
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: Vec::new(),
    };
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        answer.body.extend_from_slice(&data);
    }
    if let Some(trailers) = body.trailers().await? {
        let named = trailers.iter().map(|(n, v)| {
            (
                n.to_string(),
                String::from_utf8_lossy(v.as_bytes()).into_owned(),
            )
        });
        answer.headers.extend(named);
    }
    Ok(answer)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
