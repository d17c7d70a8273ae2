/** Time: play, step, slide, and the keys. */

const DEFAULT_FPS = 25;

class Player {
  constructor(recording, state, onChange) {
    this.recording = recording;
    this.state = state;
    this.onChange = onChange;
    this.last = recording.frames.length - 1;
    this.stepsPerSecond = (recording.about.fps ?? DEFAULT_FPS) / recording.about.frame_step;
    this.speed = 1;
    this.slider = document.getElementById("slider");
    this.label = document.getElementById("frame-label");
    this.time = document.getElementById("frame-time");
    this.playButton = document.getElementById("play");
    this.slider.max = String(this.last);
    this.slider.style.setProperty("--cell", `${100 / (this.last + 1)}%`);
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
    this.playButton.addEventListener("click", () => this.toggle());
    document.getElementById("previous").addEventListener("click", () => this.goTo(state.step - 1));
    document.getElementById("next").addEventListener("click", () => this.goTo(state.step + 1));
    document.getElementById("speed").addEventListener("change", (event) => {
      this.speed = Number(event.target.value);
    });
    document.getElementById("player").classList.toggle("still", this.last === 0);
  }

  goTo(step) {
    this.state.step = Math.max(0, Math.min(this.last, step));
    this.elapsed = 0;
    this.onChange();
  }

  toggle() {
    this.state.playing = !this.state.playing && this.last > 0;
    if (this.state.playing) {
      if (this.state.step === this.last) this.state.step = 0;
      this.elapsed = 0;
      this.clock = performance.now();
      requestAnimationFrame((now) => this.tick(now));
    }
    this.onChange();
  }

  tick(now) {
    if (!this.state.playing) return;
    this.elapsed += Math.max(0, now - this.clock) / 1000;
    this.clock = now;
    const steps = Math.floor(this.elapsed * this.stepsPerSecond * this.speed);
    if (steps > 0) {
      this.elapsed -= steps / (this.stepsPerSecond * this.speed);
      this.state.step = (this.state.step + steps) % (this.last + 1);
      this.onChange();
    }
    requestAnimationFrame((next) => this.tick(next));
  }

  update() {
    const { step, playing } = this.state;
    const frame = this.recording.frames[step];
    const { fps } = this.recording.about;
    this.slider.value = String(step);
    this.label.textContent = `Frame ${frame}`;
    this.time.textContent = fps ? ` · ${(frame / fps).toFixed(2)} s` : "";
    this.slider.setAttribute("aria-valuetext", `Frame ${frame}${this.time.textContent}`);
    this.playButton.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.playButton.classList.toggle("playing", playing);
  }
}

/** One table of keys; typing in a field or choosing from a list is left alone. */
function attachKeys(player, actions) {
  const keys = {
    ArrowLeft: (event) => player.goTo(player.state.step - (event.shiftKey ? 10 : 1)),
    ArrowRight: (event) => player.goTo(player.state.step + (event.shiftKey ? 10 : 1)),
    Home: () => player.goTo(0),
    End: () => player.goTo(player.last),
    " ": () => player.toggle(),
    a: () => actions.turn(0.12, 0),
    d: () => actions.turn(-0.12, 0),
    w: () => actions.turn(0, 0.12),
    s: () => actions.turn(0, -0.12),
    "+": () => actions.zoom(1.15),
    "=": () => actions.zoom(1.15),
    "-": () => actions.zoom(1 / 1.15),
    r: () => actions.look("oblique"),
    u: () => actions.nextSigma(),
  };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
    if (event.key === " " && event.target.closest("button, input[type=checkbox], input[type=radio], summary")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("input[type=radio]")) return;
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : null;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (digit !== null && digit < player.recording.numHypotheses) actions.toggle(digit);
    else if (action) action(event);
    else return;
    event.preventDefault();
  });
}
