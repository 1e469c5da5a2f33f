layout(location = 0) in vec2 aAt;
layout(location = 1) in uvec2 aSize;
layout(location = 2) in uvec2 aPlace;
layout(location = 3) in vec4 aColour;
uniform vec2 uSheet;
out vec2 vPlace;
flat out vec4 vColour;

void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * vec2(aSize);
  vPlace = (vec2(aPlace) + corner) / uSheet;
  vColour = aColour;
  gl_Position = clip(aAt + corner);
}
