/** From metres in the camera frame to pixels of the picture as it was taken. */

/** OpenCV's rational model with thin prisms: k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4]]]; absent ones are zero. */
function distort(x, y, coefficients) {
  const [k1, k2, p1, p2, k3 = 0, k4 = 0, k5 = 0, k6 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0] = coefficients;
  const r2 = x * x + y * y;
  const r4 = r2 * r2;
  const r6 = r4 * r2;
  const radial = (1 + k1 * r2 + k2 * r4 + k3 * r6) / (1 + k4 * r2 + k5 * r4 + k6 * r6);
  return [
    x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + s1 * r2 + s2 * r4,
    y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + s3 * r2 + s4 * r4,
  ];
}

/** OpenCV's fisheye model: k1 k2 k3 k4 on the angle from the axis. */
function distortFisheye(x, y, [k1, k2, k3, k4]) {
  const slope = Math.hypot(x, y);
  if (slope < 1e-12) return [x, y];
  const angle = Math.atan(slope);
  const t2 = angle * angle;
  const scale = (angle * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))) / slope;
  return [x * scale, y * scale];
}

/** Pixels of a point in the camera frame, or null if it lies behind the camera. */
function projectToPicture(point, intrinsics, coefficients, lensModel = "brown") {
  if (!(point[2] > 1e-6)) return null;
  let [x, y] = [point[0] / point[2], point[1] / point[2]];
  if (lensModel === "fisheye") [x, y] = distortFisheye(x, y, coefficients);
  else if (coefficients.length >= 4) [x, y] = distort(x, y, coefficients);
  return [intrinsics[0] * x + intrinsics[1] * y + intrinsics[2], intrinsics[4] * y + intrinsics[5]];
}
