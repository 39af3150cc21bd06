//! A request's input does not outlive its completion.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::kmdf::{Handled, Request, RequestHandler};

struct Handler;

impl RequestHandler for Handler {
    fn device_control<'a>(&self, request: Request<'a>, irql: &mut Irql<AtMostDispatch>) -> Handled<'a> {
        let input = request.input().unwrap();
        let handled = request.reply(b"", irql);
        assert!(input.is_empty());
        handled
    }
}

fn main() {}
