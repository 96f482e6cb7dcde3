//! Tests of the token in `examples/token`, over real sockets, with a clock that is moved forward.

#[path = "../examples/token/cache.rs"]
mod cache;
#[path = "../examples/token/clock.rs"]
mod clock;
#[path = "../examples/token/demo/mod.rs"]
mod demo;
#[path = "../examples/token/http.rs"]
mod http;
#[path = "../examples/token/provider.rs"]
mod provider;

/// C98, D100: the whole demonstration keeps its promises; they are written there as counts for each phase.
#[test]
fn the_demonstration() {
    smol::block_on(demo::run(30)).expect("it keeps its promises");
}

/// D100: so does a single client, which refreshes the token itself.
#[test]
fn one_client() {
    smol::block_on(demo::run(1)).expect("it keeps its promises");
}
