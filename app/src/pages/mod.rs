//! The pages and what surrounds them.

mod home;

use crate::{
    clock::Clock,
    components::{Search, TopBar},
    live::Live,
    settings::SettingsPage,
    tables::{HostsPage, RoutersPage},
    topology_view::options::ViewState,
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{A, Route, Router, Routes},
    path,
};

use home::HomePage;

/// The app: the bar, and the page that the address names. Every page is sent whole, so that it
/// can be used without script.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Clock::provide();
    Live::provide();
    Search::provide();
    ViewState::provide();
    view! {
        <Title text="VMS"/>
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <TopBar/>
            <main id="main" tabindex="-1">
                <Routes fallback=|| view! { <NotFound/> }>
                    <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                    <Route path=path!("/hosts") view=HostsPage ssr=SsrMode::Async/>
                    <Route path=path!("/routers") view=RoutersPage ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view=SettingsPage ssr=SsrMode::Async/>
                </Routes>
            </main>
        </Router>
    }
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
