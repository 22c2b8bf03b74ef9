//! The greeting: `INFO`, perhaps TLS, `CONNECT` and `PING`, `PONG`.

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{DialError, Established, Stream};
use crate::link::{
    Auth, Options, ServerInfo, ServerUrl,
    protocol::{
        Decoder, Operation,
        encode::{self, Connect},
    },
    tls::Tls,
};

/// What a greeting is made of.
pub(super) struct Greeting<'a> {
    pub(super) options: &'a Options,
    pub(super) tls: &'a Tls,
    pub(super) url: &'a ServerUrl,
    pub(super) auth: &'a Auth,
}

impl Greeting<'_> {
    pub(super) async fn exchange(&self, mut stream: TcpStream) -> Result<Established, DialError> {
        let mut input = BytesMut::new();
        let mut decoder = Decoder::default();
        let mut info = match receive(&mut stream, &mut decoder, &mut input).await? {
            Operation::Info(info) => *info,
            Operation::Error(text) => return Err(DialError::Refused(text)),
            _ => return Err(DialError::Unexpected),
        };
        let encrypted = self.url.tls || info.tls_required;
        let mut stream = self.secure(stream, encrypted, &input).await?;
        let greeting = self.connect(&info, encrypted)?;
        stream.write_all(&greeting).await?;
        stream.flush().await?;
        self.accepted(&mut *stream, &mut decoder, &mut input, &mut info)
            .await?;
        if !info.headers {
            return Err(DialError::NoHeaders);
        }
        decoder.set_max_payload(info.max_payload);
        Ok(Established {
            stream,
            decoder,
            input,
            info,
            url: self.url.clone(),
            expires: self.auth.expires(),
        })
    }

    async fn secure(
        &self,
        stream: TcpStream,
        encrypted: bool,
        input: &BytesMut,
    ) -> Result<Box<dyn Stream>, DialError> {
        if !encrypted {
            return Ok(Box::new(stream));
        }
        // Whatever came in the clear behind INFO is not the server's.
        if !input.is_empty() {
            return Err(DialError::Unexpected);
        }
        let name = self.url.certificate_name();
        Ok(Box::new(self.tls.wrap(stream, name).await?))
    }

    /// `CONNECT` and a `PING`, whose answer shows that the server accepts it.
    fn connect(&self, info: &ServerInfo, encrypted: bool) -> Result<Vec<u8>, DialError> {
        let nonce = info.nonce.as_deref().unwrap_or_default();
        let proof = self.auth.prove(nonce.as_bytes())?;
        let mut connect = Connect {
            tls_required: encrypted,
            name: &self.options.name,
            lang: "rust",
            version: env!("CARGO_PKG_VERSION"),
            protocol: 1,
            headers: true,
            no_responders: true,
            ..Connect::default()
        };
        proof.fill(&mut connect);
        let mut out = Vec::new();
        encode::connect(&connect, &mut out)?;
        out.extend_from_slice(encode::PING);
        Ok(out)
    }

    async fn accepted(
        &self,
        stream: &mut dyn Stream,
        decoder: &mut Decoder,
        input: &mut BytesMut,
        info: &mut ServerInfo,
    ) -> Result<(), DialError> {
        loop {
            match receive(stream, decoder, input).await? {
                Operation::Pong => return Ok(()),
                Operation::Ping => stream.write_all(encode::PONG).await?,
                Operation::Info(new) => *info = *new,
                Operation::Ok => {}
                Operation::Error(text) => return Err(DialError::Refused(text)),
                Operation::Message(..) => return Err(DialError::Unexpected),
            }
        }
    }
}

async fn receive<S: Stream + ?Sized>(
    stream: &mut S,
    decoder: &mut Decoder,
    input: &mut BytesMut,
) -> Result<Operation, DialError> {
    loop {
        if let Some(operation) = decoder.next(input)? {
            return Ok(operation);
        }
        if stream.read_buf(input).await? == 0 {
            return Err(DialError::Closed);
        }
    }
}
