//! Requests a call by gRPC with its messages compressed, a number of times at once on one connection.
//!
//! `tonic-client ADDRESS gzip|zstd CALL_ID TIMES` prints a line for each: `OK` and the title, or
//! the code, what the server accepts, and the message.

use std::{env, error::Error, time::Duration};

use tokio::task::JoinSet;
use tonic::{
    Code, Request, Status, client::Grpc, codec::CompressionEncoding, codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

#[derive(Clone, prost::Message)]
struct GetCallRequest {
    #[prost(string, tag = "1")]
    id: String,
}

/// The part of `livecalls.v1.Call` that is read.
#[derive(Clone, prost::Message)]
struct Call {
    #[prost(string, tag = "3")]
    title: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let [address, encoding, id, times] = arguments()?;
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    let mut calls = JoinSet::new();
    for _ in 0..times.parse::<usize>()? {
        calls.spawn(get_call(channel.clone(), compression(&encoding), id.clone()));
    }
    calls.join_all().await.into_iter().for_each(print);
    Ok(())
}

fn print(outcome: Result<Call, Status>) {
    match outcome {
        Ok(call) => println!("OK {}", call.title),
        Err(status) => println!("{:?} [{}] {}", status.code(), accepted(&status), status.message()),
    }
}

fn arguments() -> Result<[String; 4], Box<dyn Error>> {
    let given: Vec<String> = env::args().skip(1).collect();
    given.try_into().map_err(|_| "ADDRESS gzip|zstd CALL_ID TIMES".into())
}

fn compression(name: &str) -> CompressionEncoding {
    if name == "zstd" { CompressionEncoding::Zstd } else { CompressionEncoding::Gzip }
}

async fn get_call(channel: Channel, encoding: CompressionEncoding, id: String) -> Result<Call, Status> {
    let mut client = Grpc::new(channel).send_compressed(encoding).accept_compressed(encoding);
    client.ready().await.map_err(|error| Status::new(Code::Unavailable, error.to_string()))?;
    let mut request = Request::new(GetCallRequest { id });
    request.set_timeout(Duration::from_secs(60));
    let method = PathAndQuery::from_static("/livecalls.v1.LiveCalls/GetCall");
    Ok(client.unary(request, method, ProstCodec::default()).await?.into_inner())
}

/// Returns what the server accepts, from the metadata of its rejection.
fn accepted(status: &Status) -> &str {
    let named = status.metadata().get("grpc-accept-encoding");
    named.and_then(|value| value.to_str().ok()).unwrap_or("")
}
