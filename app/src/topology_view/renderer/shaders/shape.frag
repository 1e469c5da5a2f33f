in vec2 vAt;
flat in vec2 vHalf;
flat in uint vStyle;
flat in vec4 vColour;
flat in float vLoad;
uniform float uCorner;
uniform vec4 uGround;
uniform vec4 uBox;
uniform vec4 uInk;
uniform vec4 uSoft;
uniform vec4 uFaint;
uniform vec4 uTap;
uniform vec4 uFocus;
uniform vec4 uOnBadge;
uniform vec4 uShade;
// By state: running, paused, stopped, failed, unknown, none.
uniform vec4 uStates[6];
// Where in the atlas: router, host, switch, segment, server, paused, stopped, failed, unknown,
// moving, maintenance.
uniform vec4 uSigns[11];
uniform highp sampler2D uAtlas;
out vec4 colour;

const vec2 CELL = vec2(56.0, 36.0);

vec4 over(vec4 top, vec4 below) { return top + below * (1.0 - top.a); }
vec4 ink(vec4 c, float cover) { float a = c.a * clamp(cover, 0.0, 1.0); return vec4(c.rgb * a, a); }
float block(vec2 at, vec2 half_, float round_) {
  vec2 q = abs(at) - half_ + round_;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - round_;
}
float sign_(int which, vec2 at) {
  vec2 uv = at / (CELL * uView.z) + 0.5;
  if (any(lessThan(uv, vec2(0.0))) || any(greaterThan(uv, vec2(1.0)))) return 0.0;
  vec4 place = uSigns[which];
  return texture(uAtlas, place.xy + uv * place.zw).r;
}
// A dashed ring: `on` and `off` in units along the border.
float dashes(vec2 at, float on, float off) {
  float around = (vStyle & 15u) == 0u && uCorner < 0.5
    ? atan(at.y, at.x) * vHalf.x
    : (abs(at.x) * vHalf.y > abs(at.y) * vHalf.x ? at.y : at.x);
  float k = mod(around / uView.z, on + off);
  return min(k, on - k) * uView.z + 0.5;
}
vec4 disc(int which, vec2 at, vec4 own, vec4 below) {
  float s = uView.z;
  float d = length(at) - 8.0 * s;
  vec4 drawn = over(ink(uOnBadge, 0.9 * s - abs(d) + 0.5), ink(own, 0.5 - d));
  drawn = over(ink(uOnBadge, sign_(which, at)), drawn);
  return over(drawn, below);
}
vec4 badge(uint state, vec2 at, vec4 own, vec4 below) {
  return state == 0u || state == 5u ? below : disc(4 + int(state), at, own, below);
}
// Stripes, in units.
float hatch(vec2 at) { return 1.0 * uView.z - abs(mod(at.x + at.y, 11.3 * uView.z) - 5.65 * uView.z) + 0.5; }

