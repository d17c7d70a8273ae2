/** A recording with what the check found: projected joints, errors, verdicts. */

class CheckedRecording extends Recording {
  projected(row, hypothesis, joint) {
    const at = 2 * this.entry(row, hypothesis, joint);
    return this.points_px.subarray(at, at + 2);
  }

  /** [variance of u, covariance, variance of v] in square pixels, the keypoints' noise included. */
  covariance(row, hypothesis, joint) {
    const at = 3 * this.entry(row, hypothesis, joint);
    return this.covariance_px2.subarray(at, at + 3);
  }

  errorPx(row, hypothesis, joint) {
    return this.error_px[this.entry(row, hypothesis, joint)];
  }

  /** As part of the person's size; NaN where nothing can be compared. */
  errorOfSize(row, hypothesis, joint) {
    return this.errorPx(row, hypothesis, joint) / this.size_px[row];
  }

  isWithin(row, hypothesis, joint) {
    return this.distance[this.entry(row, hypothesis, joint)] <= this.about.radius;
  }

  rmsPx(row, hypothesis) {
    return this.rms_px[row * this.numHypotheses + hypothesis];
  }

  rmsOfSize(row, hypothesis) {
    return this.rms_of_size[row * this.numHypotheses + hypothesis];
  }

  hasPassed(row, hypothesis) {
    return this.passes[row * this.numHypotheses + hypothesis] === 1;
  }

  reasonsOf(row, hypothesis) {
    return this.about.reasons[this.reason[row * this.numHypotheses + hypothesis]];
  }

  /** What is wrong with a row, or null if nothing can be said. */
  faultOf(row) {
    return this.fault[row] < 0 ? null : this.about.faults[this.fault[row]];
  }

  /** The hypothesis that a measure is about. */
  chosen(row, measure) {
    if (measure === "likeliest") return this.mostProbable(row);
    let best = 0;
    for (let m = 1; m < this.numHypotheses; m++) {
      // A number is better than none.
      if (this.rmsPx(row, m) < this.rmsPx(row, best) || Number.isNaN(this.rmsPx(row, best))) best = m;
    }
    return best;
  }

  entry(row, hypothesis, joint) {
    return (row * this.numHypotheses + hypothesis) * this.numJoints + joint;
  }
}
