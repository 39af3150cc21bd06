//! A request is completed once.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::kmdf::{Handled, Request, RequestHandler};

struct Handler;

impl RequestHandler for Handler {
    fn device_control<'a>(&self, request: Request<'a>, irql: &mut Irql<AtMostDispatch>) -> Handled<'a> {
        let _ = request.reply(b"first", irql);
        request.reply(b"second", irql)
    }
}

fn main() {}
