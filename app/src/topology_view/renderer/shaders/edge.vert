layout(location = 0) in vec4 aStart;
layout(location = 1) in vec4 aEnd;
layout(location = 2) in float aWidth;
layout(location = 3) in vec4 aFirst;
layout(location = 4) in vec4 aSecond;
layout(location = 5) in uint aStyle;
uniform float uPieces;
// How little of a line is left, however far away it is.
uniform float uFaintest;
out vec4 vFirst;
out vec4 vSecond;
// Beside the middle line, its half width, along it, its length: device pixels.
out vec4 vCourse;
flat out uint vStyle;

void main() {
  vec2 p0 = onScreen(aStart.xy), p1 = onScreen(aStart.zw);
  vec2 p2 = onScreen(aEnd.xy), p3 = onScreen(aEnd.zw);
  float t = float(gl_VertexID >> 1) / uPieces;
  float side = float(gl_VertexID & 1) * 2.0 - 1.0;
  float s = 1.0 - t;
  vec2 at = s * s * s * p0 + 3.0 * s * s * t * p1 + 3.0 * s * t * t * p2 + t * t * t * p3;
  vec2 way = s * s * (p1 - p0) + 2.0 * s * t * (p2 - p1) + t * t * (p3 - p2);
  float speed = length(way);
  way = speed > 1e-4 ? way / speed : vec2(1.0, 0.0);
  float chord = distance(p0, p3);
  float around = distance(p0, p1) + distance(p1, p2) + distance(p2, p3);
  float size = 0.5 * (chord + around);
  float real = aWidth * uView.z;
  // Never thinner than a pixel: rather fainter.
  float half_ = max(real, uView.w) * 0.5;
  float room = half_ + 1.0;
  if ((aStyle & 4u) != 0u) room += 1.5 * uView.z;
  if ((aStyle & 8u) != 0u) room += 4.0 * max(uView.z, 0.8 * uView.w);
  if ((aStyle & 96u) != 0u) room += 6.0 * max(uView.z, 0.8 * uView.w);
  // What is marked stays in sight among the many.
  float faintest = (aStyle & 8u) != 0u ? 1.0 : uFaintest;
  float seen = clamp(real / uView.w, faintest, 1.0);
  vFirst = vec4(aFirst.rgb, aFirst.a * seen);
  vSecond = vec4(aSecond.rgb, aSecond.a * seen);
  vCourse = vec4(side * room, half_, t * size, size);
  vStyle = aStyle;
  gl_Position = clip(at + vec2(-way.y, way.x) * side * room);
}
