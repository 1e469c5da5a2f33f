//! The web app: pages, components, topology view, charts, server functions.
