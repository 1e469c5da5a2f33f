layout(location = 0) in vec4 aPlace;
layout(location = 1) in uint aStyle;
layout(location = 2) in vec4 aColour;
layout(location = 3) in float aLoad;
// 0: aPlace is centre and half size; 1: corner and size.
uniform float uCorner;
// Room around the shape, in units, for rings and badges.
uniform float uAround;
// No symbol is smaller than this, in device pixels.
uniform float uLeast;
// From the middle, half the size: device pixels.
out vec2 vAt;
flat out vec2 vHalf;
flat out uint vStyle;
flat out vec4 vColour;
flat out float vLoad;

void main() {
  vec2 half_ = uCorner > 0.5 ? aPlace.zw * 0.5 : aPlace.zw;
  vec2 middle = uCorner > 0.5 ? aPlace.xy + half_ : aPlace.xy;
  half_ = max(half_ * uView.z, vec2(uLeast));
  vec2 room = half_ + uAround * uView.z + 2.0;
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 2.0 - 1.0;
  vAt = corner * room;
  vHalf = half_;
  vStyle = aStyle;
  vColour = aColour;
  vLoad = aLoad;
  gl_Position = clip(onScreen(middle) + vAt);
}
