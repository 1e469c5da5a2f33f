// What the peers draw: the picture as the page under test lays it out, in its colours and sizes.
const COLOURS = { host: '#5b6b7f', router: '#2f7d5b', segment: '#b3742e' };
export const EDGE = '#9aa4b2';

export async function places() {
  const picture = await (await fetch('/places.json')).json();
  for (const node of picture.nodes) node.colour = COLOURS[node.kind] ?? '#666666';
  return picture;
}
