//! A handler cannot return without having completed or parked the request.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::kmdf::{Handled, Request, RequestHandler};

struct Handler;

impl RequestHandler for Handler {
    fn device_control<'a>(&self, request: Request<'a>, _: &mut Irql<AtMostDispatch>) -> Handled<'a> {
        drop(request);
    }
}

fn main() {}