void main() {
  float s = uView.z;
  uint kind = vStyle & 15u, state = (vStyle >> 4) & 15u;
  bool isBox = uCorner > 0.5, isDisc = !isBox && kind == 0u, isBus = kind == 3u;
  vec4 own = (vStyle & 4096u) != 0u ? vColour : uStates[min(state, 5u)];
  float round_ = isBox ? 12.0 * s : isBus ? vHalf.y : 9.0 * s;
  float d = isDisc ? length(vAt) - vHalf.x : block(vAt, vHalf, min(round_, min(vHalf.x, vHalf.y)));
  bool isSmall = vHalf.y < 5.0 * uView.w && !isBus;
  vec4 drawn = vec4(0.0);
  if (isBox) {
    drawn = ink(uShade, 0.9 - max(d - 1.0 * s, 0.0) / (4.0 * s) );
    drawn = over(ink(uBox, 0.5 - d), drawn);
    if ((vStyle & 4096u) != 0u) drawn = over(ink(vec4(own.rgb, 0.12), 0.5 - d), drawn);
    bool odd = state >= 2u && state <= 4u;
    float line = 0.625 * max(s, uView.w) - abs(d) + 0.5;
    if (odd) line = min(line, dashes(vAt, 9.0, 5.0));
    drawn = over(ink(odd ? own : (vStyle & 4096u) != 0u ? vec4(own.rgb, 0.7) : uFaint, line), drawn);
    // The head: from the upper left corner.
    vec2 at = (vAt + vHalf) / s;
    vec2 size = vHalf * 2.0 / s;
    if ((vStyle & 32768u) != 0u) {
      // From afar the whole box is striped.
      float within = s > 0.32 * uView.w ? (36.0 - at.y) * s : 1.0;
      drawn = over(ink(vec4(uSoft.rgb, 0.3), min(min(hatch(vAt), -d - 1.0 * s), within)), drawn);
    }
    if (s > 0.32 * uView.w) {
      float rule = min(0.5 * s - abs(at.y - 36.0) * s + 0.5, min(at.x - 14.0, size.x - 14.0 - at.x) * s);
      drawn = over(ink(uFaint, rule), drawn);
      drawn = over(ink(uSoft, sign_(4, vAt + vHalf - vec2(27.0, 20.0) * s)), drawn);
      vec2 lamp = vAt + vHalf - vec2(size.x - 24.0, 19.0) * s;
      if (state == 0u) drawn = over(ink(uStates[0], 4.0 * s - length(lamp) + 0.5), drawn);
      drawn = badge(state, lamp, uStates[min(state, 5u)], drawn);
      if ((vStyle & 32768u) != 0u) {
        vec2 beside = vAt + vHalf - vec2(size.x - 46.0, 19.0) * s;
        drawn = disc(10, beside, uInk, drawn);
      }
      if (vLoad >= 0.0) {
        float end = 14.0 + (size.x - 28.0) * clamp(vLoad, 0.0, 1.0);
        float bar = min(1.5 * s - abs(at.y - 36.0) * s + 0.5, min(at.x - 14.0, end - at.x) * s + 0.5);
        drawn = over(ink(own, bar), drawn);
      }
    } else if (vLoad >= 0.0) {
      // From afar the whole box fills up.
      float level = (1.0 - clamp(vLoad, 0.0, 1.0)) * 2.0 * vHalf.y - vHalf.y;
      drawn = over(ink(vec4(own.rgb, 0.3), min(0.5 - d, vAt.y - level + 0.5)), drawn);
    }
  } else if (isBus) {
    drawn = ink((vStyle & 4096u) != 0u ? own : uTap, 0.5 - d);
    drawn = over(ink(uBox, sign_(3, vAt)), drawn);
  } else if (isSmall) {
    drawn = ink(own, 0.5 - d);
  } else {
    drawn = ink(state == 2u ? uGround : uBox, 0.5 - d);
    if ((vStyle & 4096u) != 0u) drawn = over(ink(vec4(own.rgb, 0.2), 0.5 - d), drawn);
    if ((vStyle & 32768u) != 0u) drawn = over(ink(vec4(uSoft.rgb, 0.3), min(hatch(vAt), -d - 2.0 * s)), drawn);
    float ring = 1.25 * max(s, 0.7 * uView.w) - abs(d + 1.5 * s) + 0.5;
    if (state == 2u) ring = min(ring, dashes(vAt, 5.0, 4.0));
    if (state == 4u) ring = min(ring, dashes(vAt, 2.5, 3.0));
    drawn = over(ink(own, ring), drawn);
    vec4 pen = state == 2u ? vec4(uStates[2].rgb, 0.7) : uInk;
    drawn = over(ink(pen, sign_(int(kind), vAt)), drawn);
    vec2 corner = isDisc ? vec2(0.72, -0.72) * vHalf : vec2(vHalf.x - 3.0 * s, 3.0 * s - vHalf.y);
    drawn = badge(state, vAt - corner, uStates[min(state, 5u)], drawn);
    if ((vStyle & 49152u) != 0u) {
      corner.x = -corner.x;
      drawn = disc((vStyle & 16384u) != 0u ? 9 : 10, vAt - corner, uInk, drawn);
    }
  }
  if ((vStyle & 256u) != 0u && !isSmall) {
    float line = min(0.625 * s - abs(d - 3.0 * s) + 0.5, dashes(vAt, 3.0, 3.0));
    drawn = over(drawn, ink(uSoft, line));
  }
  if ((vStyle & 1024u) != 0u) {
    float unit = max(s, 0.6 * uView.w);
    drawn = over(drawn, ink(uFocus, 1.5 * unit - abs(d - 4.5 * unit) + 0.5));
  }
  if ((vStyle & 2048u) != 0u) {
    float unit = max(s, 0.6 * uView.w);
    drawn = over(drawn, ink(vec4(uSoft.rgb, 0.45), 1.5 * unit - abs(d - 4.5 * unit) + 0.5));
  }
  // From afar the box speaks for what is in it.
  if ((vStyle & 8192u) != 0u && s < 0.32 * uView.w) drawn *= 0.35;
  if ((vStyle & 512u) != 0u) drawn *= 0.22;
  colour = drawn;
}
