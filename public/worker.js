// Lays out graphs beside the page, by the same program: [number, bytes] in, [number, places] out.
import init, { arrange } from '/pkg/vms.js';

const ready = init({ module_or_path: '/pkg/vms_bg.wasm' });
addEventListener('message', async ({ data: [number, bytes] }) => {
  await ready;
  const places = arrange(new Uint8Array(bytes));
  postMessage([number, places], [places.buffer]);
});
