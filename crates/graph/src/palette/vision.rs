//! How colours look: against each other, and to eyes of every kind. For checking palettes.

use super::Colour;

/// What eyes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// With all three cones.
    Usual,
    /// Without the cone for long waves (protanopia).
    Protan,
    /// Without the cone for middle waves (deuteranopia).
    Deutan,
    /// Without the cone for short waves (tritanopia).
    Tritan,
}

impl Eyes {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Usual, Self::Protan, Self::Deutan, Self::Tritan];

    /// What linear red, green and blue become: Machado, Oliveira and Fernandes 2009, *A
    /// Physiologically-based Model for Simulation of Color Vision Deficiency*, severity 1.
    fn matrix(self) -> [[f64; 3]; 3] {
        match self {
            Self::Usual => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            Self::Protan => [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
            Self::Deutan => [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
            Self::Tritan => [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        }
    }
}

/// Linear light of the three channels (IEC 61966-2-1).
fn linear(colour: Colour) -> [f64; 3] {
    colour.map(|channel| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.040_45 {
            channel / 12.92
        } else {
            ((channel + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn apply(matrix: [[f64; 3]; 3], [a, b, c]: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * a + row[1] * b + row[2] * c)
}

/// The contrast of two colours, from 1 to 21: WCAG 2.2, “contrast ratio”.
pub fn contrast(a: Colour, b: Colour) -> f64 {
    let luminance = |colour| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Lightness from 0 to 1, and how red and how yellow, as these eyes see it: Ottosson 2020, *A
/// perceptual color space for image processing* (Oklab).
pub fn oklab(colour: Colour, eyes: Eyes) -> [f64; 3] {
    let seen = apply(eyes.matrix(), linear(colour)).map(|light| light.clamp(0.0, 1.0));
    let cones = apply(
        [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ],
        seen,
    );
    apply(
        [
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ],
        cones.map(f64::cbrt),
    )
}

/// How far apart two colours are for the eyes to which they are nearest: the distance in Oklab,
/// where about 0.02 can just be told apart. Oklab and not CIEDE2000, because it is as even for
/// colours that lie far apart, and short enough to be checked by reading.
pub fn distance(a: Colour, b: Colour) -> f64 {
    let of = |eyes| {
        let (a, b) = (oklab(a, eyes), oklab(b, eyes));
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    Eyes::ALL.map(of).into_iter().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let (black, white) = ([0; 3], [255; 3]);
        assert!((contrast(black, white) - 21.0).abs() < 1e-9);
        // The lightest grey on white that WCAG lets pass for text.
        assert!((contrast([0x76; 3], white) - 4.54).abs() < 0.01);
        // Oklab's own table: red is 0.628, 0.225, 0.126.
        let red = oklab([255, 0, 0], Eyes::Usual);
        for (is, should) in red.iter().zip([0.628, 0.225, 0.126]) {
            assert!((is - should).abs() < 1e-3, "{red:?}");
        }
        assert!((oklab(white, Eyes::Tritan)[0] - 1.0).abs() < 1e-3);
        // A red and a green that deuteranopes confuse are far apart for others.
        let (a, b) = ([0xd1, 0x29, 0x3d], [0x86, 0x6b, 0x33]);
        let usual = oklab(a, Eyes::Usual)[1] - oklab(b, Eyes::Usual)[1];
        let deutan = oklab(a, Eyes::Deutan)[1] - oklab(b, Eyes::Deutan)[1];
        assert!(usual > 5.0 * deutan.abs(), "{usual} {deutan}");
    }
}
