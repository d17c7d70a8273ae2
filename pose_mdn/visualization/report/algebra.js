/** Vectors are arrays of 3, matrices arrays of 9 in row order. */

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function subtract(a, b) {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function add(a, b) {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

function scale(a, factor) {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

function rotate(matrix, v) {
  return [
    matrix[0] * v[0] + matrix[1] * v[1] + matrix[2] * v[2],
    matrix[3] * v[0] + matrix[4] * v[1] + matrix[5] * v[2],
    matrix[6] * v[0] + matrix[7] * v[1] + matrix[8] * v[2],
  ];
}

/** R diag(across^2, across^2, along^2) R^T = across^2 I + (along^2 - across^2) d d^T, d the line of sight. */
function lineOfSightCovariance(lineOfSight, across, along) {
  const [x, y, z] = lineOfSight;
  const a = across * across;
  const b = along * along - a;
  return [a + b * x * x, b * x * y, b * x * z, b * x * y, a + b * y * y, b * y * z, b * x * z, b * y * z, a + b * z * z];
}

/**
 * Outline of an ellipsoid (v - c)^T S^-1 (v - c) = 1 under x = f X / Z, y = f Y / Z, exactly: the dual quadric
 * S - c c^T of the ellipsoid as seen from the eye is, up to the focal length, the dual conic of its outline.
 * Returns null when the eye is inside or the ellipsoid reaches behind it.
 */
function ellipsoidOutline(center, covariance, focal) {
  const S = covariance;
  const [x, y, z] = center;
  const g22 = S[8] - z * z;
  if (g22 >= -1e-9 || z <= 0) return null;
  const k = -1 / g22;
  const u = -k * (S[2] - x * z);
  const v = -k * (S[5] - y * z);
  const a = k * (S[0] - x * x) + u * u;
  const b = k * (S[1] - x * y) + u * v;
  const d = k * (S[4] - y * y) + v * v;
  const middle = (a + d) / 2;
  const spread = Math.hypot((a - d) / 2, b);
  if (!(middle - spread > 0)) return null;
  return {
    x: focal * u,
    y: focal * v,
    major: focal * Math.sqrt(middle + spread),
    minor: focal * Math.sqrt(middle - spread),
    angle: 0.5 * Math.atan2(2 * b, a - d),
  };
}
