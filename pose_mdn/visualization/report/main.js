/** Wires the parts: one state, every change draws everything once in the next animation frame. */

const SIGMAS = [0, 1, 2];

function start() {
  const recording = Recording.fromDocument();
  const palette = new Palette();
  const person = recording.people[0] ?? -1;
  const state = {
    step: recording.firstLiftedStep(person),
    person,
    everyone: recording.people.length > 1,
    visible: Array(recording.numHypotheses).fill(true),
    pinned: null,
    sigma: 1,
    ownDepth: false,
    closeUp: true,
    playing: false,
  };
  const views = {
    scene: new SceneView(document.getElementById("scene"), recording, palette),
    picture: new PictureView(document.getElementById("picture"), recording, palette),
    timeline: new TimelineView(document.getElementById("timeline"), recording, palette),
  };
  let scheduled = false;
  const redraw = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      drawEverything(recording, state, views, panel, player);
    });
  };
  const actions = buildActions(recording, state, views.scene, redraw);
  const panel = new HypothesesPanel(recording, palette, actions);
  const player = new Player(recording, state, redraw);
  attachKeys(player, actions);
  attachViews(views, player, redraw);
  attachControls(recording, state, actions, redraw);
  fillTexts(recording);
  fillDoubts(recording);
  attachEnvironment(palette, redraw);
  redraw();
}

function drawEverything(recording, state, views, panel, player) {
  const focus = recording.rowOf(state.step, state.person);
  const others = recording.rowsAt(state.step).filter((row) => row !== focus && recording.person[row] >= 0);
  const isLifted = focus !== null && recording.isLifted(focus);
  const shown = (isLifted ? [focus] : []).concat(state.everyone ? others.filter((row) => recording.isLifted(row)) : []);
  views.scene.draw(shown, state);
  views.picture.draw(focus, others, state);
  views.timeline.draw(state);
  panel.update(focus, state);
  player.update();
  const notice = document.getElementById("notice");
  notice.hidden = isLifted;
  notice.querySelector("strong").textContent = isLifted ? "" : describeStatus(recording, focus, state.person);
  document.documentElement.dataset.ready = "true";
}

function buildActions(recording, state, scene, redraw) {
  const change = (edit) => (...values) => {
    edit(...values);
    redraw();
  };
  const setSigma = (sigma) => {
    state.sigma = sigma;
    document.querySelector(`input[name=sigma][value="${sigma}"]`).checked = true;
  };
  return {
    toggle: change((m) => (state.visible[m] = !state.visible[m])),
    pin: change((m) => (state.pinned = state.pinned === m ? null : m)),
    showAll: change(() => state.visible.fill(!state.visible.every(Boolean))),
    turn: change((azimuth, elevation) => scene.camera.turn(azimuth, elevation)),
    zoom: change((factor) => scene.camera.zoomBy(factor)),
    look: change((viewpoint) => scene.camera.look(viewpoint)),
    setSigma: change(setSigma),
    nextSigma: change(() => setSigma(SIGMAS[(SIGMAS.indexOf(state.sigma) + 1) % SIGMAS.length])),
  };
}

function attachViews(views, player, redraw) {
  const { canvas: scene } = views.scene;
  attachOrbit(scene, views.scene.camera, redraw);
  scene.addEventListener("pointermove", (event) => {
    views.scene.hover = event.buttons === 0 ? { x: event.offsetX, y: event.offsetY } : null;
    redraw();
  });
  scene.addEventListener("pointerleave", () => {
    views.scene.hover = null;
    redraw();
  });
  const { canvas: timeline } = views.timeline;
  const seek = (event) => player.goTo(views.timeline.stepAt(event.offsetX));
  timeline.addEventListener("pointerdown", (event) => {
    timeline.setPointerCapture(event.pointerId);
    seek(event);
  });
  timeline.addEventListener("pointermove", (event) => {
    if (event.buttons > 0) seek(event);
  });
}

function attachControls(recording, state, actions, redraw) {
  const onChange = (id, edit) =>
    document.getElementById(id).addEventListener("change", (event) => {
      edit(event.target);
      redraw();
    });
  for (const button of document.querySelectorAll("[data-viewpoint]")) {
    button.addEventListener("click", () => actions.look(button.dataset.viewpoint));
  }
  onChange("sigma", (input) => actions.setSigma(Number(input.value)));
  onChange("window", (input) => (state.closeUp = input.value === "person"));
  onChange("own-depth", (input) => (state.ownDepth = input.checked));
  onChange("everyone", (input) => (state.everyone = input.checked));
  onChange("person", (input) => (state.person = Number(input.value)));
  document.getElementById("show-all").addEventListener("click", actions.showAll);
  const several = recording.people.length > 1;
  document.getElementById("people").hidden = !several;
  document.getElementById("everyone").checked = state.everyone;
  document.getElementById("person").append(
    ...recording.people.map((person) => new Option(`Person ${person}`, String(person))),
  );
}

/** How many poses may not be people, in the header and on the strips. */
function fillDoubts(recording) {
  const poses = recording.frame.filter((_, row) => recording.isDoubtful(row)).length;
  const fact = document.getElementById("fact-doubtful");
  fact.hidden = poses === 0;
  fact.textContent = poses === 1 ? "one pose may not be a person" : `${poses} poses may not be people`;
  if (poses > 0) document.getElementById("timeline").title = "A mark between the strips: may not be a person";
}

/** The facts about the recording, in words. */
function fillTexts(recording) {
  const { about } = recording;
  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const people = recording.people.length;
  const facts = {
    model: about.model,
    "fact-hypotheses": count(recording.numHypotheses, "hypothesis").replace("hypothesiss", "hypotheses"),
    "fact-frames": count(recording.frames.length, "frame"),
    "fact-people": people === 1 ? "one person" : `${people} people`,
    "fact-fps": about.fps ? `${Number(about.fps.toFixed(2))} fps` : `fps not known, played at ${DEFAULT_FPS}`,
    "about-model": about.model,
    "about-skeleton": about.source_skeleton,
    "about-intrinsics": about.intrinsics_source === "given" ? "given with the keypoints" : about.intrinsics_source,
    "about-person-size": about.size_source === "prior" ? "the model's guess: one camera does not tell it" : about.size_source,
    "about-lens": about.lens_model === "fisheye" ? "fisheye, undone before lifting" :
      about.distortion.some((value) => value !== 0) ? "distortion undone before lifting" : "no distortion",
    "about-up": about.up_is_estimated ? "the direction in which the person stands" : "the camera's own up",
    "about-size": about.image_size ? `${about.image_size[0]} × ${about.image_size[1]} px` : "not known",
  };
  for (const [id, text] of Object.entries(facts)) document.getElementById(id).textContent = text;
  const thinned = document.getElementById("thinned");
  thinned.hidden = about.frame_step === 1;
  thinned.textContent =
    `one frame in ${about.frame_step} is kept, of ${about.frames_total}, so that this file stays small`;
}

function attachEnvironment(palette, redraw) {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    palette.read();
    redraw();
  });
  const observer = new ResizeObserver(redraw);
  for (const canvas of document.querySelectorAll("canvas")) observer.observe(canvas);
}

start();
