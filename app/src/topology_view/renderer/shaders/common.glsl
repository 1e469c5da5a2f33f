#version 300 es
precision highp float;
precision highp int;
// The scene's point in the middle of the frame, device pixels a unit, device pixels a CSS pixel.
uniform vec4 uView;
// The canvas in device pixels, and where on it the middle of the frame is.
uniform vec4 uScreen;

vec2 onScreen(vec2 point) { return (point - uView.xy) * uView.z + uScreen.zw; }
vec4 clip(vec2 pixel) {
  vec2 at = pixel / uScreen.xy * 2.0 - 1.0;
  return vec4(at.x, -at.y, 0.0, 1.0);
}
