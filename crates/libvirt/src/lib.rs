//! A safe, asynchronous libvirt client: typed XML, events, statistics, deadlines.
