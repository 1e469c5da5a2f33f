in vec2 vPlace;
flat in vec4 vColour;
uniform highp sampler2D uAtlas;
uniform vec4 uGround;
// First all halos, then all letters: no halo covers a letter beside it.
uniform float uHalo;
out vec4 colour;

void main() {
  vec2 cover = texture(uAtlas, vPlace).rg;
  vec4 pen = uHalo > 0.5 ? vec4(uGround.rgb, 0.92) : vColour;
  float a = (uHalo > 0.5 ? cover.g : cover.r) * pen.a * (uHalo > 0.5 ? vColour.a : 1.0);
  colour = vec4(pen.rgb * a, a);
}
