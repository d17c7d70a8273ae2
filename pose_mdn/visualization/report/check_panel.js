/** The list of hypotheses of the row in focus: weight, error, verdict, and why. */

class CheckPanel {
  constructor(recording, palette, actions) {
    this.recording = recording;
    this.palette = palette;
    this.list = document.getElementById("hypotheses");
    this.items = Array.from({ length: recording.numHypotheses }, (_, m) => this.buildItem(m, actions));
    this.list.append(...this.items.map((item) => item.element));
    this.status = document.getElementById("status");
    this.statusText = document.getElementById("status-text");
  }

  buildItem(m, actions) {
    const make = (kind, className) => Object.assign(document.createElement(kind), { className });
    const element = document.createElement("li");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
    box.setAttribute("aria-label", `Show hypothesis ${m + 1}`);
    box.addEventListener("change", () => actions.toggle(m));
    const choose = Object.assign(make("button", "choose"), { type: "button" });
    choose.title = "Show this hypothesis's uncertainty; again for the most probable one";
    choose.addEventListener("click", () => actions.pin(m));
    const name = Object.assign(make("span", "name"), { textContent: `Hypothesis ${m + 1}` });
    const [tag, percent, error, verdict, why] = ["tag", "percent", "error", "verdict-mark", "why"].map((each) => make("span", each));
    choose.append(name, tag, percent, error, verdict, why);
    element.append(box, choose);
    return { element, box, choose, tag, percent, error, verdict, why };
  }

  update(row, state) {
    const { recording } = this;
    const isLifted = row !== null && recording.isLifted(row);
    const likeliest = isLifted ? recording.mostProbable(row) : -1;
    const selected = state.pinned ?? likeliest;
    this.items.forEach((item, m) => {
      item.element.style.setProperty("--colour", this.palette.hypothesis(m));
      item.element.classList.toggle("off", !state.visible[m] && m !== selected);
      item.element.classList.toggle("selected", m === selected);
      item.box.checked = state.visible[m];
      item.choose.setAttribute("aria-pressed", String(state.pinned === m));
      item.tag.textContent = state.pinned === m ? "pinned" : m === likeliest ? "likeliest" : "";
      this.fillItem(item, row, m, isLifted);
    });
    if (selected >= 0) document.documentElement.style.setProperty("--selected", this.palette.hypothesis(selected));
    const fault = isLifted ? recording.faultOf(row) : null;
    this.status.dataset.kind = fault === null ? "unknown" : fault.value === "none" ? "complete" : "failed";
    this.statusText.textContent = describeRow(recording, row, state.person, fault);
  }

  fillItem(item, row, m, isLifted) {
    const { recording } = this;
    const hasError = isLifted && Number.isFinite(recording.rmsPx(row, m));
    const hasPassed = isLifted && recording.hasPassed(row, m);
    const weight = isLifted ? recording.weight(row, m) : 0;
    item.percent.textContent = isLifted ? `${(100 * weight).toFixed(weight < 0.0995 ? 1 : 0)} %` : "–";
    item.error.textContent = hasError
      ? `${recording.rmsPx(row, m).toFixed(1)} px · ${(100 * recording.rmsOfSize(row, m)).toFixed(1)} %`
      : "no error";
    item.verdict.textContent = !isLifted ? "" : hasPassed ? "passes" : "fails";
    item.verdict.dataset.passes = String(hasPassed);
    item.why.textContent = isLifted ? recording.reasonsOf(row, m) : "";
  }
}

/** What is wrong with the row in focus, or why nothing can be said. */
function describeRow(recording, row, person, fault) {
  if (row === null) return `Person ${person} was not seen in this frame`;
  if (!recording.isLifted(row)) return recording.statusOf(row).text;
  return fault === null ? "Nothing can be compared in this frame" : sentence(fault.text);
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
