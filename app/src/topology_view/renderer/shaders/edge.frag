in vec4 vFirst;
in vec4 vSecond;
in vec4 vCourse;
flat in uint vStyle;
uniform vec4 uGround;
uniform vec4 uFocus;
// How far the dashes have run, in units.
uniform float uFlow;
out vec4 colour;

vec4 over(vec4 top, vec4 below) { return top + below * (1.0 - top.a); }
vec4 ink(vec4 c, float cover) { float a = c.a * clamp(cover, 0.0, 1.0); return vec4(c.rgb * a, a); }

void main() {
  float beside = abs(vCourse.x), half_ = vCourse.y, along = vCourse.z, size = vCourse.w;
  float unit = max(uView.z, 0.8 * uView.w);
  float from = along - 0.5 * size;
  vec4 own = from < 0.0 ? vFirst : vSecond;
  float broad = half_;
  if ((vStyle & 16u) != 0u) broad = min(half_, abs(from) * 0.6 + 0.5);
  float cover = broad - beside + 0.5;
  float step_ = 0.0;
  if ((vStyle & 1u) != 0u) {
    float k = mod(along / unit - ((vStyle & 128u) != 0u ? uFlow : 0.0), 13.0);
    step_ = min(k, 7.0 - k);
    cover = min(cover, step_ * unit + 0.5);
  } else if ((vStyle & 2u) != 0u) {
    float k = mod(along / unit, 6.0) - 3.0;
    cover = min(cover, half_ - length(vec2(k * unit, beside)) + 0.5);
  }
  vec4 drawn = ink(own, cover);
  if ((vStyle & 96u) != 0u) {
    float ahead = (vStyle & 32u) != 0u ? from : -from;
    float tip = min((7.0 * unit - ahead) * 0.62, min(half_ + 5.0 * unit, ahead + 7.0 * unit + half_));
    float arrow = min(tip - beside, ahead + 6.0 * unit);
    drawn = over(ink(vec4(own.rgb, 1.0), arrow + 0.5), drawn);
  }
  if ((vStyle & 4u) != 0u) {
    drawn = over(drawn, ink(vec4(uGround.rgb, 0.75 * own.a), half_ + 1.5 * uView.z - beside + 0.5));
  }
  if ((vStyle & 8u) != 0u) {
    drawn = over(drawn, ink(vec4(uFocus.rgb, 0.55), half_ + 3.0 * unit - beside + 0.5));
  }
  colour = drawn;
}
