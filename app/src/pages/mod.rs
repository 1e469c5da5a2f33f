//! The pages and what surrounds them.

mod home;
mod later;

use crate::{
    clock::Clock,
    components::{Search, TopBar},
    errands::Errands,
    jobs::Desk,
    live::{Live, Status},
    moving::Moving,
    topology_view::{options::ViewState, route},
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{A, Route, Router, Routes},
    path,
};

use home::HomePage;
#[cfg(feature = "hydrate")]
pub use later::{expect_selection, graph_text, load};

/// The app: the bar, and the page that the address names. Every page is sent whole, so that it
/// can be used without script.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Clock::provide();
    let desk = Desk::provide();
    let live = Live::provide(desk);
    let moving = Moving::provide();
    let errands = Errands::provide();
    Search::provide();
    ViewState::provide();
    route::Route::provide();
    view! {
        <Title text="VMS"/>
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <TopBar/>
            <main id="main" tabindex="-1">
                <Routes fallback=|| view! { <NotFound/> }>
                    <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                    <Route path=path!("/hosts") view={Lazy::<later::Hosts>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/routers") view={Lazy::<later::Routers>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/images") view={Lazy::<later::Images>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs") view={Lazy::<later::Jobs>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view={Lazy::<later::Settings>::new()} ssr=SsrMode::Async/>
                </Routes>
                <Later live moving errands/>
            </main>
        </Router>
    }
}

/// What comes later: jobs once there are any, and what moves routers once it is wanted.
#[component]
fn Later(
    /// What happens.
    live: Live,
    /// What is being moved by hand.
    moving: Moving,
    /// What else is wanted.
    errands: Errands,
) -> impl IntoView {
    // Once loaded, a part stays: it shows nothing while there is nothing to show.
    let once = |wanted: Memo<bool>| {
        Memo::new(move |before: Option<&bool>| before == Some(&true) || wanted.get())
    };
    let drawer = once(Memo::new(move |_| {
        live.status.get() == Status::Live && live.desk.is_wanted()
    }));
    let mover = once(Memo::new(move |_| moving.is_wanted()));
    let errander = once(Memo::new(move |_| errands.is_wanted()));
    view! {
        {move || drawer.get().then(|| view! { <Suspense>{Suspend::new(later::drawer())}</Suspense> })}
        {move || mover.get().then(|| view! { <Suspense>{Suspend::new(later::mover())}</Suspense> })}
        {move || errander.get().then(|| view! { <Suspense>{Suspend::new(later::errander())}</Suspense> })}
    }
    .into_any()
}

/// An address that names no page.
#[component]
fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found · VMS"/>
        <div class="page">
            <h1>"There is no such page"</h1>
            <p>"See the " <A href="/">"topology"</A> ", the " <A href="/hosts">"hosts"</A>
                " or the " <A href="/routers">"routers"</A> "."</p>
        </div>
    }
}
