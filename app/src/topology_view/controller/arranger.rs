//! Layouts made beside the page, in a worker with WebAssembly of its own (the crate `arranger`),
//! which is loaded with the first.
//!
//! Diagram and order go there as bytes, places come back as one array of numbers: both change
//! hands between the threads instead of being copied.

use graph::{Diagram, Order, Point, Positions};
use std::{cell::RefCell, collections::HashMap, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

/// Sends orders to the worker, which is started with the first.
#[derive(Default)]
pub(super) struct Arranger {
    worker: RefCell<Option<web_sys::Worker>>,
    waiting: Rc<RefCell<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    last: u32,
    /// Who waits for an answer, by number.
    open: HashMap<u32, js_sys::Function>,
    /// The worker does not work.
    broken: bool,
}

impl Arranger {
    /// Places for everything in `diagram`. `None` if there is no worker to be had.
    pub async fn arrange(&self, diagram: &Diagram, order: Order) -> Option<Positions> {
        let places = self.ask(diagram, &order).await?;
        let ids = diagram.nodes.iter().map(|node| &node.id);
        let ids = ids.chain(diagram.groups.iter().map(|group| &group.id));
        Some(
            ids.zip(places.chunks_exact(2))
                .map(|(id, at)| (id.clone(), Point { x: at[0], y: at[1] }))
                .collect(),
        )
    }

    async fn ask(&self, diagram: &Diagram, order: &Order) -> Option<Vec<f32>> {
        let letter = postcard::to_allocvec(&(diagram, order)).ok()?;
        let bytes = js_sys::Uint8Array::from(&letter[..]);
        self.start()?;
        let number = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.last += 1;
            waiting.last
        };
        let message = js_sys::Array::of2(&number.into(), &bytes.buffer());
        let answer = js_sys::Promise::new(&mut |resolve, _| {
            self.waiting.borrow_mut().open.insert(number, resolve);
        });
        self.worker
            .borrow()
            .as_ref()?
            .post_message_with_transfer(&message, &js_sys::Array::of1(&bytes.buffer()))
            .ok()?;
        let answer = JsFuture::from(answer).await.ok()?;
        answer
            .dyn_into::<js_sys::Float32Array>()
            .ok()
            .map(|places| places.to_vec())
            .filter(|places| places.len() == 2 * (diagram.nodes.len() + diagram.groups.len()))
    }

    /// Starts the worker unless it runs. `None` if there is none to be had.
    fn start(&self) -> Option<()> {
        if self.waiting.borrow().broken {
            return None;
        }
        if self.worker.borrow().is_some() {
            return Some(());
        }
        let options = web_sys::WorkerOptions::new();
        options.set_type(web_sys::WorkerType::Module);
        let worker = web_sys::Worker::new_with_options("/worker.js", &options).ok()?;
        let waiting = Rc::clone(&self.waiting);
        let arrived =
            Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
                let answer = js_sys::Array::from(&event.data());
                let number = answer.get(0).as_f64().unwrap_or_default() as u32;
                let resolve = waiting.borrow_mut().open.remove(&number);
                if let Some(resolve) = resolve {
                    let _ = resolve.call1(&JsValue::NULL, &answer.get(1));
                }
            });
        worker.set_onmessage(Some(arrived.into_js_value().unchecked_ref()));
        let waiting = Rc::clone(&self.waiting);
        let failed = Closure::<dyn Fn()>::new(move || {
            // Whoever waits does it without the worker.
            let open: Vec<_> = {
                let mut waiting = waiting.borrow_mut();
                waiting.broken = true;
                waiting.open.drain().map(|(_, resolve)| resolve).collect()
            };
            for resolve in open {
                let _ = resolve.call1(&JsValue::NULL, &JsValue::NULL);
            }
        });
        worker.set_onerror(Some(failed.into_js_value().unchecked_ref()));
        *self.worker.borrow_mut() = Some(worker);
        Some(())
    }
}
