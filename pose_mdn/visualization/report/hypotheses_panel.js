/** The list of hypotheses with their weights, and the figures of the row in focus. */

class HypothesesPanel {
  constructor(recording, palette, actions) {
    this.recording = recording;
    this.palette = palette;
    this.list = document.getElementById("hypotheses");
    this.items = Array.from({ length: recording.numHypotheses }, (_, m) => this.buildItem(m, actions));
    this.list.append(...this.items.map((item) => item.element));
    this.status = document.getElementById("status");
    this.statusText = document.getElementById("status-text");
    this.depth = document.getElementById("depth");
    this.error = document.getElementById("error");
    this.doubt = document.getElementById("doubt");
  }

  buildItem(m, actions) {
    const element = document.createElement("li");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.setAttribute("aria-label", `Show hypothesis ${m + 1}`);
    box.addEventListener("change", () => actions.toggle(m));
    const choose = document.createElement("button");
    choose.type = "button";
    choose.className = "choose";
    choose.title = "Project this hypothesis into the picture; again for the most probable one";
    choose.addEventListener("click", () => actions.pin(m));
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = `Hypothesis ${m + 1}`;
    const tag = document.createElement("span");
    tag.className = "tag";
    const percent = document.createElement("span");
    percent.className = "percent";
    const bar = document.createElement("span");
    bar.className = "bar";
    const fill = document.createElement("span");
    bar.append(fill);
    choose.append(name, tag, percent, bar);
    element.append(box, choose);
    return { element, box, choose, tag, percent, fill };
  }

  update(row, state) {
    const isLifted = row !== null && this.recording.isLifted(row);
    const best = isLifted ? this.recording.mostProbable(row) : -1;
    const selected = state.pinned ?? best;
    this.items.forEach((item, m) => {
      const weight = isLifted ? this.recording.weight(row, m) : 0;
      item.element.style.setProperty("--colour", this.palette.hypothesis(m));
      item.element.classList.toggle("off", !state.visible[m]);
      item.element.classList.toggle("selected", m === selected);
      item.box.checked = state.visible[m];
      item.choose.setAttribute("aria-pressed", String(state.pinned === m));
      item.tag.textContent = state.pinned === m ? "pinned" : m === best ? "likeliest" : "";
      item.percent.textContent = isLifted ? `${(100 * weight).toFixed(weight < 0.0995 ? 1 : 0)} %` : "–";
      item.fill.style.width = `${100 * weight}%`;
    });
    if (isLifted) document.documentElement.style.setProperty("--selected", this.palette.hypothesis(selected));
    this.updateFigures(row, isLifted, selected, state);
  }

  updateFigures(row, isLifted, selected, state) {
    const { recording } = this;
    const status = row === null ? null : recording.statusOf(row);
    this.statusText.textContent = describeStatus(recording, row, state.person);
    this.status.dataset.kind = !isLifted ? "failed" : status.complete ? "complete" : "partial";
    this.depth.textContent = isLifted ? `± ${(100 * recording.depth_std_m[row]).toFixed(1)}` : "–";
    this.error.textContent = isLifted ? recording.reprojectionError(row, selected).toFixed(1) : "–";
    this.doubt.hidden = !isLifted || !recording.isDoubtful(row);
    if (!this.doubt.hidden) this.doubt.querySelector("b").textContent = `${(100 * recording.ood_score[row]).toFixed(0)} %`;
  }
}

/** What happened to the row in focus, with the names of the joints that were not seen. */
function describeStatus(recording, row, person) {
  if (row === null) return `Person ${person} was not seen in this frame`;
  const status = recording.statusOf(row);
  if (status.complete || !status.lifted) return status.text;
  const missing = recording.provided.flatMap((isProvided, joint) =>
    isProvided && !recording.isSeen(row, joint) ? [recording.jointLabel(joint)] : [],
  );
  const shown = missing.slice(0, 3).join(", ") + (missing.length > 3 ? ` and ${missing.length - 3} more` : "");
  return missing.length > 0 ? `${status.text}: ${shown}` : status.text;
}
