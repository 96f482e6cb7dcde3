//! Tests of the token in `examples/token`, over real sockets, by a clock that is set forward.

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

/// C98, D100: the whole demonstration keeps its promises; what each phase has to come to is said there, in counts.
#[test]
fn the_demonstration() {
    smol::block_on(demo::run(30)).expect("it keeps its promises");
}

/// D100: so does a client that is alone, who refreshes for himself.
#[test]
fn one_client() {
    smol::block_on(demo::run(1)).expect("it keeps its promises");
}
