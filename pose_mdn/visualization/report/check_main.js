/** Wires the parts of the check's page: one state, every change draws everything once in the next animation frame. */

function start() {
  const recording = CheckedRecording.fromDocument();
  const palette = new CheckPalette();
  const person = recording.people[0] ?? -1;
  const state = {
    step: recording.firstLiftedStep(person),
    person,
    visible: Array(recording.numHypotheses).fill(true),
    pinned: null,
    measure: "likeliest",
    closeUp: true,
    playing: false,
  };
  let scheduled = false;
  const redraw = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      drawEverything();
    });
  };
  const change = (edit) => (...values) => {
    edit(...values);
    redraw();
  };
  const actions = {
    toggle: change((m) => (state.visible[m] = !state.visible[m])),
    pin: change((m) => (state.pinned = state.pinned === m ? null : m)),
    showAll: change(() => state.visible.fill(!state.visible.every(Boolean))),
  };
  const overlay = new OverlayView(document.getElementById("picture"), recording, palette, redraw);
  const heat = new HeatTable(document.getElementById("heat"), recording, palette);
  const panel = new CheckPanel(recording, palette, actions);
  const player = new Player(recording, state, redraw);
  function drawEverything() {
    const focus = recording.rowOf(state.step, state.person);
    const others = recording.rowsAt(state.step).filter((row) => row !== focus && recording.person[row] >= 0);
    overlay.draw(focus, others, state);
    heat.draw(state);
    panel.update(focus, state);
    player.update();
    document.getElementById("heat-note").textContent = heat.describe(state) || "Point at a cell; click to go to its frame";
    document.documentElement.dataset.ready = "true";
  }
  attachHeat(heat, player, redraw);
  attachCheckControls(recording, state, actions, redraw);
  attachCheckKeys(player, actions);
  fillVerdict(recording, heat, overlay);
  const paint = () => {
    palette.read();
    fillLegend(heat);
    redraw();
  };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  const observer = new ResizeObserver(redraw);
  for (const canvas of document.querySelectorAll("canvas")) observer.observe(canvas);
  paint();
}

class CheckPalette extends Palette {
  read() {
    super.read();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    [this.good, this.bad, this.missing] = [colour("good"), colour("bad"), colour("missing")];
    const numbers = (text) => text.match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16));
    this.heat = Array.from({ length: HEAT_STEPS }, (_, i) => numbers(colour(`heat${i}`)));
  }
}

function attachHeat(heat, player, redraw) {
  const { canvas } = heat;
  const seek = (event) => {
    const cell = heat.cellAt(event.offsetX, event.offsetY);
    if (cell) player.goTo(cell.step);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    seek(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    heat.hover = heat.cellAt(event.offsetX, event.offsetY);
    if (event.buttons > 0) seek(event);
    redraw();
  });
  canvas.addEventListener("pointerleave", () => {
    heat.hover = null;
    redraw();
  });
}

function attachCheckControls(recording, state, actions, redraw) {
  const onChange = (id, edit) =>
    document.getElementById(id).addEventListener("change", (event) => {
      edit(event.target);
      redraw();
    });
  onChange("window", (input) => (state.closeUp = input.value === "person"));
  onChange("measure", (input) => (state.measure = input.value));
  onChange("person", (input) => (state.person = Number(input.value)));
  document.getElementById("show-all").addEventListener("click", actions.showAll);
  document.getElementById("people").hidden = recording.people.length < 2;
  document.getElementById("person").append(
    ...recording.people.map((person) => new Option(`Person ${person}`, String(person))),
  );
}

function attachCheckKeys(player, actions) {
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input[type=radio]")) return;
    const stride = event.shiftKey ? 10 : 1;
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : null;
    if (event.key === "ArrowLeft") player.goTo(player.state.step - stride);
    else if (event.key === "ArrowRight") player.goTo(player.state.step + stride);
    else if (event.key === "Home") player.goTo(0);
    else if (event.key === "End") player.goTo(player.last);
    else if (event.key === " " && !event.target.closest("button, input")) player.toggle();
    else if (digit !== null && digit < player.recording.numHypotheses) actions.pin(digit);
    else return;
    event.preventDefault();
  });
}

/** The verdict and its reasons, and how the check was made. */
function fillVerdict(recording, heat, overlay) {
  const { about } = recording;
  const verdict = document.getElementById("verdict");
  verdict.dataset.kind = about.verdict === null ? "unknown" : about.verdict === "none" ? "complete" : "failed";
  document.getElementById("verdict-text").textContent = sentence(about.verdict_text);
  const lines = about.summary.filter((line) => !line.startsWith("verdict: "));
  document.getElementById("summary").append(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: sentence(line) })),
  );
  const percent = (share) => `${Number((100 * share).toFixed(2))} %`;
  const pictures = Object.keys(overlay.pictures).length;
  const facts = {
    model: about.model,
    "about-level": `${percent(about.level)} (${about.radius.toFixed(2)} standard deviations)`,
    "about-noise": `${percent(about.noise)} of the person's size`,
    "about-tolerance": `${percent(about.tolerance)} of the person's size`,
    "about-root": about.root,
    "about-size": about.image_size ? `${about.image_size[0]} × ${about.image_size[1]} px` : "not known",
    "about-pictures": overlay.hasPictures ? `${pictures} of ${recording.frames.length} frames` : "none were given",
    "legend-middle": percent(about.tolerance),
    "legend-top": `${percent(heat.top)} or more`,
  };
  for (const [id, text] of Object.entries(facts)) document.getElementById(id).textContent = text;
  document.getElementById("level").textContent = percent(about.level);
  const thinned = document.getElementById("thinned");
  thinned.hidden = about.frame_step === 1;
  thinned.textContent =
    `one frame in ${about.frame_step} is kept, of ${about.frames_total}, so that this file stays small`;
}

function fillLegend(heat) {
  const colours = Array.from({ length: HEAT_STEPS }, (_, i) => heat.colour((heat.top * i) / (HEAT_STEPS - 1)));
  document.getElementById("legend-bar").style.background = `linear-gradient(90deg, ${colours.join(", ")})`;
}

start();
