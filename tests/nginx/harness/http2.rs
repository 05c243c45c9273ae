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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let answers = runtime
        .block_on(async { tokio::time::timeout(PATIENCE, converse(to, sni, requests)).await });
    runtime.shutdown_timeout(Duration::ZERO);
    match answers {
        Ok(Ok(answers)) => answers,
        Ok(Err(error)) => panic!("HTTP/2 to {to}: {error}"),
        Err(_) => panic!("HTTP/2 to {to}: no answer in time"),
    }
}

async fn converse(
    to: SocketAddr,
    sni: &str,
    requests: Vec<Request<Bytes>>,
) -> Result<Vec<Result<Answer, String>>, String> {
    let name = ServerName::try_from(sni.to_owned()).map_err(said)?;
    let stream = tokio::net::TcpStream::connect(to).await.map_err(said)?;
    let stream = tokio_rustls::TlsConnector::from(tls::client(b"h2"))
        .connect(name, stream)
        .await
        .map_err(said)?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(said)?;
    tokio::spawn(connection);
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
