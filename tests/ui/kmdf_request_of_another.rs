//! That another request was completed is no answer for this one.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::kmdf::{Handled, Request, RequestHandler};

struct Handler;

fn handle<'a, 'b>(_: Request<'a>, other: Handled<'b>) -> Handled<'a> {
    other
}

impl RequestHandler for Handler {
    fn device_control<'a>(&self, request: Request<'a>, irql: &mut Irql<AtMostDispatch>) -> Handled<'a> {
        request.reply(b"", irql)
    }
}

fn main() {}
