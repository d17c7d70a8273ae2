/** A square whose point is two coordinates at once; rings lie 1, 2 and 3 standard deviations out. */
class Pad {
  constructor(canvas, reach, palette, onMove) {
    Object.assign(this, { canvas, reach, palette });
    const follow = (event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const within = (share) => reach * Math.max(-1, Math.min(1, 2 * share - 1));
      onMove(within((event.clientX - left) / width), -within((event.clientY - top) / height));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      follow(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  draw(first, second) {
    const { context, width, height } = fitCanvas(this.canvas);
    const [unit, x, y] = [width / 2 / this.reach, width / 2, height / 2];
    const disc = (atX, atY, radius) => {
      context.beginPath();
      context.arc(atX, atY, radius, 0, 2 * Math.PI);
    };
    context.strokeStyle = this.palette.line;
    for (const ring of [1, 2, 3]) {
      disc(x, y, ring * unit);
      context.stroke();
    }
    for (const [a, b] of [[{ x: 0, y }, { x: width, y }], [{ x, y: 0 }, { x, y: height }]]) {
      traceLine(context, a, b);
      context.stroke();
    }
    disc(x + first * unit, y - second * unit, 8);
    context.fillStyle = this.palette.accent;
    context.fill();
  }
}
