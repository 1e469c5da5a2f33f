// Lays out graphs beside the page: [number, bytes] in, [number, places] out. Both change hands.
import init, { arrange } from '/pkg/arranger.js';

const ready = init({ module_or_path: '/pkg/arranger_bg.wasm' });
addEventListener('message', async ({ data: [number, bytes] }) => {
  await ready;
  const places = arrange(new Uint8Array(bytes));
  postMessage([number, places], [places.buffer]);
});
