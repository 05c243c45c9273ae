//! A gRPC server over clear-text HTTP/2: answers any call with its metadata and the message it was sent.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};

/// Starts on any free port of that address; lives until the test process ends.
pub fn start(ip: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).expect("a port for gRPC");
    let address = listener.local_addr().expect("the gRPC address");
    listener
        .set_nonblocking(true)
        .expect("a listener for tokio");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, accept(listener));
    });
    address
}

async fn accept(listener: TcpListener) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else {
                return;
            };
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::task::spawn_local(call(request, respond));
            }
        });
    }
}

async fn call(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut message = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        message.extend_from_slice(&data);
    }
    let mut text = format!("{} {}\n", head.method, head.uri.path());
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text += &format!(
        "message: {}\n",
        String::from_utf8_lossy(message.get(5..).unwrap_or_default())
    );

    let response = Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .expect("an answer");
    let mut stream = respond.send_response(response, false)?;
    stream.send_data(framed(text.as_bytes()), false)?;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    stream.send_trailers(trailers)
}

/// A message as gRPC frames it: uncompressed, its length in front.
pub fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a short message"));
    frame.put_slice(message);
    frame.freeze()
}
